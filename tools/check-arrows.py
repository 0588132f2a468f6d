#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check-arrows.py - refuses an include that tools/arrows.txt does not allow, and cycles."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
rows = re.findall(r"^(\d) (\w+): *(.*)$", (root / "tools/arrows.txt").read_text(), re.M)
floor = {room: int(number) for number, room, _ in rows}
allowed = {room: words.split() for _, room, words in rows}
wrong = [f"arrows.txt: {room} may not stand on {word}" for room in floor
         for word in allowed[room] if floor.get(word, -1) >= floor[room]]
edges, done = {}, set()


def may(home, room, name):
    if home == "iopf" or room in ("", home):
        return room in ("", home)
    word = name if room == "iopf" else room
    words = allowed.get(home, [])
    return word in words or "below" in words and floor.get(word, -1) < floor[home]


def visit(file, above):
    if file in above:
        wrong.append("cycle: " + " -> ".join([*above[above.index(file):], file]))
    elif file not in done:
        for target in edges.get(file, []):
            visit(target, [*above, file])
        done.add(file)


include = re.compile(r'^\s*#\s*include\s*(?:"|<(?=iopf/))(?:(\w+)/)?([\w.-]+)')
for path in sorted(p for top in ("src", "cli", "include") for p in root.glob(f"{top}/**/*.[ch]")):
    home = path.parent.name
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if found := include.match(line):
            room, name = found[1] or "", found[2]
            edges.setdefault(f"{home}/{path.name}", []).append(f"{room or home}/{name}")
            if not may(home, room, name):
                wrong.append(f"{path.relative_to(root)}:{number}: not allowed: {line}")
for file in list(edges):
    visit(file, [])
sys.exit("\n".join(wrong) or 0)
