#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""cli_serve.py IOPF MACHINE STREAM CLI_TRACE - what a person sees of `iopf serve`, with
MACHINE (cli_serve_machine.c), or STREAM (cli_serve_stream.c), where a QEMU would be.

Whatever it leaves behind becomes this process's child (PR_SET_CHILD_SUBREAPER), so that
it is seen."""
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

iopf, machine, stream, trace = sys.argv[1:]
scratch = tempfile.TemporaryDirectory()
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
LIMIT_S = 90
WINDOW = "0xfe400000"


def words(role, *options):
    role, *more = role.split()
    named = "--smmuv3" in options
    return [iopf, "serve", *["--vtd"] * (not named), "--memory-mib", "16", *options, "--",
            stream if named else machine, role, "@memory@", "@proxy@", "@qtest@", *more]


def serve(role, *options):
    return subprocess.run(words(role, *options), capture_output=True, text=True,
                          timeout=LIMIT_S)


def result_of(role, code, *options):
    done = serve(role, "--json", *options)
    assert done.returncode == code, f"{done.returncode}: {done.stdout[-1500:]} {done.stderr}"
    result = json.loads(done.stdout)
    assert result["schema"] == "iopf.serve/1" and result["ok"] is (code == 0), result["ok"]
    return result


def nothing_is_broken(result):
    assert result["judge"]["violations"] == 0, result["judge"]
    for name in (f"I{i}" for i in range(1, 11)):
        assert result["invariants"][name]["violations"] == 0, (name, result["problems"])


def holds_for_the_judge(file):
    done = subprocess.run([iopf, "judge", "--whole", file], capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr


def children(pid):
    return [int(word) for word in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def nothing_is_left():
    end = time.monotonic() + 10
    while children(os.getpid()):
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        assert time.monotonic() < end, f"left: {children(os.getpid())}"
        time.sleep(0.01)


def a_driver_s_faults_are_served_end_to_end():
    for levels in "4", "5":
        result = result_of("yes", 0, "--window", WINDOW, "--levels", levels)
        nothing_is_broken(result)
        assert result["program"]["end"] == "yes" and result["program"]["exit_code"] == 33
        assert result["window"]["addr"] == WINDOW and result["window"]["broken"] == 0
        endpoint = result["endpoints"][0]
        assert endpoint["responses"]["success"] >= 2, endpoint
        assert endpoint["credits_in_use"] == 0 and endpoint["uprgi"] == endpoint["rf"] == 0
        assert result["guest"]["endings"]["success"] >= 2
        assert result["interrupts"]["writes"] > 0
        for name in ("I1", "I2", "I3", "I10"):
            assert result["invariants"][name]["checked"] > 0, name


def hardware_serves_a_driver_as_well():
    result = result_of("yes", 0, "--as-hardware", "--functions", "2")
    assert result["machine"] == "hardware" and "invariants" not in result
    one, other = result["functions"]
    assert one["responses"]["success"] >= 2 and one["credits_in_use"] == 0, one
    assert other["requests"] == 0, other


def bus_mastering_is_the_guest_s():
    nothing_is_broken(result_of("master", 0))


def a_function_that_its_guest_resets_pages_again():
    result = result_of("flr", 0)
    nothing_is_broken(result)
    assert result["guest"]["endings"]["reset"] >= 2, result["guest"]["endings"]
    assert result["endpoints"][0]["uprgi"] == 0


def a_function_that_keeps_what_it_was_told_to_forget_is_found():
    done = serve("yes", "--break", "invalidations")
    assert done.returncode == 1, done.returncode
    assert "machine.held_count > 0" in done.stderr, done.stderr


def what_the_program_says_is_the_verdict():
    for role, end in ("no", "no"), ("silent", "silent"):
        result = result_of(role, 1)
        assert result["program"]["end"] == end and len(result["problems"]) == 1, result
        nothing_is_broken(result)


def a_machine_that_dies_with_groups_open_is_let_go():
    file = os.path.join(scratch.name, "die.iopf")
    result = result_of("die", 1, "--record", file)
    nothing_is_broken(result)
    assert result["program"]["end"] == "killed"
    assert result["problems"] == ["the program was killed by signal 9 (Killed)"]
    assert result["guest"]["groups_at_end"] >= 2, result["guest"]
    assert result["guest"]["endings"]["detach"] >= 2, result["guest"]["endings"]
    assert result["endpoints"][0]["credits_in_use"] == 0
    done = subprocess.run([trace, file], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    holds_for_the_judge(file)
    text = pathlib.Path(file).read_text()
    assert " kill " in text and "interface=function" in text, text[:500]


def it_may_die_at_any_time():
    """As long as it lives: how often it looks whether something is done is its own chance."""
    last, died = 1, 0
    while True:
        done = serve(f"flr {last}", "--json")
        result = json.loads(done.stdout)
        nothing_is_broken(result)
        assert result["endpoints"][0]["credits_in_use"] == 0, last
        if result["program"]["end"] == "yes":
            break
        assert result["problems"] == ["the program was killed by signal 9 (Killed)"], last
        died += 1
        last += 4
    assert done.returncode == 0 and died > 25, (done.returncode, died)


def a_window_elsewhere_is_said():
    done = serve("elsewhere", "--window", WINDOW)
    assert done.returncode == 3, done.returncode
    assert done.stderr == f"iopf: window is at 0xfe000000, not at {WINDOW}\n", done.stderr
    assert result_of("elsewhere", 0)["window"]["addr"] == "0xfe000000"


def what_is_no_message_ends_it():
    for role in "garbage", "cut":
        result = result_of(role, 1)
        assert result["program"]["end"] == "stopped"
        assert result["problems"] == ["the program sent what is no message of a proxied device"]
        assert result["window"]["broken"] == 1
        nothing_is_broken(result)


def any_access_is_answered():
    result = result_of("random", 0)
    nothing_is_broken(result)
    assert result["window"]["misplaced"] > 1000 and result["window"]["reads"] > 10000
    assert serve("random", "--as-hardware").returncode == 0


def descriptors_that_come_along_are_closed():
    result = result_of("descriptors", 0)
    assert result["window"]["descriptors"] == 800, result["window"]


def a_machine_that_starts_anew_is_not_served_on():
    result = result_of("again", 1)
    assert result["problems"] == ["the machine was reset: it is to be run -no-reboot"]


def its_time_is_bounded():
    begun = time.monotonic()
    result = result_of("deaf", 1, "--seconds", "0.2")
    assert result["program"]["end"] == "time" and time.monotonic() - begun < 20
    assert result["problems"] == ["the program had not ended after 0.2 s"], result["problems"]


def waiting(*options):
    """Serves a machine that waits with groups open; its own words go where JSON goes."""
    process = subprocess.Popen(words("wait", "--json", *options), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waits\n"
    return process


def signals_clean_up():
    for number in signal.SIGINT, signal.SIGTERM:
        for options in [], ["--smmuv3"]:
            process = waiting(*options)
            process.send_signal(number)
            out, err = process.communicate(timeout=LIMIT_S)
            assert process.returncode == 128 + number, (process.returncode, err)
            result = json.loads(out)
            assert result["program"]["end"] == "stopped", result["program"]
            assert result["ok"] is True, result["problems"]
            nothing_is_broken(result)
            nothing_is_left()


def the_program_dies_with_it():
    for options in [], ["--smmuv3"]:
        process = waiting(*options)
        process.kill()
        process.communicate(timeout=LIMIT_S)
        nothing_is_left()


def stalls_are_served_through_registers_in_memory():
    for role in "yes", "looks", "many", "quiet":
        result = result_of(role, 0, "--smmuv3")
        nothing_is_broken(result)
        assert result["machine"] == "stream" and result["program"]["end"] == "yes", role
        assert result["program"]["exit_code"] == 0, result["program"]
        assert result["endpoints"][0]["credits_in_use"] == 0, role
        assert result["interrupts"]["lost"] == 0, result["interrupts"]
        for name in ("I1", "I2", "I3", "I10"):
            assert result["invariants"][name]["checked"] > 0, (role, name)


def a_machine_that_dies_with_stalls_open_is_let_go():
    file = os.path.join(scratch.name, "stream.iopf")
    begun = time.monotonic()
    result = result_of("die", 1, "--smmuv3", "--record", file)
    assert time.monotonic() - begun < 20
    nothing_is_broken(result)
    assert result["problems"] == ["the program was killed by signal 9 (Killed)"]
    assert result["guest"]["groups_at_end"] >= 1, result["guest"]
    assert result["endpoints"][0]["credits_in_use"] == 0
    assert result["interrupts"]["lost"] == 0, result["interrupts"]
    done = subprocess.run([trace, file], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    holds_for_the_judge(file)
    assert " kill " in pathlib.Path(file).read_text()


def what_its_device_was_told_is_a_verdict_of_a_program_that_ended_well():
    for role, end, code in (("no", "no", 0), ("silent", "silent", 0), ("both", "no", 35),
                            ("crash", "killed", None)):
        result = result_of(role, 1, "--smmuv3")
        assert result["program"]["end"] == end, (role, result["program"])
        assert result["program"]["exit_code"] == code and len(result["problems"]) == 1, result
        nothing_is_broken(result)


def registers_in_memory_may_be_written_with_anything():
    nothing_is_broken(result_of("scribble", 0, "--smmuv3"))


def what_is_of_no_use_ends_with_2_and_what_is_missing_with_3():
    for options in ([], ["--vtd"], ["--vtd", "--break", "nothing", "--", "true"],
                    ["--", "true"], ["--vtd", "--levels", "3", "--", "true"],
                    ["--vtd", "--memory-mib", "8", "--", "true"],
                    ["--vtd", "--functions", "2", "--", "true"],
                    ["--vtd", "--as-hardware", "--record", "/nonexistent/x", "--", "true"],
                    ["--vtd", "--as-hardware", "--levels", "4", "--", "true"],
                    ["--vtd", "--smmuv3", "--", "true"],
                    ["--vtd", "--window", "0xfe400008", "--", "true"],
                    ["--smmuv3", "--as-hardware", "--", "true"],
                    ["--smmuv3", "--window", WINDOW, "--", "true"],
                    ["--smmuv3", "--levels", "5", "--", "true"]):
        done = subprocess.run([iopf, "serve", *options], capture_output=True, text=True,
                              timeout=LIMIT_S)
        assert done.returncode == 2 and done.stderr.startswith("iopf: "), (options, done)
    done = subprocess.run([iopf, "serve", "--vtd", "--", "/no/such/program"],
                          capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 3, done
    assert done.stderr == "iopf: /no/such/program: No such file or directory\n", done.stderr


def the_words_for_people_fit_a_terminal():
    done = serve("yes")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "everything holds" and max(map(len, lines)) <= 100, done.stdout


sys.exit(cases.play([
    a_driver_s_faults_are_served_end_to_end,
    hardware_serves_a_driver_as_well,
    bus_mastering_is_the_guest_s,
    a_function_that_its_guest_resets_pages_again,
    a_function_that_keeps_what_it_was_told_to_forget_is_found,
    what_the_program_says_is_the_verdict,
    a_machine_that_dies_with_groups_open_is_let_go,
    it_may_die_at_any_time,
    a_window_elsewhere_is_said,
    what_is_no_message_ends_it,
    any_access_is_answered,
    descriptors_that_come_along_are_closed,
    a_machine_that_starts_anew_is_not_served_on,
    its_time_is_bounded,
    signals_clean_up,
    the_program_dies_with_it,
    nothing_is_left,
    stalls_are_served_through_registers_in_memory,
    a_machine_that_dies_with_stalls_open_is_let_go,
    what_its_device_was_told_is_a_verdict_of_a_program_that_ended_well,
    registers_in_memory_may_be_written_with_anything,
    what_is_of_no_use_ends_with_2_and_what_is_missing_with_3,
    the_words_for_people_fit_a_terminal,
]))
