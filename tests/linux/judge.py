# SPDX-License-Identifier: BSD-3-Clause
"""judge.py - what a start of a machine left behind, and what holds according to that."""
import dataclasses
import json
import re

COMPLAINT = re.compile(r"WARNING:|BUG:|\bOops|Kernel panic|general protection|refcount_t:|"
                       r"KASAN|blocked for more than|detected stall|Blocked re-entrant IO")
NOT_BACK = "did not come back"


@dataclasses.dataclass
class Case:
    name: str
    why: str = None        # it does not hold; None where it does
    notes: list = dataclasses.field(default_factory=list)
    hosts: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Outcome:
    """What came of one start."""
    status: int            # of serve or QEMU; None: the time was over
    words: str             # of the programs
    log: str               # of the kernel
    report: str
    errors: str
    seconds: float
    verdict: str = ""      # of `iopf judge --json` about the recording

    def reached_init(self):
        return "init: " in self.words

    def said(self):
        """The report of `iopf serve`, where there is one."""
        try:
            return json.loads(self.report)
        except ValueError:
            return {}


def spoken(words):
    """The cases that programs told of. One that was begun and is not there did not hold."""
    cases = []
    now = None
    for line in words.splitlines():
        word, _, rest = line.partition(": ")
        if word == "begin":
            now = Case(rest, NOT_BACK)
            cases.append(now)
        elif word == "case":
            name, _, verdict = rest.partition(": ")
            if now is None or now.name != name:  # init tells of a program that crashed
                now = Case(name)
                cases.append(now)
            now.why = None if verdict == "ok" else verdict.removeprefix("FAILED ")
        elif now and word in ("note", "host"):
            (now.notes if word == "note" else now.hosts).append(rest)
    return cases


def ended(boot, outcome, cases):
    """How the machine ended. Returns: what is wrong with it, or None."""
    if outcome.status is None:
        return f"not done after {outcome.seconds:.0f} s"
    if not outcome.reached_init():
        return "ended before its first process, twice"
    if boot.end != "verdict":
        end = outcome.said().get("program", {}).get("end")
        return None if end == boot.end else f"serve calls its end '{end}', not '{boot.end}'"
    verdict = re.search(r"^init: (\d+) failed", outcome.words, re.M)
    if verdict is None:
        return "ended without a verdict"
    if verdict[1] != "0" and all(case.why is None for case in cases):
        return "a program failed and did not say why"
    return None


def host_said(outcome):
    """What `iopf serve` says of its own: invariants, and what it counted."""
    case = Case("the host below keeps its promises")
    report = outcome.said()
    if not report:
        case.why = f"exit code {outcome.status}, no report: {outcome.errors.strip()[-400:]}"
        return case
    # How the machine ended is judged elsewhere.
    case.why = "\n".join(problem for problem in report["problems"]
                         if not problem.startswith("the program ")) or None
    window, invariants = report["window"], report.get("invariants", {})
    case.hosts.append(f"{window['reads']} reads and {window['writes']} writes of its window, "
                      f"{report['interrupts']['writes']} interrupts")
    if invariants:
        checks = sum(one["checked"] for one in invariants.values())
        case.hosts.append(f"{checks} checks of {', '.join(invariants)}")
    return case


def recording_said(boot, outcome):
    """What the judge says of the recording: by rules of the interfaces, not of our host."""
    case = Case("what was recorded breaks no rule of its interface")
    try:
        verdict = json.loads(outcome.verdict)
    except ValueError:
        case.why = "the recording cannot be judged: " + outcome.verdict.strip()[-400:]
        return case
    broken = {rule: tally["violations"] for rule, tally in verdict["rules"].items()
              if tally["violations"]}
    case.notes = [f"breaks {rule}, as it is known to, {broken[rule]} times"
                  for rule in boot.breaks if rule in broken]
    wrong = [f"{rule}: {times} times" for rule, times in broken.items()
             if rule not in boot.breaks]
    first = [f"line {one['lines'][-1]}: {one['rule']}: {one['where']}: {one['was']}; it should "
             f"be: {one['should_have_been']}" for one in verdict["violations"]
             if one["rule"] not in boot.breaks]
    if verdict["unreadable"] or wrong:
        case.why = "\n".join([verdict["unreadable"] or "", *wrong, *first[:4]]).strip()
    elif verdict["all"]["judged"] < verdict["events"]:
        case.why = f"{verdict['events']} events, judged {verdict['all']['judged']} times"
    case.hosts.append(f"{verdict['events']} events, judged {verdict['all']['judged']} times")
    return case


def judged(boot, outcome):
    """Every case of one start: those of its programs, and what must hold of any."""
    cases = spoken(outcome.words)
    cases.append(Case("the guest comes to its end", ended(boot, outcome, cases)))
    complaints = [line.strip() for line in (outcome.log + outcome.errors).splitlines()
                  if COMPLAINT.search(line)]
    cases.append(Case("the kernel does not complain", "\n".join(complaints[:8]) or None))
    if boot.serve is not None:
        cases.append(host_said(outcome))
        cases.append(recording_said(boot, outcome))
    return cases


def show(title, cases):
    """Prints @cases. Returns: how many hold, how many do not."""
    print(f"\n{title}")
    for case in cases:
        print(f"{'ok' if case.why is None else 'FAILED':8}{case.name}")
        for word, lines in (("kernel", case.notes), ("host", case.hosts)):
            for line in lines:
                print(f"          {word + ':':8}{line}")
        if case.why is not None:
            print("\n".join(f"          {line}" for line in case.why.splitlines()))
    bad = sum(case.why is not None for case in cases)
    return len(cases) - bad, bad
