#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""linux_lane.py - what tests/linux/ decides without a kernel: what is read, kept and built.

What needs guests, its --self-test does."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "linux"))
import cases
import judge
import kernel
import lanes
import machine

scratch = tempfile.TemporaryDirectory()
kernel.CACHE = pathlib.Path(scratch.name)
BOOT = lanes.Boot("a start", ("program",))
GOOD = "init: 6.12\nbegin: a\nnote: seen\nhost: done\ncase: a: ok\ninit: 0 failed\n"


def outcome(words=GOOD, log="", status=33, report="", errors=""):
    return judge.Outcome(status, words, log, report, errors, 1.0)


def reasons(**words):
    """{case: why it does not hold} of one start."""
    return {case.name: case.why for case in judge.judged(BOOT, outcome(**words))
            if case.why is not None}


def soon(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def a_case_has_what_was_said_while_it_ran():
    case, = judge.spoken(GOOD)
    assert (case.name, case.why, case.notes, case.hosts) == ("a", None, ["seen"], ["done"])


def a_good_start_is_good():
    assert reasons() == {}


def a_case_that_fails_says_where():
    bad = reasons(words="init: 6.12\nbegin: a\ncase: a: FAILED f.c:1 no\ninit: 1 failed\n")
    assert bad == {"a": "f.c:1 no"}, bad


def a_case_that_does_not_come_back_did_not_hold():
    bad = reasons(words="init: 6.12\nbegin: a\n", status=None)
    assert bad["a"] == "did not come back" and "not done" in bad["the guest comes to its end"]


def a_program_that_fails_without_a_word_is_seen():
    bad = reasons(words=GOOD.replace("0 failed", "1 failed"))
    assert "did not say why" in bad["the guest comes to its end"]


def a_guest_without_verdict_is_seen():
    assert "the guest comes to its end" in reasons(words=GOOD.replace("init: 0 failed\n", ""))


def complaints_of_a_kernel_are_seen():
    for line in ("WARNING: at f+0x1", "BUG: unable to handle", "Oops: 0002", "Kernel panic - x",
                 "refcount_t: underflow", "INFO: task a blocked for more than 30 seconds"):
        assert line in reasons(log=f"[ 1.0] {line}\n")["the kernel does not complain"], line
    assert reasons(log="[ 1.0] Warning: unable to open an initial console.\n") == {}


def an_archive_holds_its_files():
    archive = machine.initramfs({"init": b"\x7fELF", "modules/a.ko": b"12345"})
    assert archive.startswith(b"070701") and len(archive) % 4 == 0
    assert b"modules/a.ko\0" in archive and archive.endswith(b"TRAILER!!!\0\0\0\0")


def a_wish_that_a_kernel_drops_is_named():
    config = pathlib.Path(scratch.name, "config")
    config.write_text(kernel.X86.fragment.read_text())
    assert kernel.dropped("7.3", kernel.X86, config) == set()
    config.write_text(kernel.X86.fragment.read_text().replace("CONFIG_IOMMUFD=y\n", "")
                      .replace("# CONFIG_STRICT_DEVMEM is not set", "CONFIG_STRICT_DEVMEM=y")
                      .replace("CONFIG_DEBUG_GENERIC_PT=y\n", ""))
    lost = {"CONFIG_IOMMUFD", "CONFIG_STRICT_DEVMEM"}
    assert kernel.dropped("6.12", kernel.X86, config) == lost  # the third it does not know
    assert kernel.dropped("7.3", kernel.X86, config) == lost | {"CONFIG_DEBUG_GENERIC_PT"}


def a_build_that_breaks_off_leaves_nothing():
    place = kernel.CACHE / "kernel" / "broken"

    def make(growing):
        (growing / "half").touch()
        raise KeyboardInterrupt

    try:
        kernel.cached(place, make)
    except KeyboardInterrupt:
        pass
    assert not list((kernel.CACHE / "kernel").iterdir())


def several_runs_at_once_build_once():
    place, count = kernel.CACHE / "kernel" / "once", kernel.CACHE / "count"

    def make(growing):
        with count.open("a") as file:
            file.write("x")
        time.sleep(0.2)
        (growing / "image").touch()

    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            try:
                kernel.cached(place, make)
            finally:
                os._exit(0 if (place / "image").exists() else 1)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    assert count.read_text() == "x"


def what_nobody_used_for_a_month_goes():
    old, place = kernel.CACHE / "kernel" / "old", kernel.CACHE / "kernel" / "new"
    old.mkdir(parents=True)
    os.utime(old, (time.time() - 31 * 86400,) * 2)
    kernel.cached(place, lambda growing: None)
    assert place.exists() and not old.exists()


def words_of(pid):
    """The command line of a process; nothing where it is no more."""
    try:
        return pathlib.Path("/proc", pid, "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def what_was_run_ends_with_who_ran_it_even_if_killed():
    said = kernel.CACHE / "pid"
    code = (f"import sys; sys.path.insert(0, {str(pathlib.Path(kernel.__file__).parent)!r}); "
            f"import kernel; kernel.run('sh', '-c', 'echo $$ >{said}; exec sleep 60')")
    process = subprocess.Popen([sys.executable, "-c", code])
    soon(lambda: said.exists() and said.read_text().endswith("\n"))
    pid = said.read_text().strip()
    soon(lambda: b"60" in words_of(pid))
    process.kill()
    process.wait()
    soon(lambda: b"60" not in words_of(pid))


def what_is_missing_is_said_with_how_to_get_it():
    lane_py = lanes.ROOT / "tests/linux/lane.py"
    done = subprocess.run([sys.executable, lane_py, "guest"], capture_output=True, text=True,
                          env={"PATH": "/nowhere", "HOME": scratch.name})
    assert done.returncode == 3 and "tools/setup.sh linux" in done.stderr, done


sys.exit(cases.play([a_case_has_what_was_said_while_it_ran, a_good_start_is_good,
                     a_case_that_fails_says_where, a_case_that_does_not_come_back_did_not_hold,
                     a_program_that_fails_without_a_word_is_seen, a_guest_without_verdict_is_seen,
                     complaints_of_a_kernel_are_seen, an_archive_holds_its_files,
                     a_wish_that_a_kernel_drops_is_named, a_build_that_breaks_off_leaves_nothing,
                     several_runs_at_once_build_once, what_nobody_used_for_a_month_goes,
                     what_was_run_ends_with_who_ran_it_even_if_killed,
                     what_is_missing_is_said_with_how_to_get_it]))
