#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""measure-policy.py [IOPF] - plays the examples of docs/policy.md, writes their tables there.

An example is guests in processes of their own (`iopf run`) where one owner at a function
shows it, else a scenario, in virtual time, whose recording is counted. A table stands
between the lines <!-- measured: NAME --> and <!-- end -->, which stay. Half a minute.
"""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parent.parent
iopf = sys.argv[1] if len(sys.argv) > 1 else str(root / "build/cli/iopf")
page = root / "docs/policy.md"
PRI = ("--host", "vtd", "--guest", "vtd", "--pri")
STALL = ("--host", "smmuv3", "--guest", "smmuv3", "--stall")


def program(*arguments, allowed=(0,)):
    ran = subprocess.run([iopf, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode not in allowed:
        sys.exit(f"iopf {' '.join(arguments)}: exit code {ran.returncode}")
    return ran.stdout


def run(where, guests, seconds, policy):
    """The guests of a run, by name. Wrong data is an answer, too: exit code 1. One that would
    go on until each guest has shown what it is there for is ended soon: 130."""
    with subprocess.Popen([iopf, "run", "--json", *where, "--guests", guests, "--seconds",
                           str(seconds), "--policy", policy], stdout=subprocess.PIPE,
                          text=True) as running:
        try:
            text = running.communicate(timeout=seconds + 2)[0]
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGINT)
            text = running.communicate()[0]
    if running.returncode not in (0, 1, 130):
        sys.exit(f"iopf run --policy {policy}: exit code {running.returncode}")
    said = json.loads(text)
    assert not any(row["violations"] for row in said["invariants"].values()), policy
    for guest, endpoint in zip(said["guests"], said["endpoints"]):
        guest["endpoint"] = endpoint
        guest["groups"] = sum(guest["endings"].values())
    return {guest["name"]: guest for guest in said["guests"]}


def play(text):
    """What happened, as (word, {key: value}) in order: all of it, or until the device would
    have to ask and has no credit left."""
    with tempfile.TemporaryDirectory() as directory:
        file, record = pathlib.Path(directory, "policy.iopf"), pathlib.Path(directory, "record")
        file.write_text("iopf-trace 1\nvariants pri\nworld source=host\n" + text)
        said = program("scenario", "--record", str(record), str(file), allowed=(0, 1))
        assert said.startswith("ok") or "has a credit" in said, said
        lines = record.read_text().splitlines()
    words = [line.split() for line in lines]
    return [(line[1], dict(word.split("=", 1) for word in line[2:]))
            for line in words if len(line) > 2]


def count(happened, word, **keys):
    return sum(said == word and all(values.get(key) == value for key, value in keys.items())
               for said, values in happened)


def percent(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "-"


def went_well(guest):
    """Of the jobs that came to their end: whether their bytes were right."""
    return "right" if guest["data_ok"] else "wrong"


# ---- Deadlines ---------------------------------------------------------------------------


def deadline_ns():
    yield ("deadline_ns", "honest: told", "slow: told", "silent: told")
    for value in (100000, 1000000000, 3600000000000):
        guests = run(PRI, "honest,slow,silent", 1.5, f"deadline_ns={value}")
        yield (value, *(percent(guests[name]["counters"]["deadline_warnings"],
                                guests[name]["groups"])
                        for name in ("honest", "slow", "silent")))


def deadline_answers():
    yield ("deadline_answers", "deadline_ns", "slow: ended by it", "slow: its bytes",
           "slow: late answers, refused", "silent: longest wait")
    for answers, value in ((0, 200000000), (1, 200000000), (1, 1000000)):
        guests = run(PRI, "honest,slow,silent", 1,
                     f"deadline_answers={answers},deadline_ns={value}")
        slow, silent = guests["slow"], guests["silent"]
        yield (answers, value, percent(slow["endings"]["deadline"], slow["groups"]),
               went_well(slow), percent(slow["refused"]["stale"], slow["groups"]),
               f"{silent['latency_ns']['max'] / 1e6:.0f} ms")


# ---- Quotas ------------------------------------------------------------------------------


def quota_groups():
    yield ("quota_groups", "credits granted", "pages in a group",
           "bytes, against others without a quota", "silent: holds")
    for value in (1, 4, 16, 0):
        guests = run(PRI, "honest*4,silent", 1.5, f"silent.quota_groups={value}," +
                     f"honest-1.quota_groups={value},honest-3.quota_groups={value}")
        first, silent = guests["honest-1"], guests["silent"]
        bytes_of = [guests[f"honest-{n}"]["bytes"] for n in (1, 2, 3, 4)]
        yield (value, first["endpoint"]["allocation"],
               f"{first['faults'] / first['groups']:.1f}",
               percent(bytes_of[0] + bytes_of[2], bytes_of[1] + bytes_of[3]),
               silent["faults"])


def quota_endpoints():
    yield ("quota_groups", "one function asks for 4, holds", "the other asks for 4, holds")
    for value in (4, 8, 0):
        happened = play(f"world endpoint=D rid=0x10 allocation=4\n"
                        f"world endpoint=E rid=0x18 allocation=4\n"
                        f"world owner=A quota={value}\n"
                        "0 attach endpoint=D pasid=1 owner=A\n"
                        "0 attach endpoint=E pasid=2 owner=A\n" +
                        "".join(asks(1, n, 0x1000) for n in range(4)) +
                        "".join(asks(2, n, 0x1000) for n in range(4))
                        .replace("=D", "=E"))
        yield (value, held(happened, "1"), held(happened, "2"))


def quota_stalls():
    yield ("quota_stalls", "aborted", "its bytes", "silent: holds")
    for value in (1, 4, 16, 0):
        guests = run(STALL, "honest,silent", 0.5, f"quota_stalls={value}")
        honest, silent = guests["honest"], guests["silent"]
        yield (value, percent(honest["endings"]["quota"], honest["groups"]),
               went_well(honest), silent["groups"] - silent["endings"]["quota"])


# ---- Several owners at a function --------------------------------------------------------

SHARED = """world endpoint=D rid=0x10 allocation=8
world owner=A {a}
world owner=B {b}
0 attach endpoint=D pasid=1 owner=A
0 attach endpoint=D pasid=2 owner=B
"""


def asks(pasid, index, addr):
    return f"+1ms request endpoint=D pasid={pasid} index={index} addr={addr} perm=r last=1\n"


def held(happened, pasid):
    """Groups of @pasid that came in and were not answered."""
    return (count(happened, "request", pasid=pasid, interface="queue")
            - count(happened, "response", pasid=pasid, interface="queue"))


def guaranteed():
    yield ("A: guaranteed", "B: guaranteed", "B asks for 8, holds", "then A asks for 4, holds",
           "of 8 credits idle")
    for a, b in ((1, 1), (0, 0), (7, 1), (8, 8)):
        happened = play(SHARED.format(a=f"guaranteed={a}", b=f"guaranteed={b}") +
                        "".join(asks(2, n, 0x1000 * (n + 1)) for n in range(8)) +
                        "".join(asks(1, 8 + n, 0x1000 * (n + 1)) for n in range(4)))
        first, second = held(happened, "2"), held(happened, "1")
        yield (a, b, first, second, 8 - first - second)


def retries(limit, busy_ms):
    """A is at its quota for so long. What becomes of a page that its device asks for each
    millisecond, until it has it or is told that it cannot."""
    for times in range(1, 100):
        text = SHARED.format(a=f"quota=2 retry_max={limit}", b="")
        text += asks(1, 0, 0x1000) + asks(1, 1, 0x2000) + "+0 show owner=A group=g\n"
        for n in range(times):
            text += "+0 answer owner=A group=g code=success\n" if n == busy_ms else ""
            text += asks(1, 2 + n, 0x3000)
        happened = play(text)
        last = [values.get("code") for said, values in happened
                if said == "response" and values["index"] == str(1 + times)]
        if not last or last[0] == "invalid":
            return f"{last[0] if last else 'made present'}: asked {times} times"
    return "asked for ever"


def retry_max():
    yield ("retry_max", "owner busy for 3 ms", "owner busy for good")
    for limit in (0, 1, 3):
        yield (limit, retries(limit, 3), retries(limit, None))


# ---- Liars -------------------------------------------------------------------------------

ALONE = """world endpoint=D rid=0x10 allocation=8
world owner=A liar_limit={limit}
0 attach endpoint=D pasid=1 owner=A
"""


def successes(limit, times):
    """A says success so many times for one page. How often is that passed on?"""
    text = ALONE.format(limit=limit)
    for n in range(times):
        text += asks(1, n % 8, 0x1000) + f"+0 show owner=A group=g{n}\n"
        text += f"+0 answer owner=A group=g{n} code=success\n"
    codes = [values["code"] for said, values in play(text)
             if said == "response" and values["interface"] == "function"]
    return codes.index("invalid") if "invalid" in codes else len(codes)


def liar_limit():
    yield ("liar_limit", "a page asked 100 times: believed", "asked again by mistake, once",
           "stalls of a liar: answers for each", "its longest wait")
    for limit in (1, 4, 16, 0):
        liar = run(STALL, "liar", 0.5, f"liar_limit={limit}")["liar"]
        yield (limit, successes(limit, 100), "success" if successes(limit, 2) == 2 else "invalid",
               f"{liar['groups'] / liar['faults']:.0f}" if liar["passes"] else "no end",
               f"{liar['latency_ns']['max'] / 1e6:.0f} ms" if liar["passes"] else "no end")


# ---- The page ----------------------------------------------------------------------------


def table(rows):
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * lines[0].count(" | ") + "---|", *lines[1:]])


text = page.read_text()
for example in (deadline_ns, deadline_answers, quota_groups, quota_endpoints, quota_stalls,
                guaranteed, retry_max, liar_limit):
    begin = f"<!-- measured: {example.__name__} -->\n"
    assert begin in text, f"docs/policy.md: there is no line {begin}"
    text = re.sub(f"({begin}).*?(^<!-- end -->)",
                  lambda found: found[1] + table(list(example())) + "\n" + found[2], text,
                  count=1, flags=re.M | re.S)
page.write_text(text)
