#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check-program.py IOPF - what is written about the program is what it says itself.

Each command of `IOPF --help` has a page docs/man/iopf-COMMAND.1 and stands in iopf.1; each
option of its --help is described there (".It Fl -OPTION") and no other is. Functions and
headers of libiopf.3 exist. The members of its JSON are those of docs/formats.md, and the
scenario in there holds. docs/policy.md has a section for each knob, with its limits, its
default, what is wrong when it is too small or too large, and a measured table.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parent.parent
man = root / "docs/man"
wrong = []


def output_of(*arguments, allowed=(0,)):
    ran = subprocess.run([sys.argv[1], *arguments], stdout=subprocess.PIPE, text=True,
                         check=False)
    if ran.returncode not in allowed:
        sys.exit(f"iopf {' '.join(arguments)}: exit code {ran.returncode}")
    return ran.stdout


def same(what, page, said, written):
    for name in sorted(said - written):
        wrong.append(f"docs/{page}: {what} {name} is missing")
    for name in sorted(written - said):
        wrong.append(f"docs/{page}: there is no {what} {name}")


def options_of(page):
    return {"--" + name for name in re.findall(r"^\.It Fl -(\S+)", page, re.M)}


def check_pages():
    top = output_of("--help")
    commands = re.findall(r"^  ([a-z]\S*) ", top, re.M)
    page = (man / "iopf.1").read_text()
    same("command", "man/iopf.1", set(commands), set(re.findall(r"^\.It Cm (\S+)", page, re.M)))
    same("option", "man/iopf.1", set(re.findall(r"^  (--\S+)", top, re.M)), options_of(page))
    for command in commands:
        page = man / f"iopf-{command}.1"
        said = set(re.findall(r"^  (--[\w-]+)", output_of(command, "--help"), re.M))
        if page.exists():
            same("option", f"man/{page.name}", said, options_of(page.read_text()))
        else:
            wrong.append(f"docs/man/{page.name} is missing")


def check_overview():
    page = (man / "libiopf.3").read_text()
    headers = {f"iopf/{path.name}": path.read_text()
               for path in root.glob("include/iopf/*.h")}
    same("header", "man/libiopf.3", set(headers), set(re.findall(r"^\.In (\S+)", page, re.M)))
    for name in set(re.findall(r"^\.Fn (\w+)", page, re.M)):
        if not re.search(rf"\b{name}\(", "".join(headers.values())):
            wrong.append(f"docs/man/libiopf.3: no public header has {name}")


def check_rules():
    """docs/judge.md is `iopf judge --rules`, made by tools/rules.py."""
    made = subprocess.run([sys.executable, root / "tools/rules.py", sys.argv[1]],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    if (root / "docs/judge.md").read_text() != made:
        wrong.append("docs/judge.md is not what `tools/rules.py IOPF` prints")


def check_policy():
    """A section for each knob of `iopf run --help`, in its order; measured: it has rows."""
    page = (root / "docs/policy.md").read_text()
    knobs = re.findall(r"^(\w+): (\d+ to \d+ \w+, default \d+)$", output_of("run", "--help"), re.M)
    sections = re.findall(r"^## (\w+)\n\n(.*?)(?=^## )", page, re.M | re.S)
    if [name for name, _ in knobs] != [name for name, _ in sections]:
        wrong.append("docs/policy.md: its sections are not the knobs of iopf run --help, in order")
    for (name, text), limits in zip(sections, dict(knobs).values()):
        if not text.startswith(f"`{name}`: {limits}.\n"):
            wrong.append(f"docs/policy.md: {name} begins otherwise than: `{name}`: {limits}.")
        if not re.search(r"^- \*(Too small|0)\*.*^- \*(Too large|1)\*", text, re.M | re.S):
            wrong.append(f"docs/policy.md: {name} does not say what is too small and too large")
        if not re.search(r"^<!-- measured: \w+ -->\n(\|.*\n){4,}<!-- end -->", text, re.M):
            wrong.append(f"docs/policy.md: {name} has no measured table")


def tables_of(schema):
    """The names in the first columns of the tables below the schema's title, in order."""
    text = (root / "docs/formats.md").read_text()
    section = re.search(rf"^### `{schema}`\n(.*?)^##", text, re.M | re.S)[1]
    tables = re.findall(r"^\| member \|.*\n\|---.*\n((?:\|.*\n)+)", section, re.M)
    return [set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\|(.*?)\|", table, re.M))))
            for table in tables]


def check_json(scenario, broken, space):
    outputs = {
        "iopf.run/1": (["guests", "endpoints"], ["--guests", "1", "--seconds", "0.05"]),
        "iopf.scenario/1": (["results"], [scenario]),
        "iopf.serve/1": (["endpoints"], ["--vtd", "--memory-mib", "16", "--", "sh", "-c",
                                         "exit 33"]),
        "iopf.judge/1": (["violations"], [broken]),
        "iopf.pci/1": (["links"], [space]),
        "iopf.bench/1": (["results"], ["--seconds", "0.1"]),
        "iopf.decode/1": (["fields"], ["pcie.prg-response", "0"]),
        "iopf.encode/1": ([], ["pcie.prg-response"]),
    }
    # Of noisy and of hostile guests; of scenarios that fail, that are only listed.
    # Of queues.
    sometimes = {"noise", "hostile_acts", "problem", "title", "variants", "cannot", "entries"}
    for schema, (arrays, arguments) in outputs.items():
        command = re.search(r"\.(\w+)/", schema)[1]
        no = (1,) if command in ("bench", "judge", "pci") else ()  # slow, broken, switched off
        said = json.loads(output_of(command, "--json", *arguments, allowed=(0, *no)))
        tables = tables_of(schema)
        same(f"member of {schema}", "formats.md", set(said), tables[0] - sometimes)
        for array, table in zip(arrays, tables[1:]):
            same(f"{schema}: member of {array}", "formats.md", set(said[array][0]),
                 table - sometimes)


def check_examples():
    """Of README.md: what `iopf decode` and `iopf encode` print there is what they print."""
    blocks = re.findall(r"^```\n(\$ iopf (?:de|en)code .*?)^```$", (root / "README.md").read_text(),
                        re.M | re.S)
    if not blocks:
        wrong.append("README.md: no example of iopf decode")
    for command, said in re.findall(r"^\$ iopf (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks), re.M):
        if output_of(*command.split(), allowed=(0, 1)) != said:
            wrong.append(f"README.md: iopf {command} prints otherwise")


check_pages()
check_examples()
check_overview()
check_policy()
check_rules()
with tempfile.NamedTemporaryFile("w", suffix=".iopf") as example:
    text = (root / "docs/formats.md").read_text()
    example.write(re.search(r"^```\n(iopf-trace 1\n.*?)^```$", text, re.M | re.S)[1])
    example.flush()
    with tempfile.NamedTemporaryFile("w", suffix=".iopf") as broken:
        broken.write("iopf-trace 1\n0 request endpoint=D addr=0x1001 perm=r last=1\n")
        broken.flush()
        with tempfile.NamedTemporaryFile("w") as space:
            space.write(output_of("pci", "--model"))
            space.flush()
            said = "$ iopf pci --model | iopf pci -\n" + output_of("pci", space.name, allowed=(1,))
            if f"```\n{said}```\n" not in (root / "README.md").read_text():
                wrong.append("README.md: iopf pci prints otherwise")
            check_json(example.name, broken.name, space.name)
sys.exit("\n".join(wrong) or 0)
