#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""test.py BUILD [ARGUMENT OF MESON TEST...] - runs the tests and counts their cases.

A test program prints "ok NAME" or "FAILED NAME" for each case; one that prints no case
is a case itself. A program that ends badly without naming a failed case (a crash, a
time limit, a sanitizer) counts as one failed case more. The last line is
"N passed, N failed"; exit 1 where anything failed or nothing ran.
"""
import json
import pathlib
import subprocess
import sys

build, *arguments = sys.argv[1:] or ["build"]
logs = pathlib.Path(build, "meson-logs")
for log in logs.glob("testlog*.json"):  # its name tells the wrapper, if there is one
    log.unlink()
status = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs",
                         *arguments], stdin=subprocess.DEVNULL).returncode

passed = failed = 0
for line in "".join(log.read_text() for log in logs.glob("testlog*.json")).splitlines():
    test = json.loads(line)
    lines = (test.get("stdout") or "").splitlines()
    ok = sum(line.startswith("ok ") for line in lines)
    bad = sum(line.startswith("FAILED ") for line in lines)
    if test["result"] == "SKIP":
        print(f"skipped: {test['name']}")
    elif test["result"] in ("OK", "EXPECTEDFAIL"):
        passed += max(ok, 1)
    else:
        passed, failed = passed + ok, failed + max(bad, 1)

if status != 0 and failed == 0:
    failed = 1
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
