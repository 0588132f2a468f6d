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
import fnmatch
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import kernel
import machine
import virt

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
INIT_SECONDS = 30  # until the guest's first process is there; two or three are usual
PR_SET_PDEATHSIG = 1

COMPLAINT = re.compile(r"WARNING:|BUG:|\bOops|Kernel panic|general protection|refcount_t:|"
                       r"KASAN|blocked for more than|detected stall|Blocked re-entrant IO")


@dataclasses.dataclass(frozen=True)
class Boot:
    """One start of the machine: what runs in it, what it is, how it has to end."""
    name: str
    programs: tuple
    modules: tuple = ()
    serve: tuple = None    # options of `iopf serve`; without them QEMU is alone
    kernel: str = ""       # of kernel.KERNELS, where it is not the lane's name
    append: str = ""       # to the kernel's command line
    cpu: str = "max"
    machine: str = "q35"   # or: "virt", of arm64
    end: str = "verdict"   # or: "silent" restarts, "killed" when its words say "open"
    seconds: int = 60
    beside: tuple = ()     # programs in /bin, for others to start


LANES = {
    "guest": (
        Boot("5 levels", ("guest_engine", "guest_life", "guest_queue", "guest_silence",
                          "process", "process_life"),
             ("iopf_lane", "iopf_process"), ("--levels", "5")),
        Boot("4 levels", ("guest_engine", "process", "process_life"),
             ("iopf_lane", "iopf_process"), ("--levels", "4"), append="no5lvl",
             cpu="max,la57=off"),
        Boot("newest kernel", ("guest_engine", "guest_life", "guest_queue"),
             ("iopf_lane",), ("--levels", "5"), kernel="host"),
        Boot("processes bound by the newest kernel", ("process", "process_life"),
             ("iopf_process",), ("--levels", "5"), kernel="host"),
        Boot("restarts with groups open", ("guest_end",), ("iopf_lane",), (),
             append="end=reboot", end="silent"),
        Boot("killed with groups open", ("guest_end",), ("iopf_lane",), (),
             append="end=kill", end="killed"),
    ),
    "host": (
        Boot("nested", ("host_faults", "host_detach", "host_silence", "host_chain"), (),
             ("--as-hardware", "--functions", "2"),
             append="iommufd.allow_unsafe_interrupts=1", beside=("vmm",)),
    ),
    "mock": (
        Boot("newest", ("mock", "mock_end", "mock_load", "mock_source"), ("iopf_mock",),
             kernel="host"),
        Boot("6.12", ("mock", "mock_end", "mock_load", "mock_source"), ("iopf_mock",),
             kernel="mock"),
    ),
    "stall": (
        Boot("a process's own tables", ("stall",), ("iopf_stall",), ("--smmuv3",),
             machine="virt"),
    ),
}

# Programs of more than one file, or of another folder.
SOURCES = {
    "vmm": ("examples/vmm.c", "examples/vmm_kernel.c", "examples/vmm_guest.c"),
    "host_faults": ("tests/linux/host_faults.c", "examples/vmm_kernel.c"),
    "host_detach": ("tests/linux/host_detach.c", "examples/vmm_kernel.c"),
    "host_silence": ("tests/linux/host_silence.c", "examples/vmm_kernel.c"),
    "host_chain": ("tests/linux/host_chain.c", "examples/vmm_kernel.c"),
}

# The lane's own proofs: guests that must not pass, and what the lane has to say of them.
PROOFS = (
    (Boot("a wrong expectation", ("proof",), append="only=wrong_expectation"),
     r"wrong_expectation.*not so: 1 \+ 1 == 3"),
    (Boot("a warning of the kernel", ("proof",), ("iopf_proof",), append="only=holds"),
     r"the kernel does not complain.*WARNING:"),
    (Boot("a guest that hangs", ("proof",), append="only=hangs", seconds=15),
     r"hangs: did not come back"),
    (Boot("a program that crashes", ("proof",), append="only=crashes"),
     r"proof.*ended by signal"),
    (Boot("a guest that dies before its first process", ("proof",),
          append="rdinit=/missing init=/missing"), r"ended before its first process.*twice"),
    (Boot("a guest that restarts without a verdict", ("proof",), append="only=restarts"),
     r"restarts: did not come back"),
)


@dataclasses.dataclass
class Case:
    name: str
    why: str = None        # it does not hold; None where it does
    notes: list = dataclasses.field(default_factory=list)
    hosts: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Outcome:
    """What came of one start."""
    status: int            # of serve or QEMU; None: the time was over
    words: str             # of the programs
    log: str               # of the kernel
    report: str
    errors: str
    seconds: float

    def reached_init(self):
        return "init: " in self.words

    def said(self):
        """The report of `iopf serve`, where there is one."""
        try:
            return json.loads(self.report)
        except ValueError:
            return {}


def say(text):
    print(f"lane.py: {text}", file=sys.stderr, flush=True)


def end_with_parent():
    """A child of ours does not survive us, whatever ends us."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def sources(name):
    return SOURCES.get(name, (f"tests/linux/{name}.c",))


def compiled(name, linux, build, directory):
    """A static program. Returns: its bytes."""
    program, library = directory / name, build / "src/libiopf.a"
    folders = (HERE, HERE / "module", ROOT / "include", ROOT / "src", ROOT)
    gnu = ["-D_GNU_SOURCE"] * (name in SOURCES)  # sources of the tree are compiled with it
    kernel.run(f"{linux.tools}gcc", "-std=gnu11", *gnu, "-O2", "-g0", "-static", "-pthread",
               "-Wall", "-Wextra", "-Werror", *(f"-I{folder}" for folder in folders), "-isystem",
               linux.headers, *sources(name),
               *[library] * (library.exists() and not linux.tools), "-o", program, cwd=ROOT)
    return program.read_bytes()


def modules_of(boot, linux, directory):
    """Builds the modules of @boot for @linux. Returns: {path: bytes} for the initramfs."""
    if not boot.modules:
        return {}
    work = directory / "module"
    shutil.copytree(HERE / "module", work, dirs_exist_ok=True)
    # An empty option: Debian's kernels ask for a program that only debuggers need.
    kernel.run("make", "-s", "-C", linux.tree, f"M={work}", f"-j{os.cpu_count()}",
               *linux.options,
               f"iopf_modules={' '.join(boot.modules)}", "CONFIG_DEBUG_INFO_BTF_MODULES=",
               "modules")
    files = {}
    for name in boot.modules:
        kernel.run(f"{linux.tools}strip", "-g", work / f"{name}.ko")
        files[f"modules/{name}.ko"] = (work / f"{name}.ko").read_bytes()
    return files


def files_of(boot, linux, build, directory):
    """Everything of the initramfs. Programs run in the order of their names there."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        programs = list(pool.map(lambda name: compiled(name, linux, build, directory),
                                 ("init", *boot.programs, *boot.beside)))
    beside = {f"bin/{name}": program for name, program
              in zip(boot.beside, programs[1 + len(boot.programs):])}
    files = {f"programs/{number}-{name}": program for number, (name, program)
             in enumerate(zip(boot.programs, programs[1:]))}
    return {"init": programs[0], **modules_of(boot, linux, directory), **files, **beside}


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
        if boot.end == "killed" and not killed and re.search(r"^note: .*\bopen\b", words, re.M):
            kill_guest(process)
            killed = True
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
    return Outcome(status, text_of(directory / "words.log"), text_of(directory / "kernel.log"),
                   text_of(report), text_of(errors), time.monotonic() - begin)


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
            *["--break", options.broken] * bool(options.broken), "--", *command]


def played(boot, linux, options, directory):
    """
    Starts @boot's machine and gives what came of it. A second time where its first process
    was not reached (emulation rarely loses a kernel that patches itself while it boots), and
    where the firmware put our window elsewhere.
    """
    files = files_of(boot, linux, options.build, directory)
    window, outcome = machine.WINDOW, None
    for attempt in 1, 2:
        while True:
            command = command_of(boot, linux, options, directory, files, window)
            outcome = start(boot, command, directory)
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


NOT_BACK = "did not come back"


def spoken(words):
    """The cases that programs told of. One that was begun and is not there did not hold."""
    cases = []
    now = None
    for line in words.splitlines():
        word, _, rest = line.partition(": ")
        if word == "begin":
            now = Case(rest, NOT_BACK)
            cases.append(now)
        elif word == "case":
            name, _, verdict = rest.partition(": ")
            if now is None or now.name != name:  # init tells of a program that crashed
                now = Case(name)
                cases.append(now)
            now.why = None if verdict == "ok" else verdict.removeprefix("FAILED ")
        elif now and word in ("note", "host"):
            (now.notes if word == "note" else now.hosts).append(rest)
    return cases


def ended(boot, outcome, cases):
    """How the machine ended. Returns: what is wrong with it, or None."""
    if outcome.status is None:
        return f"not done after {outcome.seconds:.0f} s"
    if not outcome.reached_init():
        return "ended before its first process, twice"
    if boot.end != "verdict":
        end = outcome.said().get("program", {}).get("end")
        return None if end == boot.end else f"serve calls its end '{end}', not '{boot.end}'"
    verdict = re.search(r"^init: (\d+) failed", outcome.words, re.M)
    if verdict is None:
        return "ended without a verdict"
    if verdict[1] != "0" and all(case.why is None for case in cases):
        return "a program failed and did not say why"
    return None


def host_said(outcome):
    """What `iopf serve` says of its own: invariants, and what it counted."""
    case = Case("the host below keeps its promises")
    report = outcome.said()
    if not report:
        case.why = f"exit code {outcome.status}, no report: {outcome.errors.strip()[-400:]}"
        return case
    # How the machine ended is judged elsewhere.
    case.why = "\n".join(problem for problem in report["problems"]
                         if not problem.startswith("the program ")) or None
    window, invariants = report["window"], report.get("invariants", {})
    case.hosts.append(f"{window['reads']} reads and {window['writes']} writes of its window, "
                      f"{report['interrupts']['writes']} interrupts")
    if invariants:
        checks = sum(one["checked"] for one in invariants.values())
        case.hosts.append(f"{checks} checks of {', '.join(invariants)}")
    return case


def judged(boot, outcome, options):
    """Every case of one start: those of its programs, and what must hold of any."""
    cases = spoken(outcome.words)
    cases.append(Case("the guest comes to its end", ended(boot, outcome, cases)))
    complaints = [line.strip() for line in (outcome.log + outcome.errors).splitlines()
                  if COMPLAINT.search(line)]
    cases.append(Case("the kernel does not complain", "\n".join(complaints[:8]) or None))
    if boot.serve is not None:
        cases.append(host_said(outcome))
    return cases


def show(title, cases):
    print(f"\n{title}")
    for case in cases:
        print(f"{'ok' if case.why is None else 'FAILED':8}{case.name}")
        for word, lines in (("kernel", case.notes), ("host", case.hosts)):
            for line in lines:
                print(f"          {word + ':':8}{line}")
        if case.why is not None:
            print("\n".join(f"          {line}" for line in case.why.splitlines()))
    sys.stdout.flush()


def keep(options, name, directory):
    """Logs that were asked for go where the build is."""
    place = options.build / "linux" / re.sub(r"\W+", "-", f"{options.lane}-{name}")
    place.mkdir(parents=True, exist_ok=True)
    for log in "kernel.log", "words.log", "report", "errors":
        if (directory / log).exists():
            shutil.copy(directory / log, place / log)
    say(f"logs of '{name}': {place}")


def play(boot, name, options):
    """Returns: the cases of @boot, shown."""
    linux = options.kernels.get(name) or kernel.KERNELS[name]()
    options.kernels[name] = linux
    with tempfile.TemporaryDirectory(prefix="iopf-linux-") as path:
        directory = pathlib.Path(path)
        outcome = played(boot, linux, options, directory)
        if options.keep_log:
            keep(options, boot.name, directory)
    if outcome.status == 3:
        raise kernel.Missing(outcome.errors.strip())
    cases = judged(boot, outcome, options)
    title = f"{options.lane}, {boot.name}: {linux}, {outcome.seconds:.1f} s"
    return cases, title, outcome


def boots(options):
    """The starts of the lane that are wanted, with what there is for them."""
    for boot in LANES[options.lane]:
        there = tuple(name for name in boot.programs if (ROOT / sources(name)[0]).exists())
        if there and (options.boot is None or options.boot in boot.name):
            yield dataclasses.replace(boot, programs=there, modules=tuple(
                name for name in boot.modules if f"{name}-y" in (HERE / "module/Kbuild").read_text()
                or (HERE / f"module/{name}.c").exists()))


def play_lane(options):
    """Returns: how many cases held, and how many did not."""
    failed = passed = 0
    for boot in boots(options):
        cases, title, outcome = play(boot, boot.kernel or options.lane, options)
        show(title, cases)
        bad = sum(case.why is not None for case in cases)
        passed, failed = passed + len(cases) - bad, failed + bad
        if bad and not options.keep_log:
            print("\n".join(["the end of the kernel's log:", *outcome.log.splitlines()[-12:]]))
    return passed, failed


def needing(boot, word):
    """The cases of @boot's programs that say NEEDS(@word). Gives: program, case."""
    for program in boot.programs:
        text = (ROOT / sources(program)[0]).read_text()
        for name, body in re.findall(r"^CASE\((\w+)\)\n\{\n(.*?)^\}", text, re.M | re.S):
            if f"NEEDS({word})" in body:
                yield program, name


def play_broken(options):
    """
    Each case that needs what the host leaves out must see so. Each in a machine of its own:
    what is left out damages what comes after.
    """
    wanted = {}
    for boot in boots(options):
        for program, name in needing(boot, options.broken):
            if options.only is None or fnmatch.fnmatch(name, options.only):
                wanted.setdefault(name, dataclasses.replace(boot, name=name, programs=(program,)))
    cases = []
    for name, boot in wanted.items():
        options.only = name
        said, _, _ = play(boot, boot.kernel or options.lane, options)
        why = next((case.why for case in said if case.name == name), "was not played")
        seen = why not in (None, NOT_BACK, "was not played")
        cases.append(Case(f"{name}, without {options.broken}",
                          None if seen else why or "holds all the same", hosts=[why] * seen))
    show(f"{options.lane}, a host that breaks {options.broken}", cases)
    bad = sum(case.why is not None for case in cases)
    return len(cases) - bad, bad


def play_proofs(options):
    """Each proof is a guest that must not pass."""
    cases = []
    for boot, wanted in PROOFS:
        said, _, _ = play(boot, "guest", options)
        text = "\n".join(f"{case.name}: {case.why}" for case in said if case.why is not None)
        cases.append(Case(f"{boot.name} is seen",
                          None if re.search(wanted, text) else f"{wanted!r} is not in: {text}"))
    show("the lane itself", cases)
    bad = sum(case.why is not None for case in cases)
    return len(cases) - bad, bad


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lane", choices=LANES)
    parser.add_argument("only", nargs="?", metavar="PATTERN[,PATTERN...]",
                        help="only the cases whose names match")
    parser.add_argument("--only", dest="only_option", help=argparse.SUPPRESS)
    parser.add_argument("--boot", metavar="TEXT", help="only starts with TEXT in their names")
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
    options.kernels = {}
    return options


def main():
    options = arguments()
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        for program in "qemu-system-x86_64", "iasl", "gcc", "make":
            if shutil.which(program) is None:
                raise kernel.Missing(f"no program {program}: tools/setup.sh linux")
        way = play_proofs if options.self_test else play_broken if options.broken else play_lane
        passed, failed = way(options)
    except kernel.Missing as error:
        say(error)
        return 3
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
