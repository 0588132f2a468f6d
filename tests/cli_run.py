#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""cli_run.py IOPF CLI_TRACE HOSTS GUESTS - what a person sees of `iopf run`: verdicts, codes,
nothing left.

Whatever a run leaves behind becomes this process's child (PR_SET_CHILD_SUBREAPER), so
that it is seen."""
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import cases

iopf, trace, hosts, guests = sys.argv[1:]
scratch = tempfile.TemporaryDirectory()
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
INVARIANTS = [f"I{i}" for i in range(1, 11)]
LIMIT_S = 90  # of anything here; a run that hangs is killed and fails


def run(*words):
    return subprocess.run([iopf, *words], capture_output=True, text=True, timeout=LIMIT_S)


def start(*words):
    return subprocess.Popen([iopf, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def children(pid):
    return [int(word) for word in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def guests_of(host, count):
    """The guests' processes, once all of them run their own program."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        found = [pid for pid in children(host.pid) if command(pid)[1:2] == ["guest"]]
        if len(found) == count:
            return found
        time.sleep(0.01)
    raise AssertionError(f"there never were {count} guests")


def nothing_is_left():
    """Every orphan ends, soon, and by itself."""
    end = time.monotonic() + 10
    while children(os.getpid()):
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        assert time.monotonic() < end, f"left: {children(os.getpid())}"
        time.sleep(0.01)


def all_pairs():
    """(host, guest, mechanism) of everything that can meet, as the program deals it out."""
    words = [line.split() for line in run("run", "--list").stdout.splitlines()]
    return [(line[1], line[3], line[4].removeprefix("--")) for line in words]


def families(place):
    """Those of a place in a pair, in the order in which they come first."""
    return list(dict.fromkeys(pair[place] for pair in all_pairs()))


def every_family_comes_before_any_comes_again():
    pairs, first = all_pairs(), families(0)
    assert len(set(pairs)) == len(pairs) and len(first) > 1, pairs
    assert [pair[0] for pair in pairs[:len(first)]] == first, pairs
    first = pairs[:max(len(first), len(families(1)))]
    assert {pair[1] for pair in first} == set(families(1)), first
    assert {pair[2] for pair in pairs[:2]} == {"pri", "stall"}, pairs
    for host, guest, mechanism in pairs:
        only = run("run", "--host", host, "--guest", guest, "--" + mechanism, "--list")
        assert only.stdout == f"--host {host} --guest {guest} --{mechanism}\n", only


def scenarios_are_played_in_every_family():
    """The lists of tests/meson.build are complete."""
    assert set(hosts.split()) == set(families(0)), families(0)
    assert set(guests.split()) == set(families(1)), families(1)


def a_run_ends_when_there_were_enough_faults():
    begun = time.monotonic()
    done = run("run", "--guests", "honest*all", "--faults", "1000", "--json")
    assert done.returncode == 0 and time.monotonic() - begun < 60, done.stdout[-2000:]
    guests = json.loads(done.stdout)["guests"]
    assert len(guests) == len(all_pairs())
    assert all(guest["faults"] >= 1000 for guest in guests), guests
    assert [(guest["mechanism"], guest["shown"]) for guest in guests
            if guest["family"] == "smmuv3" and guest["mechanism"] != guest["shown"]] == []


def a_run_of_every_character_holds():
    done = run("run", "--seconds", "0.5", "--json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    result = json.loads(done.stdout)
    assert result["schema"] == "iopf.run/1" and result["ok"] is True
    for name in INVARIANTS:
        row = result["invariants"][name]
        assert row["checked"] > 0 and row["violations"] == 0, (name, row)
    names = {guest["character"] for guest in result["guests"]}
    assert names == {"honest", "slow", "noisy", "silent", "liar", "hostile", "killed"}, names
    places = [(endpoint["family"], guest["family"], guest["mechanism"])
              for guest, endpoint in zip(result["guests"], result["endpoints"])]
    pairs = all_pairs()
    noisy = [guest["character"] for guest in result["guests"]].index("noisy")
    assert places[noisy] == pairs[0], places
    del places[noisy]
    dealt = [pairs[i % len(pairs)] for i in range(len(places) + 1) if i != noisy]
    assert places == dealt, places
    assert [host["family"] for host in result["hosts"]] == families(0), result["hosts"]
    assert result["noise"]["ratio"] <= result["noise"]["limit"], result["noise"]
    for guest in result["guests"]:
        for key in ("name", "family", "mechanism", "faults", "bytes", "refused", "endings",
                    "latency_ns"):
            assert key in guest, key
        promises = guest["character"] in ("honest", "slow")
        assert guest["data_ok"] is (True if promises else None), guest["name"]
        if promises:
            assert guest["crc"] == result["file_crc"]
        for kind, count in guest.get("hostile_acts", {}).items():
            assert count > 0, kind
    hostile = [guest for guest in result["guests"] if guest["character"] == "hostile"]
    assert hostile and all(guest["refused"]["unknown"] > 0 for guest in hostile), hostile
    for endpoint in result["endpoints"]:
        assert endpoint["credits_in_use"] == 0 and endpoint["rf"] == 0
        assert endpoint["uprgi"] == 0 and endpoint["responses"]["failure"] == 0
        assert endpoint["faults"] >= endpoint["pages"] or endpoint["guest"] == "hostile"


def a_silent_guest_is_answered_by_its_detach():
    result = json.loads(run("run", "--guests", "silent", "--seconds", "0.1",
                            "--json").stdout)
    endings = {name: count for name, count in result["guests"][0]["endings"].items() if count}
    assert list(endings) == ["detach"], endings


def the_text_is_80_columns_wide():
    done = run("run", "--seconds", "0.2")
    assert done.returncode == 0, done.stdout[-2000:]
    assert done.stdout.endswith("everything holds\n") and done.stderr == ""
    for words in (["run", "--help"], ["guest", "--help"], ["--help"]):
        done.stdout += run(*words).stdout
    wide = [line for line in done.stdout.expandtabs().splitlines() if len(line) > 80]
    assert not wide, wide


def files_of_any_size_are_moved():
    for size in (1, 4095, 4097, 300000):
        path = pathlib.Path(scratch.name, f"file{size}")
        path.write_bytes(os.urandom(size))
        done = run("run", "--seconds", "0.05", "--guests", "honest,slow,killed", str(path))
        assert done.returncode == 0, f"{size}: {done.stdout[-1000:]}{done.stderr}"


def sixty_four_guests_fit():
    path = pathlib.Path(scratch.name, "small")
    path.write_bytes(os.urandom(100000))
    stalling = {pair[0] for pair in all_pairs() if pair[2] == "stall"}
    assert stalling
    for where in ((), *(("--stall", "--host", host) for host in sorted(stalling))):
        done = run("run", "--seconds", "0.05", "--guests", "64", "--json", *where, str(path))
        if done.returncode == 2 and where:
            assert "64 devices that stall behind one" in done.stderr, done.stderr
            continue
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr
        assert len(json.loads(done.stdout)["guests"]) == 64


def a_recording_is_of_the_language():
    path = str(pathlib.Path(scratch.name, "recording.iopf"))
    done = run("run", "--seconds", "0.1", "--record", path)
    assert done.returncode == 0, done.stdout[-1000:]
    read = subprocess.run([trace, path], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stdout
    kinds = {line.split()[0] for line in read.stdout.splitlines()}
    assert {"world", "request", "response", "show", "answer", "attach", "detach",
            "invalidate", "kill", "hostile", "enable", "terminate"} <= kinds, kinds


def what_has_no_end_is_no_recording():
    judged = run("judge", "/dev/zero")
    assert judged.returncode == 2 and "no header" in judged.stderr, judged.stderr


def a_recording_is_judged_as_the_run_was():
    path = str(pathlib.Path(scratch.name, "judged.iopf"))
    done = run("run", "--seconds", "0.2", "--json", "--record", path)
    assert done.returncode == 0, done.stdout[-1000:]
    live = json.loads(done.stdout)["judge"]
    assert live["violations"] == 0 and live["first"] is None, live
    judged = run("judge", "--whole", "--json", path)
    assert judged.returncode == 0, judged.stdout[-2000:] + judged.stderr
    result = json.loads(judged.stdout)
    # What makes the rules hold on air: each of these was held against something.
    for rule in ("PRI-ONE-RESPONSE", "PRI-RESPONSE-DUE", "PRI-CREDITS", "PRI-PASID-REQUIRED",
                 "PRI-PASID-SUPERFLUOUS", "LINK-REQUEST", "LINK-PAGES", "LINK-RESPONSE",
                 "STALL-ONE-RESUME", "STALL-POOL", "STALL-TERMINATED", "DETACH-ANSWERED",
                 "SHOW-OWNER", "SHOW-TIME", "SHOW-PAGES", "ANSWER-ONCE", "RESPONSE-ANSWER"):
        assert result["rules"][rule]["judged"] > 10, (rule, result["rules"][rule])
    # Live, and from the file: the same was seen.
    assert 0.8 < result["all"]["judged"] / live["judged"] < 1.2, (result["all"], live)


def stopped_by(number):
    host = start("run", "--seconds", "60")
    guests_of(host, 13)
    time.sleep(0.2)
    begun = time.monotonic()
    host.send_signal(number)
    out, err = host.communicate(timeout=LIMIT_S)
    assert host.returncode == 128 + number, (host.returncode, err)
    assert time.monotonic() - begun < 10
    assert "everything holds" in out, out[-1000:]
    nothing_is_left()


def ctrl_c_ends_it_with_130():
    stopped_by(signal.SIGINT)


def sigterm_ends_it_with_143():
    stopped_by(signal.SIGTERM)


def a_guest_killed_by_others_is_seen_at_once():
    host = start("run", "--seconds", "5", "--guests", "honest*2")
    victim = guests_of(host, 2)[0]
    time.sleep(0.2)
    os.kill(victim, signal.SIGKILL)
    begun = time.monotonic()
    line = host.stderr.readline()
    assert time.monotonic() - begun < 1 and "signal 9" in line, line
    host.send_signal(signal.SIGINT)
    out, _ = host.communicate(timeout=LIMIT_S)
    assert "NOT SO: honest-1: its process ended" in out, out[-1000:]
    assert "credits are in use" not in out
    nothing_is_left()


def a_stopped_guest_hinders_nobody():
    # Long beside what a loaded machine takes to come to the stop.
    host = start("run", "--seconds", "4", "--guests", "honest*2", "--json")
    victim = guests_of(host, 2)[0]
    time.sleep(0.3)
    os.kill(victim, signal.SIGSTOP)
    out, err = host.communicate(timeout=LIMIT_S)
    result = json.loads(out)
    assert host.returncode == 0, (result["problems"], err)
    first, second = (guest["bytes"] for guest in result["guests"])
    assert second > 1.5 * first, (first, second)
    nothing_is_left()


def guests_die_with_their_host():
    host = start("run", "--seconds", "60")
    guests_of(host, 13)
    host.kill()
    host.communicate(timeout=LIMIT_S)
    nothing_is_left()


def a_report_that_cannot_be_written_is_said():
    for words in (["--help"], ["run", "--seconds", "0.05", "--guests", "1"],
                  ["run", "--seconds", "0.05", "--guests", "1", "--json"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([iopf, *words], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 1 and "standard output" in done.stderr, (words, done)
    done = run("run", "--seconds", "0.05", "--guests", "1", "--record", "/dev/full")
    assert done.returncode == 1 and "--record /dev/full" in done.stdout, done.stdout[-1000:]
    nothing_is_left()


def a_policy_is_said_back():
    path = pathlib.Path(scratch.name, "policy")
    path.write_text("# everybody\nquota_groups = 64".replace(" ", "") + " # as a rule\n"
                    "slow.quota_groups=5, slow.liar_limit=0\n")
    result = json.loads(run("run", "--guests", "honest,slow", "--seconds", "0.05", "--json",
                            "--policy", str(path)).stdout)
    honest, slow = (guest["policy"] for guest in result["guests"])
    assert honest["quota_groups"] == 64 and honest["liar_limit"] == 16, honest
    assert slow["quota_groups"] == 5 and slow["liar_limit"] == 0, slow


def a_wrong_policy_is_refused_with_its_limit():
    path = pathlib.Path(scratch.name, "wrong")
    path.write_text("quota_groups=5\n  deadline_ns=soon\n")
    for rules, words in (("quota_groups=99999999", ("quota_groups=99999999", "2097152")),
                         ("retry_max=4", ("retry_max=4", "0 to 3")),
                         ("retry_max=-1", ("retry_max=-1", "0 to 3")),
                         ("quota_groups=5.3", ("0 to 2097152",)),
                         ("liar_limit", ("liar_limit", "No such file")),
                         ("patience=1", ("'patience'", "deadline_ns", "liar_limit")),
                         ("hostile.retry_max=1", ("'hostile'", "takes part")),
                         (str(path), (f"{path}:2:15:", "deadline_ns=soon"))):
        done = run("run", "--guests", "honest", "--seconds", "0.05", "--policy", rules)
        assert done.returncode == 2 and done.stdout == "", (rules, done)
        assert all(word in done.stderr for word in words), (rules, done.stderr)


def what_is_of_no_use_ends_with_2():
    empty = pathlib.Path(scratch.name, "empty")
    empty.touch()
    for words, says in (
            ([], "Usage"),
            (["bogus"], "bogus"),
            (["run", "--bogus"], "--bogus"),
            (["run", "--seconds"], "--seconds"),
            (["run", "--seconds", "0"], "from 0.001 to 86400"),
            (["run", "--seconds", "one"], "one"),
            (["run", "--seed", "0x10000000000000000"], "18446744073709551615"),
            (["run", "--guests", "nobody"], "nobody"),
            (["run", "--guests", "65"], "64"),
            (["run", "--guests", "honest*0"], "honest*0"),
            (["run", "--guests", "honest,"], "''"),
            (["run", "--host", "none"], "vtd"),
            (["run", "--host", "vtd", "--stall"], "--host vtd --guest vtd --pri"),
            (["run", "/nonexistent"], "/nonexistent"),
            (["run", scratch.name], "directory"),
            (["run", "/dev/zero"], "/dev/zero"),
            (["run", str(empty)], "empty"),
            (["run", "a", "b"], "'b'"),
            (["run", "--record", "/nonexistent/file"], "/nonexistent/file"),
            (["guest"], "started by 'iopf run'"),
            (["guest", "--character", "honest", "--bytes", "9", "--port", "0", "--memory", "0"],
             "--port")):
        done = run(*words)
        assert done.returncode == 2, (words, done.returncode)
        assert says in done.stderr and done.stdout == "", (words, done.stderr)
    nothing_is_left()


sys.exit(cases.play((
    every_family_comes_before_any_comes_again,
    scenarios_are_played_in_every_family,
    a_run_ends_when_there_were_enough_faults,
    a_run_of_every_character_holds,
    a_silent_guest_is_answered_by_its_detach,
    the_text_is_80_columns_wide,
    files_of_any_size_are_moved,
    sixty_four_guests_fit,
    a_recording_is_of_the_language,
    what_has_no_end_is_no_recording,
    a_recording_is_judged_as_the_run_was,
    ctrl_c_ends_it_with_130,
    sigterm_ends_it_with_143,
    a_guest_killed_by_others_is_seen_at_once,
    a_stopped_guest_hinders_nobody,
    guests_die_with_their_host,
    a_report_that_cannot_be_written_is_said,
    a_policy_is_said_back,
    a_wrong_policy_is_refused_with_its_limit,
    what_is_of_no_use_ends_with_2,
)))
