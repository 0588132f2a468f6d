# SPDX-License-Identifier: BSD-3-Clause
"""lanes.py - what each lane starts, and which programs and modules take part in it."""
import dataclasses
import fnmatch
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


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
    seconds: int = 100
    beside: tuple = ()     # programs in /bin, for others to start
    breaks: tuple = ()     # rules that the kernel is known to break: docs/linux-findings.md


LANES = {
    "guest": (
        Boot("5 levels", ("guest_engine", "guest_life", "guest_queue", "guest_random",
                          "guest_silence", "process", "process_life"),
             ("iopf_lane", "iopf_process"), ("--levels", "5")),
        Boot("4 levels, translated without a PASID",
             ("guest_engine", "guest_queue", "process", "process_life"),
             ("iopf_lane", "iopf_process"), ("--levels", "4"), append="no5lvl iommu=nopt",
             cpu="max,la57=off"),
        Boot("newest kernel", ("guest_engine", "guest_life", "guest_queue", "guest_random",
                               "guest_silence", "process", "process_life"),
             ("iopf_lane", "iopf_process"), ("--levels", "5"), kernel="host"),
        Boot("restarts with groups open", ("guest_end",), ("iopf_lane",), (),
             append="end=reboot", end="silent"),
        Boot("killed with groups open", ("guest_end",), ("iopf_lane",), (),
             append="end=kill", end="killed"),
    ),
    "host": (
        Boot("nested", ("host_faults", "host_detach", "host_silence", "host_hardware",
                        "host_chain"), (),
             ("--as-hardware", "--functions", "2"),
             append="iommufd.allow_unsafe_interrupts=1", beside=("vmm",),
             breaks=("PRI-ONE-RESPONSE",)),
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
    "host_hardware": ("tests/linux/host_hardware.c", "examples/vmm_kernel.c"),
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


def sources(program):
    """The files of @program, from the root of the tree."""
    return SOURCES.get(program, (f"tests/linux/{program}.c",))


def cases(program):
    """{name: text} of the cases in @program."""
    text = (ROOT / sources(program)[0]).read_text()
    return dict(re.findall(r"^CASE\((\w+)\)\n\{\n(.*?)^\}", text, re.M | re.S))


def wanted(name, patterns):
    """As case.h has it: one of several @patterns, or none at all."""
    return not patterns or any(fnmatch.fnmatchcase(name, pattern)
                               for pattern in patterns.split(","))


def boots(lane, text, only):
    """The starts of @lane with @text in their names that have cases of the patterns @only."""
    for boot in LANES[lane]:
        names = [name for program in boot.programs for name in cases(program)]
        if text in boot.name and any(wanted(name, only) for name in names):
            yield boot


def needing(lane, word, only):
    """A start for each case of @lane that says NEEDS(@word), with that case alone in it."""
    found = {}
    for boot in LANES[lane]:
        for program in boot.programs:
            for name, text in cases(program).items():
                if f"NEEDS({word})" in text and wanted(name, only):
                    found.setdefault(name, dataclasses.replace(boot, name=name,
                                                               programs=(program,)))
    return found.values()
