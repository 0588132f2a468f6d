#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check-docs.py - what the documents name exists, and the README's program is the example.

In every *.md: a path in `backquotes` exists (rooms may be named without src/ and files of
theirs without an ending), an `iopf_name` stands in a public header, a `make target` in the
Makefile, and after `tests/FILE`: each `case` is a test there. Words in capitals and
signs like < and * mark what is only a pattern. docs/adding-a-family.md says how to fill in
every member of a family's rows.
"""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
rooms = {path.name for path in (root / "src").iterdir() if path.is_dir()}
headers = "\n".join(path.read_text() for path in root.glob("include/iopf/*.h"))
targets = set(" ".join(re.findall(r"^([\w -]+):", (root / "Makefile").read_text(), re.M)).split())
wrong = []


def exists(name):
    if name.split("/")[0] in rooms:
        name = "src/" + name
    return any((root / (name + end)).exists() for end in ("", ".c", ".h"))


def check_word(where, word):
    word = word.removesuffix("()")
    if re.search(r"[<>*{}$\s]|[A-Z]{3}", word) and not word.startswith("make "):
        return
    if re.match(r"[\w.-]+/[\w./-]*$", word):
        if (root / word.split("/")[0]).is_dir() or word.split("/")[0] in rooms:
            if not exists(word):
                wrong.append(f"{where}: there is no {word}")
    elif re.match(r"iopf_\w+$", word):
        if not re.search(rf"\b{word}\b", headers):
            wrong.append(f"{where}: no public header has {word}")
    elif match := re.match(r"make ([a-z][a-z-]*)", word):
        if match[1] not in targets:
            wrong.append(f"{where}: the Makefile has no target {match[1]}")


def check_cases(where, line):
    match = re.search(r"`(tests/\w+\.(?:c|py))`: (.*)", line)
    if not match or not (root / match[1]).exists():
        return
    text = (root / match[1]).read_text()
    cases = set(re.findall(r"^(?:TEST\(|def )(\w+)", text, re.M))
    for case in re.findall(r"`(\w+)`", match[2]):
        if case not in cases:
            wrong.append(f"{where}: {match[1]} has no test {case}")


def check_rows():
    said = set(re.findall(r"`(\w+)`", (root / "docs/adding-a-family.md").read_text()))
    for header, row in (("table/family.h", "family"), ("table/family.h", "family_guest"),
                        ("queue/driver.h", "driver_family"),
                        ("queue/hardware.h", "hardware_family"),
                        ("model/iommu_state.h", "iommu_family")):
        text = (root / "src" / header).read_text()
        body = re.search(rf"^struct {row} {{\n(.*?)^}};", text, re.M | re.S)[1]
        body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
        for member in body.split(";")[:-1]:
            names = re.findall(r"\(\*(\w+)\)\(", member) or \
                re.findall(r"(\w+)(?:\[\w+\])?\s*(?=,|$)", member.strip())
            for name in names:
                if name not in said:
                    wrong.append(f"docs/adding-a-family.md: nothing of struct {row}.{name}")


def check_document(name):
    fenced = False
    for number, line in enumerate((root / name).read_text().splitlines(), 1):
        fenced ^= line.startswith("```")
        if fenced:
            continue
        for word in re.findall(r"`([^`]+)`", line):
            check_word(f"{name}:{number}", word)
        check_cases(f"{name}:{number}", line)


def check_readme():
    blocks = re.findall(r"^```c\n(.*?)^```$", (root / "README.md").read_text(), re.M | re.S)
    if (root / "examples/embed.c").read_text() not in blocks:
        wrong.append("README.md: no block is examples/embed.c, byte for byte")


files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
                       cwd=root, capture_output=True, text=True, check=True).stdout.split()
for file in sorted(set(files)):
    if (root / file).exists():
        check_document(file)
check_readme()
check_rows()
sys.exit("\n".join(wrong) or 0)
