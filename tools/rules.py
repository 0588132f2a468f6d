#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rules.py IOPF - docs/judge.md: what `IOPF judge --rules` says, as a document."""
import json
import subprocess
import sys

HEAD = """# The rules of the judge

`iopf judge` (docs/man/iopf-judge.1, `include/iopf/judge.h`) holds a recording against these
rules, and `iopf run`, `iopf serve` and the scenarios are held against them while they run. This
page is made by `tools/rules.py` from the program's own list; a test compares them.

- *Whose* says who broke a rule, if it does not hold: the `device`, the `iommu` (hardware, a
  virtual one, or the kernel in its place), the `host`, who answers, or the `record` itself.
- *At* says where it is held against what was seen: at the `function`'s end of the link, in the
  IOMMU's `queue`, in a `guest`'s own, at the `kernel`'s fault descriptor.
- Sources: PCIe is the PCI Express Base Specification 6.x, SMMUv3 Arm IHI 0070, SMMUv2 Arm IHI
  0062, VT-d Intel Virtualization Technology for Directed I/O, AMD the I/O Virtualization
  Technology specification, RISC-V the IOMMU Architecture specification, iommufd the user
  interface of Linux, libiopf what `ARCHITECTURE.md` promises.

| rule | what holds | source | whose | at | families |
|---|---|---|---|---|---|"""

rules = json.loads(subprocess.run([sys.argv[1], "judge", "--rules", "--json"],
                                  stdout=subprocess.PIPE, check=True).stdout)["rules"]
print(HEAD)
for rule in rules:
    print(f"| `{rule['id']}` | {rule['text']} | {rule['source']} | {rule['party']} | "
          f"{', '.join(rule['interfaces'])} | {', '.join(rule['families'])} |")
