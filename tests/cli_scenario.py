#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""cli_scenario.py IOPF SCENARIO - what a person sees of `iopf scenario`: codes, places, JSON."""
import json
import pathlib
import subprocess
import sys
import tempfile

import cases

iopf, good = sys.argv[1:]
directory = tempfile.TemporaryDirectory()
scratch = pathlib.Path(directory.name)
HEADER = "iopf-trace 1\n"
WORLD = HEADER + "world source=host family=vtd\nworld endpoint=D rid=0x10 allocation=4\n"
FILE_BYTES_MAX = 16 << 20  # of cli/scenario.c


def scenario(*words):
    return subprocess.run([iopf, "scenario", *words], capture_output=True, text=True,
                          timeout=60, check=False)


def written(name, content):
    path = scratch / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


# content, what is said behind the file's name
BAD = (
    ("", ":1:1: no header"),
    (b"\x00\xff\x1b[2J" * 200000, ":1:1: no header"),
    ("iopf-trace 2\n", ":1:12: version '2', expected 1"),
    (HEADER.rstrip("\n"), ":1:13: file ends inside a line"),
    (HEADER + "# \x1b[2J\n", ":2:3: byte 0x1b, expected printable ASCII"),
    (HEADER + "5 bogus\n", ":2:3: unknown kind 'bogus', expected one of"),
    (HEADER + "5 request bogus=1\n", ":2:11: unknown key 'bogus'"),
    (HEADER + "5 request index=65536\n", ":2:17: index=65536 out of range, expected 0 to 65535"),
    (HEADER + "5 request index=1 index=1\n", ":2:19: key 'index' twice"),
    (HEADER + "5 mark name=a\n4 mark name=b\n", ":3:1:"),
    (HEADER + "18446744073709551616 mark name=a\n", "expected at most 18446744073709551615"),
    (WORLD + "0 mark name=a\nworld owner=G\n", ":5:1: 'world' after an event"),
    (WORLD + "0 show owner=nobody group=g\n", ":4:8:"),
    (HEADER + "#" * 3000 + "\n", ":2:2048: line too long"),
    (HEADER + "# a line like all others\n" * (FILE_BYTES_MAX // 24),
     f": {FILE_BYTES_MAX} bytes or more, expected less"),
)


def what_is_no_scenario_is_named_with_its_place():
    for number, (content, says) in enumerate(BAD):
        path = written(f"bad{number}", content)
        done = scenario(path)
        assert done.returncode == 2, (number, done)
        assert done.stderr.startswith(f"iopf: {path}:") and says in done.stderr, done.stderr
        assert done.stdout == "0 passed, 1 failed\n", done.stdout


def what_cannot_be_read_is_named():
    for words, says in (((str(scratch / "none"),), "No such file"),
                        ((str(scratch),), "Is a directory"),
                        (("--bogus", good), "--bogus"),
                        (("--record", "/nonexistent/file", good), "/nonexistent/file"),
                        (("--record", "/dev/full", good), "/dev/full"),
                        (("--record", str(scratch / "r"), good, good), "2 were given")):
        done = scenario(*words)
        assert done.returncode == 2 and says in done.stderr, (words, done)


def one_that_does_not_hold_ends_with_1():
    path = written("no", WORLD + "require endpoint=D responses=1\n")
    done = scenario(path)
    assert done.returncode == 1 and f"{path}:4:20: required:" in done.stdout, done
    assert done.stdout.endswith("failed\n") and done.stderr == ""


def the_others_are_played_all_the_same():
    bad = written("bad", "")
    done = scenario("--json", good, bad, str(scratch / "none"))
    result = json.loads(done.stdout)
    assert done.returncode == 2 and result["ok"] is False and result["failed"] == 2
    assert result["schema"] == "iopf.scenario/1" and result["passed"] >= 1
    names = [one["name"] for one in result["results"] if not one["ok"]]
    assert names == ["bad", "none"] and all("problem" in one for one in result["results"]
                                            if not one["ok"])


def a_list_plays_none_and_shows_no_garbage():
    garbage = written("garbage", b"\x1b[2J# \x1b[2J\n" * 100)
    done = scenario("--list", good, garbage)
    assert done.returncode == 2 and done.stdout.startswith("S1 "), done
    assert "\x1b" not in done.stdout + done.stderr


def a_list_says_how_each_is_played_and_why_not_otherwise():
    path = written("T1", HEADER + "# T1: what it is about\n\nvariants pri guest\n"
                   "cannot stall a stall has none\nworld endpoint=D rid=0x10 allocation=4\n")
    done = scenario("--list", path)
    assert done.returncode == 0 and done.stdout.splitlines() == [
        "T1   what it is about", "     pri", "     not stall: a stall has none", "     guest"], done
    done = scenario("--list", "--json", path)
    one = json.loads(done.stdout)["results"][0]
    assert done.returncode == 0 and one == {
        "name": "T1", "ok": True, "title": "what it is about", "variants": ["pri", "guest"],
        "cannot": {"stall": "a stall has none"}}, one


def each_variant_is_played_or_the_one_that_is_asked_for():
    done = scenario("--json", good)
    played = [one["variant"] for one in json.loads(done.stdout)["results"]]
    assert done.returncode == 0 and len(played) > 3 and len(set(played)) == len(played), done
    done = scenario("--json", "--variant", "guest", good)
    assert [one["variant"] for one in json.loads(done.stdout)["results"]] == ["guest"], done
    done = scenario("--variant", "none", good)
    assert done.returncode == 2 and "--variant none: no such variant" in done.stderr, done


def every_scenario_says_of_every_variant_that_it_is_played_or_why_not():
    done = scenario("--list", "--json")  # without a file: those that come with the program
    listed = json.loads(done.stdout)["results"]
    variants = {"pri", "pri-no-pasid", "stall", "guest", "guest-no-pasid", "guest-stall"}
    wrong = [(one["name"], variants - set(one["variants"]) - set(one["cannot"]))
             for one in listed if variants - set(one["variants"]) - set(one["cannot"])]
    assert done.returncode == 0 and len(listed) > 60 and not wrong, wrong


sys.exit(cases.play((
    what_is_no_scenario_is_named_with_its_place,
    what_cannot_be_read_is_named,
    one_that_does_not_hold_ends_with_1,
    the_others_are_played_all_the_same,
    a_list_plays_none_and_shows_no_garbage,
    a_list_says_how_each_is_played_and_why_not_otherwise,
    each_variant_is_played_or_the_one_that_is_asked_for,
    every_scenario_says_of_every_variant_that_it_is_played_or_why_not,
)))
