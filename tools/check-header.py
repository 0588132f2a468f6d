#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check-header.py LIBRARY.so - public headers, version map and library say the same.

Every function and object of include/iopf/*.h has a comment above it (one comment may
stand above several that follow each other without an empty line), begins with iopf_,
stands in libiopf.map and is exported by the library; the library exports nothing else.
"""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
wrong, declared = [], {}


def declarations(text):
    """(declaration, is there a comment above it) for all functions and objects."""
    text = re.sub(r"/\*.*?\*/", "@", text, flags=re.S)
    text = re.sub(r'(?m)^(#(.*\\\n)*.*|extern "C" \{|\})$', "", text)
    while "{" in text:
        text = re.sub(r"\{[^{}]*\}", "", text)
    for block in re.split(r"\n\s*\n", text):
        commented = False
        for code in block.split(";"):
            commented = commented or "@" in code
            code = code.replace("@", " ").strip()
            if code and not re.match(r"(struct|enum|union) \w+$|typedef|static", code):
                yield code, commented


for header in sorted(root.glob("include/iopf/*.h")):
    for code, commented in declarations(header.read_text()):
        name = re.search(r"(\w+)\s*(\(|\[|$)", code)[1]
        declared[name] = f"{header.relative_to(root)}: {name}"
        if not commented:
            wrong.append(f"{declared[name]} has no comment")
        if not name.startswith("iopf_"):
            wrong.append(f"{declared[name]} does not begin with iopf_")

mapped = set(re.findall(r"^\s(\w+);", (root / "libiopf.map").read_text(), re.M))
symbols = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], text=True,
                         capture_output=True, check=True).stdout
exported = {line.split()[2].split("@")[0] for line in symbols.splitlines()} - {"LIBIOPF_0.1"}
for name in sorted(declared.keys() | mapped | exported):
    if name not in declared:
        wrong.append(f"{name}: in libiopf.map or in the library, but in no public header")
    elif name not in mapped:
        wrong.append(f"{declared[name]}; is missing in libiopf.map")
    elif name not in exported:
        wrong.append(f"{declared[name]} is not in the library")
sys.exit("\n".join(wrong) or 0)
