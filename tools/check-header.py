#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check-header.py DIRECTORY - public headers, version map and library say the same.

Every function and object of include/iopf/*.h has a comment above it (one comment may
stand above several that follow each other without an empty line), begins with iopf_,
stands in libiopf.map and is exported by libiopf.so and libiopf.a in DIRECTORY, which
export nothing else.
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
    text = re.sub(r'(?m)^(#(.*\\\n)*.*|extern "C" \{)$', "", text)
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", "", text)
    text = text.replace("}", "")  # of extern "C"
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


def exported(file, *options):
    lines = subprocess.run(["nm", *options, "--defined-only", pathlib.Path(sys.argv[1], file)],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    words = [line.split() for line in lines]
    return {row[2].split("@")[0] for row in words if len(row) == 3 and row[1] != "A"}


shared, static = exported("libiopf.so", "-D"), exported("libiopf.a", "-g")
for name in sorted(declared.keys() | mapped | shared | static):
    if name not in declared:
        wrong.append(f"{name}: in libiopf.map or in a library, but in no public header")
    elif name not in mapped:
        wrong.append(f"{declared[name]}; is missing in libiopf.map")
    elif name not in shared & static:
        wrong.append(f"{declared[name]} is not in the libraries")
sys.exit("\n".join(wrong) or 0)
