#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""fuzz.py [--seconds S] [TARGET...] - libFuzzer over the records of each family, the reader of
dumps and that of recordings: fuzz/. Without names, all of them, each for S seconds, 30 if nothing
is said. Inputs are kept in build-check/fuzz/corpus and grow; they begin with tests/vectors. An
input that breaks something is printed in hexadecimal and becomes a test. One line a target, and
at the end "N passed, N failed"."""
import argparse
import os
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
build = root / "build-check/fuzz"


def run(*command, **how):
    return subprocess.run([str(word) for word in command], cwd=root, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)


def must(*command, **how):
    done = run(*command, **how)
    if done.returncode:
        sys.exit(done.stdout)
    return done.stdout


def programs():
    if not (build / "build.ninja").exists():
        must("meson", "setup", build, "-Dfuzz=true", "-Doptimization=1", "-Ddebug=true",
             "-Db_sanitize=address,undefined", "-Db_lundef=false",
             env={**os.environ, "CC": "clang"})
    must("ninja", "-C", build, "build.ninja")  # the list of families may have grown
    listed = must("ninja", "-C", build, "-t", "targets", "all")
    names = re.findall(r"^fuzz/(fuzz_\w+):", listed, re.M)
    must("ninja", "-C", build, "fuzz/seeds", *(f"fuzz/{name}" for name in names))
    return {name.removeprefix("fuzz_"): build / "fuzz" / name for name in names}


def seeds(target, corpus):
    corpus.mkdir(parents=True, exist_ok=True)
    if target == "trace":
        for scenario in root.glob("tests/scenarios/*.iopf"):
            (corpus / scenario.name).write_bytes(scenario.read_bytes())
    else:
        must(build / "fuzz/seeds", target, corpus)


def fuzz(target, program, seconds):
    """Returns: whether nothing was found."""
    corpus, found = build / "corpus" / target, build / "found"
    seeds(target, corpus)
    found.mkdir(exist_ok=True)
    done = run(program, f"-max_total_time={seconds}", "-print_final_stats=1", "-timeout=10",
               "-max_len=" + ("4096" if target in ("trace", "words") else "66"),
               f"-artifact_prefix={found}/{target}-", corpus,
               env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"})
    runs = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    print(f"{'FAILED' if done.returncode else 'ok':6} fuzz_{target:8} "
          f"{runs[1] if runs else '?':>9} runs", flush=True)
    if done.returncode:
        print(done.stdout[-3000:])
        for file in re.findall(r"Test unit written to (\S+)", done.stdout):
            print(f"{file}: {pathlib.Path(file).read_bytes().hex()}")
    return done.returncode == 0


parser = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--seconds", type=int, default=30)
parser.add_argument("targets", nargs="*")
arguments = parser.parse_args()
targets = programs()
for name in arguments.targets:
    if name not in targets:
        sys.exit(f"fuzz.py: no target '{name}'; there are: {' '.join(targets)}")
verdicts = [fuzz(name, targets[name], arguments.seconds) for name in arguments.targets or targets]
print(f"{sum(verdicts)} passed, {len(verdicts) - sum(verdicts)} failed")
sys.exit(0 if all(verdicts) else 1)
