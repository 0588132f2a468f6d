#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check-style.py - sizes, first lines, unfinished work, C bitfields. See CONTRIBUTING.md."""
import pathlib
import re
import subprocess
import sys

FUNCTION_LINES, FILE_LINES, LINE_COLUMNS = 70, 600, 100
# A family is one file in each room; its file in queue/ holds both ends of the queues, each
# written against the other's registers and bits.
BOTH_ENDS, BOTH_ENDS_LINES = re.compile(r"src/queue/(amd|riscv|smmuv2)\.c"), 760
LICENCE = re.compile(r"SPDX-License-Identifier: BSD-3-Clause")
MODULE_LICENCE = re.compile(r"SPDX-License-Identifier: \(?GPL-2\.0\b")  # its folder
UNFINISHED = re.compile(r"\b(TODO|FIXME|XX" r"X)\b")
BITFIELD = re.compile(r"^\s+(?:const |unsigned |signed |enum )*\w+\s+\w*\s*:\s*\d+\s*;")
CODE = (".c", ".h", ".py", ".sh")

root = pathlib.Path(__file__).resolve().parent.parent
wrong = []


def check_lines(name, lines):
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > LINE_COLUMNS:
            wrong.append(f"{name}:{number}: over {LINE_COLUMNS} columns")
        if UNFINISHED.search(line) and name != "tools/check-style.py":
            wrong.append(f"{name}:{number}: unfinished: {line.strip()}")
        if name.startswith(("include/", "src/")) and BITFIELD.match(line):
            wrong.append(f"{name}:{number}: a C bitfield: {line.strip()}")


def check_functions(name, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES:
                wrong.append(f"{name}:{start}: a function of {number - start - 1} lines, "
                             f"the limit is {FUNCTION_LINES}")
            start = None


files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                       cwd=root, capture_output=True, text=True, check=True).stdout.split()
for name in sorted(set(files)):
    path = root / name
    if not name.endswith(CODE) or not path.exists():
        continue
    lines = path.read_text().splitlines()
    licence = MODULE_LICENCE if name.startswith("tests/linux/module/") else LICENCE
    if not any(licence.search(line) for line in lines[:1 if name.endswith((".c", ".h")) else 2]):
        wrong.append(f"{name}:1: the first line is not the licence: {licence.pattern}")
    limit = BOTH_ENDS_LINES if BOTH_ENDS.fullmatch(name) else FILE_LINES
    if len(lines) > limit:
        wrong.append(f"{name}: {len(lines)} lines, the limit is {limit}")
    check_lines(name, lines)
    if name.endswith((".c", ".h")):
        check_functions(name, lines)
sys.exit("\n".join(wrong) or 0)
