# SPDX-License-Identifier: BSD-3-Clause
"""virt.py - the arm64 machine: QEMU's "virt" with an SMMUv3 and a device of ours.

QEMU proxies no device there: registers are the last MiB of the machine's memory, which the
kernel is told to leave alone, and `iopf serve --smmuv3` looks at them in turn.
"""
import re
import subprocess

import machine

BASE = 0x40000000
OURS = BASE + (machine.MEMORY_MIB - 1) * 0x100000  # as `iopf serve --smmuv3` has it
DEVICE = OURS + 0x20000
MACHINE = "virt,gic-version=2,memory-backend=memory"
# Its addresses have 48 bits, as many as the SMMU's: else Linux binds no process.
CPU = "neoverse-n1"
KERNEL_LINE = (f"console=ttyAMA0 panic=-1 nokaslr mem={machine.MEMORY_MIB - 1}M "
               f"device={DEVICE:#x}")

# Interrupts are messages to the frame that makes them lines of the interrupt controller.
NODES = """
	smmu: smmu@%(smmu)x {
		compatible = "arm,smmu-v3";
		reg = <0 0x%(smmu)x 0 0x20000>;
		msi-parent = <%(frame)s>;
		#iommu-cells = <1>;
		dma-coherent;
	};
	engine@%(device)x {
		compatible = "libiopf,engine";
		reg = <0 0x%(device)x 0 0x10000>;
		iommus = <&smmu 1>;
		dma-can-stall;
		pasid-num-bits = <16>;
		dma-coherent;
	};
"""


def run(*command):
    return subprocess.run([*map(str, command)], check=True, text=True, capture_output=True).stdout


def tree(directory):
    """QEMU's own device tree with our nodes in it. Returns: its path."""
    base, source, made = (directory / name for name in ("base.dtb", "virt.dts", "virt.dtb"))
    run("qemu-system-aarch64", "-machine",
        f"{MACHINE.removesuffix(',memory-backend=memory')},dumpdtb={base}", "-cpu", CPU,
        "-smp", "2", "-m", machine.MEMORY_MIB, "-nodefaults", "-display", "none")
    text = run("dtc", "-q", "-I", "dtb", "-O", "dts", base)
    frame = re.search(r"v2m@.*?phandle = <(\w+)>", text, re.S)[1]
    end = text.rindex("};")
    source.write_text(text[:end] + NODES % {"smmu": OURS, "device": DEVICE, "frame": frame}
                      + text[end:])
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", made, source)
    return made


def qemu(directory, image, files, append=""):
    """As machine.qemu()."""
    (directory / "initramfs").write_bytes(machine.initramfs(files))
    return ["qemu-system-aarch64", "-machine", MACHINE, "-accel", "tcg,thread=multi",
            "-cpu", CPU, "-smp", "2", "-m", str(machine.MEMORY_MIB),
            "-object", f"memory-backend-file,id=memory,size={machine.MEMORY_MIB}M,"
            "mem-path=@memory@,share=on",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", f"file:{directory}/kernel.log",
            "-chardev", f"file,id=words,path={directory}/words.log",
            "-device", "pci-serial,chardev=words",
            "-chardev", "socket,id=qtest,fd=@qtest@", "-qtest", "chardev:qtest",
            "-qtest-log", "/dev/null", "-dtb", str(tree(directory)),
            "-kernel", str(image), "-initrd", f"{directory}/initramfs",
            "-append", f"{KERNEL_LINE} {append}".strip()]
