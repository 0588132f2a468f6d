# SPDX-License-Identifier: BSD-3-Clause
"""machine.py - the machine that both lanes' kernels run on: QEMU's q35 with our own window.

One memory BAR of a proxied PCI device, the window, holds everything that is ours: each
access of the guest to it waits for `iopf serve`. ACPI tells the kernel what lies where.
"""
import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent

# The window, as `iopf serve` decodes it. Where the firmware puts it depends on the machine
# only; serve says so when it is not here.
WINDOW = 0xfe400000
REGISTERS, ECAM, MEMORY = 0x000000, 0x100000, 0x200000
MEMORY_BYTES = 0x200000
MEMORY_MIB = 768
PROXY_SLOT = "1e.0"
VERDICT_PORT, YES = 0xf4, 2 * 0x10 + 1  # what init.c writes, what QEMU ends with then

KERNEL_LINE = ("console=ttyS0 panic=-1 nokaslr intel_iommu=on,sm_on iommu=pt intremap=off "
               "nox2apic")
# QEMU drops the second of two processors' accesses to one proxied device. With two of them,
# one asleep, locked instructions stay atomic towards a process outside.
ONE_OF_TWO = "maxcpus=1 noreplace-smp"


def dmar(window):
    """The DMAR table without its header: one unit for all of segment 1."""
    include_all, segment, address_width = 1, 1, 48
    unit = struct.pack("<HHBBHQ", 0, 16, include_all, 0, segment, window + REGISTERS)
    return struct.pack("<BB10x", address_width - 1, 0) + unit


def ssdt(window, directory):
    """Compiles ssdt.asl for @window. Returns: the path of the table."""
    values = {"ECAM": window + ECAM, "MEMORY": window + MEMORY,
              "MEMORY_LAST": window + MEMORY + MEMORY_BYTES - 1, "MEMORY_SIZE": MEMORY_BYTES}
    source = directory / "ssdt.asl"
    source.write_text("".join(f"#define {name} {value:#x}\n" for name, value in values.items())
                      + (HERE / "ssdt.asl").read_text())
    subprocess.run(["iasl", "-p", directory / "ssdt", source], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return directory / "ssdt.aml"


def initramfs(files):
    """A cpio archive ("newc", uncompressed) of {path: bytes}, with the directories it needs."""
    entries = {"dev": None, **{str(parent): None for name in files
                               for parent in reversed(pathlib.PurePath(name).parents)
                               if str(parent) != "."}, **files, "TRAILER!!!": b""}
    archive = bytearray()
    for inode, (name, data) in enumerate(entries.items(), 1):
        mode = 0o040755 if data is None else 0o100755
        links = 2 if data is None else 1
        fields = (inode, mode, 0, 0, links, 0, len(data or b""), 0, 0, 0, 0, len(name) + 1, 0)
        archive += b"070701" + b"".join(b"%08x" % field for field in fields)
        archive += name.encode() + b"\0"
        archive += bytes(-len(archive) % 4)
        archive += data or b""
        archive += bytes(-len(archive) % 4)
    return bytes(archive)


def qemu(directory, image, files, append="", cpu="max", window=WINDOW, served=True):
    """
    QEMU's command line; what it reads and writes lies in @directory: kernel.log (the kernel's
    console) and words.log (what programs say). @served: with guest memory, the proxied
    device and the interrupts of `iopf serve`, which fills in the words between @.
    """
    (directory / "initramfs").write_bytes(initramfs(files))
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", cpu, "-smp", "2",
               "-m", str(MEMORY_MIB), "-nodefaults", "-no-user-config", "-display", "none",
               "-no-reboot", "-serial", f"file:{directory}/kernel.log",
               "-serial", f"file:{directory}/words.log",
               "-device", f"isa-debug-exit,iobase={VERDICT_PORT:#x},iosize=4",
               "-kernel", str(image), "-initrd", f"{directory}/initramfs"]
    line = KERNEL_LINE
    if served:
        (directory / "dmar").write_bytes(dmar(window))
        command += ["-machine", "q35,memory-backend=memory",
                    "-object", f"memory-backend-file,id=memory,size={MEMORY_MIB}M,"
                    "mem-path=@memory@,share=on",
                    "-acpitable", "sig=DMAR,rev=1,oem_id=IOPFXX,oem_table_id=IOPFDMAR,"
                    f"data={directory}/dmar",
                    "-acpitable", f"file={ssdt(window, directory)}",
                    "-device", f"x-pci-proxy-dev,fd=@proxy@,addr={PROXY_SLOT}",
                    "-chardev", "socket,id=qtest,fd=@qtest@",
                    "-qtest", "chardev:qtest", "-qtest-log", "/dev/null"]
        line += " " + ONE_OF_TWO
    else:
        command += ["-machine", "q35"]
    return command + ["-append", f"{line} {append}".strip()]
