#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Real Linux on either side of libiopf, in QEMU's own emulation; docs/linux.md says more.

guest  Debian's kernel is the guest, `iopf serve` the host below it
host   a kernel with iommufd is the host, libiopf its VMM, `iopf serve` its hardware
mock   iommufd's mock device, on two kernels; QEMU alone
stall  an arm64 kernel is the guest, its device stalls behind an SMMUv3

A table of cases, and as last line "N passed, N failed". Exit code: 0; 1 a case does not
hold; 2 usage; 3 QEMU or a kernel cannot be had, with how to get it.
"""
import argparse
import concurrent.futures
import contextlib
import ctypes
import dataclasses
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import judge
import kernel
import lanes
import machine
import virt

HERE = pathlib.Path(__file__).resolve().parent
ROOT = lanes.ROOT
INIT_SECONDS = 30  # until the guest's first process is there; two or three are usual
PR_SET_PDEATHSIG = 1


def say(text):
    print(f"lane.py: {text}", file=sys.stderr, flush=True)


def end_with_parent():
    """A child of ours does not survive us, whatever ends us."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Workshop:
    """Programs and modules of one run, each built once."""

    def __init__(self, build, directory):
        self.library = build / "src/libiopf.a"
        self.directory = directory

    def place(self, linux):
        """A directory of what is built for @linux."""
        path = self.directory / re.sub(r"\W+", "-", str(linux.image))
        path.mkdir(exist_ok=True)
        return path

    @functools.cache
    def program(self, name, linux):
        """A static program. Returns: its bytes."""
        output = self.place(linux) / name
        folders = (HERE, HERE / "module", ROOT / "include", ROOT / "src", ROOT)
        gnu = ["-D_GNU_SOURCE"] * (name in lanes.SOURCES)  # as the tree's own sources are built
        kernel.run(f"{linux.tools}gcc", "-std=gnu11", *gnu, "-O2", "-g0", "-static", "-pthread",
                   "-Wall", "-Wextra", "-Werror", *(f"-I{folder}" for folder in folders),
                   "-isystem", linux.headers, *lanes.sources(name),
                   *[self.library] * (not linux.tools), "-o", output, cwd=ROOT)
        return output.read_bytes()

    @functools.cache
    def modules(self, names, linux):
        """Returns: {name: bytes}."""
        work = self.place(linux) / "module"
        if not work.exists():
            shutil.copytree(HERE / "module", work)
        if names:
            # The empty option: Debian's kernels ask for a program that only debuggers need.
            kernel.run("make", "-s", "-C", linux.tree, f"M={work}", f"-j{os.cpu_count()}",
                       *linux.options, f"iopf_modules={' '.join(names)}",
                       "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")
        for name in names:
            kernel.run(f"{linux.tools}strip", "-g", work / f"{name}.ko")
        return {name: (work / f"{name}.ko").read_bytes() for name in names}

    def files(self, boot, linux):
        """{path: bytes} of the initramfs. Programs run in the order of their names there."""
        names = ("init", *boot.programs, *boot.beside)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            made = dict(zip(names, pool.map(lambda name: self.program(name, linux), names)))
        return {"init": made["init"],
                **{f"modules/{name}.ko": module
                   for name, module in self.modules(boot.modules, linux).items()},
                **{f"programs/{number}-{name}": made[name]
                   for number, name in enumerate(boot.programs)},
                **{f"bin/{name}": made[name] for name in boot.beside}}


def text_of(path):
    return path.read_text(errors="replace") if path.exists() else ""


def kill_guest(process):
    """QEMU is the one child that serve has."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for child in text_of(children).split():
        os.kill(int(child), signal.SIGKILL)


def watch(process, boot, directory):
    """Waits for the end, for @boot's time at most, and for the first process much shorter."""
    start = time.monotonic()
    killed = False
    while process.poll() is None:
        words, spent = text_of(directory / "words.log"), time.monotonic() - start
        if spent > (boot.seconds if "init: " in words else INIT_SECONDS):
            return None
        if boot.end == "killed" and not killed:
            killed = re.search(r"^note: .*\bopen\b", words, re.M) is not None
            if killed:
                kill_guest(process)
        time.sleep(0.05)
    return process.returncode


def start(boot, command, directory):
    """Runs @command to its end. Nothing of it is left, whatever ends this."""
    begin = time.monotonic()
    report, errors = directory / "report", directory / "errors"
    for name in "kernel.log", "words.log":
        (directory / name).unlink(missing_ok=True)
    with report.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   preexec_fn=end_with_parent)
        try:
            status = watch(process, boot, directory)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
    return judge.Outcome(status, text_of(directory / "words.log"),
                         text_of(directory / "kernel.log"), text_of(report), text_of(errors),
                         time.monotonic() - begin)


def command_of(boot, linux, options, directory, files, window):
    """What starts the machine of @boot."""
    append = " ".join([boot.append, *[f"only={options.only}"] * bool(options.only)])
    if boot.machine == "virt":
        command, place = virt.qemu(directory, linux.image, files, append), []
    else:
        command = machine.qemu(directory, linux.image, files, append, boot.cpu, window,
                               boot.serve is not None)
        place = ["--vtd", "--window", f"{window:#x}"]
    if boot.serve is None:
        return command
    return [str(options.build / "cli/iopf"), "serve", *place, "--json", *boot.serve,
            "--memory-mib", str(machine.MEMORY_MIB), "--seconds", str(boot.seconds + 5),
            *["--break", options.broken] * bool(options.broken),
            "--record", str(directory / "recording"), "--", *command]


def verdict_of(boot, options, directory):
    """What `iopf judge` says of the recording. A machine that was stopped leaves a part."""
    if boot.serve is None:
        return ""
    done = subprocess.run([options.build / "cli/iopf", "judge", "--json",
                           *["--whole"] * (boot.end == "verdict"), directory / "recording"],
                          capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def played(boot, linux, options, directory):
    """
    Starts @boot's machine and gives what came of it. A second time where its first process
    was not reached (emulation rarely loses a kernel that patches itself while it boots), and
    where the firmware put our window elsewhere.
    """
    files = options.workshop.files(boot, linux)
    window, outcome = machine.WINDOW, None
    for attempt in 1, 2:
        while True:
            command = command_of(boot, linux, options, directory, files, window)
            outcome = dataclasses.replace(start(boot, command, directory),
                                          verdict=verdict_of(boot, options, directory))
            elsewhere = re.search(r"window is at (0x[0-9a-f]+), not at", outcome.errors)
            if elsewhere is None or int(elsewhere[1], 16) == window:
                break
            window = int(elsewhere[1], 16)
        if outcome.reached_init() or outcome.status == 3:
            break
        if attempt == 1:
            say(f"{boot.name}: the guest ended before its first process, after "
                f"{outcome.seconds:.0f} s; once more")
    return outcome


def keep(options, name, directory):
    """Logs that were asked for go where the build is."""
    place = options.build / "linux" / re.sub(r"\W+", "-", f"{options.lane}-{name}")
    place.mkdir(parents=True, exist_ok=True)
    for log in "kernel.log", "words.log", "report", "errors", "recording":
        if (directory / log).exists():
            shutil.copy(directory / log, place / log)
    say(f"logs of '{name}': {place}")


@functools.cache
def kernel_of(name):
    try:
        return kernel.KERNELS[name]()
    except kernel.Failed as error:
        raise kernel.Missing(str(error)) from error


def play(boot, name, options):
    """Starts @boot on the kernel @name. Returns: its cases, a title, what came of it."""
    linux = kernel_of(name)
    with tempfile.TemporaryDirectory(dir=options.workshop.directory) as path:
        directory = pathlib.Path(path)
        outcome = played(boot, linux, options, directory)
        if options.keep_log:
            keep(options, boot.name, directory)
    if outcome.status == 3:
        raise kernel.Missing(outcome.errors.strip())
    title = f"{options.lane}, {boot.name}: {linux}, {outcome.seconds:.1f} s"
    return judge.judged(boot, outcome), title, outcome


def play_lane(options):
    """Returns: how many cases hold, and how many do not."""
    passed = failed = 0
    for boot in lanes.boots(options.lane, options.boot, options.only):
        cases, title, outcome = play(boot, boot.kernel or options.lane, options)
        good, bad = judge.show(title, cases)
        passed, failed = passed + good, failed + bad
        if bad:
            print("\n".join(["the end of the kernel's log:", *outcome.log.splitlines()[-12:]]))
    return passed, failed


def play_broken(options):
    """
    Each case that needs what the host leaves out must fail, by what it saw. Each in a
    machine of its own: what is left out damages what comes after.
    """
    cases = []
    boots, options.only = lanes.needing(options.lane, options.broken, options.only), None
    for boot in boots:
        boot = dataclasses.replace(boot, append=f"{boot.append} only={boot.name}")
        said, _, _ = play(boot, boot.kernel or options.lane, options)
        why = next((case.why for case in said if case.name == boot.name), judge.NOT_BACK)
        seen = why not in (None, judge.NOT_BACK)
        cases.append(judge.Case(f"{boot.name}, without {options.broken}",
                                None if seen else why or "holds all the same",
                                hosts=[why] * seen))
    return judge.show(f"{options.lane}, a host that breaks {options.broken}", cases)


def play_proofs(options):
    """Each proof is a guest that must not pass."""
    cases = []
    for boot, wanted in lanes.PROOFS:
        said, _, _ = play(boot, "guest", options)
        text = "\n".join(f"{case.name}: {case.why}" for case in said if case.why is not None)
        why = None if re.search(wanted, text) else f"{wanted!r} is not in: {text}"
        cases.append(judge.Case(f"{boot.name} is seen", why))
    return judge.show("the lane itself", cases)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lane", choices=lanes.LANES)
    parser.add_argument("only", nargs="?", metavar="PATTERN[,PATTERN...]",
                        help="only the cases whose names match")
    parser.add_argument("--only", dest="only_option", help=argparse.SUPPRESS)
    parser.add_argument("--boot", metavar="TEXT", default="",
                        help="only starts with TEXT in their names")
    parser.add_argument("--break", dest="broken", choices=["invalidations"],
                        help="the host leaves this out: the cases that need it must fail")
    parser.add_argument("--keep-log", action="store_true", help="logs stay in BUILD/linux")
    parser.add_argument("--self-test", action="store_true",
                        help="guests that must not pass: does the lane see each?")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="meson's build directory (default: build)")
    options = parser.parse_args()
    options.only = options.only or options.only_option
    options.build = options.build.resolve()
    return options


def needed(lane):
    """The programs without which @lane cannot be played."""
    if any(boot.machine == "virt" for boot in lanes.LANES[lane]):
        return "make", "aarch64-linux-gnu-gcc", "qemu-system-aarch64", "dtc"
    return "make", "gcc", "qemu-system-x86_64", "iasl"


def main():
    options = arguments()
    kernel.end_on_signals()
    try:
        for program in needed(options.lane):
            if shutil.which(program) is None:
                raise kernel.Missing(f"no program {program}: tools/setup.sh linux arm64")
        if not (options.build / "cli/iopf").exists():
            raise kernel.Missing(f"no {options.build}/cli/iopf: make")
        way = play_proofs if options.self_test else play_broken if options.broken else play_lane
        with tempfile.TemporaryDirectory(prefix="iopf-linux-") as directory:
            options.workshop = Workshop(options.build, pathlib.Path(directory))
            passed, failed = way(options)
    except kernel.Missing as error:
        say(error)
        return 1 if isinstance(error, kernel.Failed) else 3
    if passed + failed == 0:
        say(f"no case of '{options.only or '*'}' in starts of '{options.boot or '*'}'")
        return 2
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
