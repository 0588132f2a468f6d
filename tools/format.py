#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""format.py [--check] [FILE...] - clang-format for spacing and indentation.

Where a line breaks, what is aligned in columns and how a macro is laid out stays the
author's choice. --check changes nothing, shows what would change, exits 1 if anything.
"""
import concurrent.futures
import difflib
import pathlib
import re
import subprocess
import sys


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def plain(line):
    """Without columns; and clang-format takes some products and masks for pointers."""
    line = re.sub(r"(?<=\S)[ \t]{2,}|(?<=\S)[ \t]*(?=/\*)", " ", line)
    return re.sub(r"^\s+\*", " *", re.sub(r"(?<=\w) ?([*&]) ?(?=\w)", r"\1", line))


def broken_elsewhere(lines, wanted):
    """The same text with other line breaks."""
    def words(some):
        return [re.findall(r"\w+|[^\w\s]", line) for line in some]
    return words(lines) != words(wanted) and sum(words(lines), []) == sum(words(wanted), [])


def in_macro(lines, start, end):
    """Are all of these lines part of a #define?"""
    while start > 0 and lines[start - 1].endswith("\\"):
        start -= 1
    return all(line.startswith("#define") or before.endswith("\\")
               for before, line in zip(["", *lines][start:end], lines[start:end]))


def formatted(name):
    """The lines of @name as they are, and as they should be."""
    lines = pathlib.Path(name).read_text().splitlines()
    wanted = output("clang-format", name).splitlines()
    matcher = difflib.SequenceMatcher(None, [*map(plain, lines)], [*map(plain, wanted)], False)
    result = []
    for kind, start, end, wanted_start, wanted_end in matcher.get_opcodes():
        mine, other = lines[start:end], wanted[wanted_start:wanted_end]
        keep = kind == "equal" or broken_elsewhere(mine, other) or (
            mine and in_macro(lines, start, end))
        result += mine if keep else other
    return lines, result


check = "--check" in sys.argv
names = [name for name in sys.argv[1:] if name != "--check"] or [
    name for name in output("git", "ls-files", "--cached", "--others", "--exclude-standard",
                            "*.c", "*.h").split() if pathlib.Path(name).exists()]
changed = False
with concurrent.futures.ThreadPoolExecutor() as pool:
    for name, (lines, result) in zip(names, pool.map(formatted, names)):
        if lines != result:
            changed = True
            if check:
                print(*difflib.unified_diff(lines, result, name, name, lineterm=""), sep="\n")
            else:
                pathlib.Path(name).write_text("\n".join(result) + "\n")
                print(f"formatted {name}")
sys.exit(check and changed)
