#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pairs.py [--write] [IOPF] - plays every pair of families, and tells what each shows.

A pair is a host's IOMMU, how devices page behind it, and the IOMMU that guests see: all that
`iopf run --list` names. Each is a run of its own, with an honest guest and a hostile one, that
ends by count: when the honest one's device had its faults and the hostile one has tried all.
The verdict is that of the runs: data, credits, the invariants I1 to I10; that the honest guest
had the faults and the hostile one was refused; and that docs/pairs.md has these pairs. --write
writes it. All of them have a minute.
"""
import json
import pathlib
import subprocess
import sys
import time

FAULTS = 1000
LIMIT_S = 60
HONEST, HOSTILE = 0, 1  # places in a run's lists
root = pathlib.Path(__file__).resolve().parent.parent
page = root / "docs/pairs.md"

HEAD = f"""# Every pair of families

Made by `make pairs`: each pair of a host's IOMMU and the one that guests see, with devices that
page as the host's can, is played with an honest guest and a hostile one until the honest one's
device had {FAULTS} faults and the hostile one has tried everything that it can. Latency is that of
the honest guest's groups, from the request to the response, as its device sees them beside the
hostile one; refused are answers of the hostile one, by which check failed. Each guest is a process
of its own, and all data was right, every credit came back and I1 to I10 held: otherwise there
would be no table.
"""
COLUMNS = ("host", "pages by", "guest", "is shown", "faults", "p50 us", "p99 us", "unknown",
           "duplicate", "stale", "foreign", "malformed")


def program(*arguments):
    return subprocess.run([iopf, "run", *arguments], stdout=subprocess.PIPE, text=True,
                          timeout=LIMIT_S, check=False)


def all_pairs():
    lines = program("--list").stdout.splitlines()
    return sorted((line.split() for line in lines), key=lambda pair: pair[4])


def wrong_with(said):
    """What does not hold of a run."""
    wrong = list(said["problems"])
    wrong += [f"{name} was never checked" for name, row in said["invariants"].items()
              if row["checked"] == 0 or row["violations"] != 0]
    honest, hostile = said["guests"]
    if honest["faults"] < FAULTS or honest["data_ok"] is not True:
        wrong.append(f"{honest['faults']} faults, data_ok is {honest['data_ok']}")
    if hostile["refused"]["unknown"] == 0:
        wrong.append("no answer was refused")
    return wrong


def row_of(pair, said):
    honest, hostile = said["guests"]
    latency = honest["latency_ns"]
    return (pair[1], honest["mechanism"], pair[3], honest["shown"], honest["faults"],
            f"{latency['p50'] / 1000:.0f}", f"{latency['p99'] / 1000:.0f}",
            *(hostile["refused"][name] for name in COLUMNS[7:]))


def play(pair):
    """A row of the table, or None: what is wrong was said."""
    ran = program(*pair, "--guests", "honest,hostile", "--faults", str(FAULTS), "--json")
    said = json.loads(ran.stdout) if ran.stdout else {}
    wrong = wrong_with(said) if said else ["it did not run"]
    for line in wrong:
        print(f"FAILED {' '.join(pair)}: {line}", flush=True)
    if wrong or ran.returncode != 0:
        return None
    row = row_of(pair, said)
    print("ok " + " ".join(f"{name}={value}" for name, value in
                           zip((name.replace(" ", "-") for name in COLUMNS), row)), flush=True)
    return row


def table_of(rows):
    lines = [COLUMNS, ["---"] * 4 + ["---:"] * (len(COLUMNS) - 4), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def written():
    """The pairs that the page has: the first columns of its table."""
    lines = page.read_text().splitlines() if page.exists() else []
    return [line.strip("| ").split(" | ")[:3] for line in lines if line.startswith("| ")][2:]


arguments = [word for word in sys.argv[1:] if word != "--write"]
iopf = arguments[0] if arguments else str(root / "build/cli/iopf")
begun = time.monotonic()
rows = [play(pair) for pair in all_pairs()]
took = time.monotonic() - begun
good = None not in rows and len(rows) > 0
if good and "--write" in sys.argv:
    page.write_text(f"{HEAD}\n{table_of(rows)}\n{len(rows)} pairs in {took:.0f} seconds.\n")
if good and written() != [[str(cell) for cell in row[:3]] for row in rows]:
    print(f"FAILED {page.relative_to(root)} has other pairs: make pairs writes it")
    good = False
if took > LIMIT_S:
    print(f"FAILED it took {took:.0f} seconds, the limit is {LIMIT_S}")
    good = False
print(f"{len(rows)} pairs, {took:.1f} seconds: {'every one holds' if good else 'NOT SO'}")
sys.exit(0 if good else 1)
