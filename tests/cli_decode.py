#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""cli_decode.py IOPF - what a person sees of `iopf decode` and `iopf encode`: fields, problems,
queues, byte orders, codes; and that one is the inverse of the other, for every golden vector."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import cases

iopf = sys.argv[1]
vectors = pathlib.Path(__file__).resolve().parent / "vectors"
directory = tempfile.TemporaryDirectory()
scratch = pathlib.Path(directory.name)

PRQ = ("0x0001234503100101", "0x00007f0012345d5f", "0", "0")
EVENT = ("0x0000004000007810", "0x0000020080008003", "0x00007f0012345678", "0")
# What the first word of a line in tests/vectors stands for, where it is no record's name.
ROLES = {
    ("vtd", "page_request"): "prq", ("vtd", "command"): "iq",
    ("smmuv3", "page_request"): "priq", ("smmuv3", "command"): "cmdq",
    ("smmuv3", "event"): "evtq", ("smmuv2", "event"): "fault",
    ("pcie", "message"): "page-request", ("pcie", "marker"): "stop-marker",
    ("pcie", "prg"): "prg-response",
    ("amd", "page_request"): "ppr", ("amd", "command"): "cmd", ("amd", "event"): "evt",
    ("riscv", "page_request"): "pq", ("riscv", "command"): "cq", ("riscv", "event"): "fq",
}


def run(*words, text=None, code=0):
    done = subprocess.run([iopf, *words], input=text, capture_output=True, timeout=60,
                          check=False, text=not isinstance(text, bytes))
    assert done.returncode == code, (words, done)
    return done


def decoded(*words, code=0, **how):
    said = json.loads(run("decode", "--json", *words, code=code, **how).stdout)
    assert said["schema"] == "iopf.decode/1" and said["ok"] == (code == 0), said
    return said


def fields_of(said):
    return {field["name"]: field["value"] for field in said["fields"]}


def refused(says, *words, **how):
    done = run(*words, code=2, **how)
    assert says in done.stderr and not done.stdout, (words, done)


def families():
    listed = json.loads(run("decode", "--list", "--json").stdout)["records"]
    records = {one["record"]: one["sizes_bytes"] for one in listed}
    lines = run("decode", "--list").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(records), lines
    return records


def every_record_is_listed_with_its_sizes():
    records = families()
    assert records["vtd.iq"] == [32, 16] and records["smmuv3.evtq"] == [32], records
    assert records["iommufd.fault"] == [40] and records["pcie.pri-cap"] == [16], records
    for name, sizes in records.items():
        for size in sizes:
            words = ["0"] * (size // 8)
            done = subprocess.run([iopf, "decode", "--size", str(size), name, *words],
                                  capture_output=True, text=True, check=False)
            assert done.returncode in (0, 1) and done.stdout.startswith(name), done


def golden_lines():
    """(record, words) of every line that is no mask, and is written as it is read."""
    for file in sorted(vectors.glob("*.txt")):
        for line in file.read_text().splitlines():
            said = line.split("#")[0].split(":")[0].split()
            if not said or "." in said[0] or said[0].endswith("_read"):
                continue
            word = said[0].removeprefix("plain_")
            name = ROLES.get((file.stem, word), word.replace("_", "-"))
            yield (f"{file.stem.removesuffix('-structures')}.{name}",
                   [f"{int(number, 0):#018x}" for number in said[1:]])


def what_is_decoded_is_encoded_again():
    records, count = families(), 0
    for name, words in golden_lines():
        assert name in records, name
        size = str(8 * len(words))
        said = decoded("--size", size, name, *words)
        given = [f"{field}={value}" for field, value in fields_of(said).items()
                 if int(value, 16) != 0]
        again = run("encode", "--size", size, name, *given).stdout.split()
        assert again == words, (name, given, words, again)
        count += 1
    assert count > 100, count


def a_field_has_its_bits_its_value_and_its_meaning():
    said = decoded("smmuv3.evtq", *EVENT)
    fields = {field["name"]: field for field in said["fields"]}
    assert said["record"] == "smmuv3.evtq" and said["problems"] == []
    assert fields["stag"] == {"name": "stag", "word": 1, "low": 0, "width": 16,
                              "value": "0x8003", "means": None,
                              "text": "tag of the stalled transaction"}, fields["stag"]
    assert fields["id"]["means"] == "F_TRANSLATION" and fields["class"]["means"] == "in"
    text = run("decode", "smmuv3.evtq", *EVENT).stdout
    assert re.search(r"^  1   15:0  stag +0x8003 +tag of the stalled", text, re.M), text
    assert "F_TRANSLATION: nothing is mapped there; number of the event" in text, text


def what_is_wrong_is_said_and_ends_with_1():
    for record, words, says in (
            ("vtd.prq", ("0x0020000003100001", "0x1001", "0", "0"),
             [("pm", "it counts only with pasid_present 1")]),
            ("vtd.prq", ("0x0001234503100101", "0x1004", "0", "0"),
             [("addr", "a stop marker has no address")]),
            ("vtd.prq", ("0x2", "0", "0", "0"), [("type", "this value is reserved")]),
            ("vtd.iq", ("0x0001234503102019", "0xd58", "0", "0"),
             [("code", "this code is reserved, and counts as a failure or an error")]),
            ("vtd.iq", ("0x32", "0x1001", "0", "0"),
             [("addr", "not a multiple of the size that AM says")]),
            ("vtd.iq", ("0x5", "0", "1", "0"),
             [("end", "the words behind it are reserved, and not 0")]),
            ("vtd.iq", ("0x29", "0"),
             [("private_present", "what it announces is behind the record's end")] * 2),
            ("vtd.iq", ("0xf", "0", "0", "0"), [("kind", "nobody knows such a record")]),
            ("smmuv3.cmdq", ("0x10046", "0"), [("rsvd1", "reserved, and 0x4")]),
            ("smmuv3.cmdq", ("0x3003", "0"), [("ssid", "reserved, and 0x3")]),
            ("smmuv3.cmdq", ("0x40", "0x35"), [("size", "it is at most 0x34")]),
            ("pcie.pri-cap", ("0x10013", "0x0000000200000001"),
             [("allocation", "more than the capacity")])):
        said = decoded(record, *words, code=1)
        assert [(one["field"], one["text"]) for one in said["problems"]] == says, said
        text = run("decode", record, *words, code=1).stdout
        assert all(f"problem: {field}: {why}\n" in text for field, why in says), text


def one_record_may_be_written_in_many_ways():
    whole = fields_of(decoded("vtd.prq", *PRQ))
    halves = [f"{int(word, 16) >> shift & 0xffffffff:x}" for word in PRQ for shift in (0, 32)]
    little = b"".join(int(word, 16).to_bytes(8, "little") for word in PRQ)
    big = b"".join(int(word, 16).to_bytes(8, "big") for word in PRQ)
    file = scratch / "record"
    ways = [(("--width", "32", "vtd.prq", *halves), None),
            (("--width", "8", "vtd.prq", little.hex()), None),
            (("--width", "8", "vtd.prq", *(f"{byte:02X}" for byte in little)), None),
            (("--width", "8", "--big-endian", "vtd.prq", big.hex()), None),
            (("--big-endian", "vtd.prq", *PRQ), None),
            (("vtd.prq", "-"), "# one\n0x1000:\t0x0001234503100101,0x00007f0012345d5f\n"
                               "0x1010: 0 0 | .... |\n"),
            (("--width", "8", "vtd.prq", "-"), little.hex(" ")),
            (("--file", "-", "vtd.prq"), little),
            (("--file", "-", "--big-endian", "vtd.prq"), big)]
    for words, text in ways:
        assert fields_of(decoded(*words, text=text)) == whole, words
    file.write_bytes(little)
    assert fields_of(decoded("--file", str(file), "vtd.prq")) == whole
    # Members of a C struct change places each for itself.
    fault = decoded("--width", "8", "--big-endian", "iommufd.response", "0000000900000001")
    assert fields_of(fault) == {"cookie": "0x9", "code": "0x1"}, fault


def encode_writes_what_decode_reads():
    fields = ("pasid_present=1", "pasid=0x12345", "RID=0x310", "r=1", "w=1", "lpig=1",
              "prgi=427", "addr=0x7f0012345000")
    file = scratch / "encoded"
    said = json.loads(run("encode", "--json", "vtd.prq", *fields).stdout)
    assert said["schema"] == "iopf.encode/1" and said["ok"] and said["record"] == "vtd.prq"
    assert [int(word, 16) for word in said["words"]] == [int(word, 16) for word in PRQ], said
    for order in ((), ("--big-endian",)):
        for width in ("64", "32", "8"):
            words = run("encode", "--width", width, *order, "vtd.prq", *fields).stdout.split()
            again = decoded("--width", width, *order, "vtd.prq", *words)
            assert fields_of(again)["prgi"] == "0x1ab", again
        assert run("encode", *order, "--file", str(file), "vtd.prq", *fields).stdout == ""
        assert fields_of(decoded(*order, "--file", str(file), "vtd.prq"))["pasid"] == "0x12345"
    assert run("encode", "vtd.iq", "type=page_group_response", "code=failure",
               "rid=0x310").stdout.split()[0] == "0x000000000310f009"
    assert run("encode", "--size", "16", "vtd.iq", "type=wait", "sw=1", "status_data=7",
               "status_addr=0x1000").stdout == "0x0000000700000025 0x0000000000001000\n"


def encode_refuses_what_does_not_fit():
    for says, *words in (
            ("pasid=0x100000: it takes at most 0xfffff", "vtd.prq", "pasid=0x100000"),
            ("addr=0x1001: it takes a multiple of 0x1000, at most 0xfffffffffffff000", "vtd.prq",
             "addr=0x1001"),
            ("prgi=0x18446744073709551616: expected a number", "vtd.prq",
             "prgi=0x18446744073709551616"),
            ("r=-1: expected a number", "vtd.prq", "r=-1"),
            ("r=: expected a number", "vtd.prq", "r="),
            ("no field 'bogus' in vtd.prq; it has type pasid_present", "vtd.prq", "bogus=1"),
            ("'bogus': expected FIELD=VALUE", "vtd.prq", "bogus"),
            ("r=1: named twice", "vtd.prq", "r=1", "r=1"),
            ("rsvd0=1: reserved in vtd.prq", "vtd.prq", "rsvd0=1"),
            ("ssid=1: reserved in smmuv3.cmdq", "smmuv3.cmdq", "op=cfgi_ste", "ssid=1"),
            ("exe=0x1: it counts only with pasid_present 1", "vtd.prq", "exe=1", "r=1"),
            ("resp=0x3: this code is reserved", "smmuv3.cmdq", "op=pri_resp", "resp=3"),
            ("no such smmuv3.cmdq; op= takes prefetch_config", "smmuv3.cmdq"),
            ("no such vtd.iq; type= takes context_cache", "vtd.iq", "type=15"),
            ("op=bogus: expected a number or one of prefetch_config", "smmuv3.cmdq", "op=bogus"),
            ("private0=1: behind the end of 16 bytes", "--size", "16", "vtd.iq",
             "type=page_group_response", "private0=1"),
            ("--size 24: vtd.iq has 32 bytes", "--size", "24", "vtd.iq", "type=wait"),
            ("no record 'vtd.bogus'; iopf decode --list has all", "vtd.bogus"),
            ("--width 16: it takes 64, 32 or 8", "--width", "16", "vtd.prq"),
            ("/nonexistent/file cannot be written", "--file", "/nonexistent/file", "vtd.prq"),
            ("a RECORD is missing",)):
        refused(says, "encode", *words)


def decode_refuses_what_cannot_be_read():
    for says, *words in (
            ("no record 'vtd'", "vtd", "0"),
            ("a RECORD is missing",),
            ("there is no input", "vtd.prq"),
            ("HEX and --file are two inputs", "--file", "-", "vtd.prq", "0"),
            ("8 bytes are no vtd.prq: one has 32", "vtd.prq", "0"),
            ("'g': not hexadecimal", "vtd.prq", "0xg", "0", "0", "0"),
            ("'10000000000000000': more than 64 bits", "vtd.prq", "0x10000000000000000"),
            ("'100000000': more than 32 bits", "--width", "32", "vtd.prq", "100000000"),
            ("'123': bytes have two digits each", "--width", "8", "vtd.prq", "123"),
            ("--width 24: it takes 64, 32 or 8", "--width", "24", "vtd.prq", "0"),
            ("--size 16: vtd.prq has 32 bytes", "--size", "16", "vtd.prq", "0", "0"),
            ("none cannot be read: No such file", "--file", str(scratch / "none"), "vtd.prq"),
            ("cannot be read: Is a directory", "--file", str(scratch), "vtd.prq"),
            ("--tail is missing", "--head", "0", "smmuv3.priq", "0", "0"),
            ("there is no queue of pcie.pri-cap", "--head", "0", "--tail", "0", "pcie.pri-cap",
             "0x10013", "0")):
        refused(says, "decode", *words)
    refused("standard input:2: 'x1': not hexadecimal", "decode", "smmuv3.priq", "-",
            text="1 2\nx1 3\n")
    refused("0 bytes are no smmuv3.priq", "decode", "smmuv3.priq", "-", text="# nothing\n")


def queue(record, size, count, head, tail, *order, code=0):
    """Numbers of the records that are live in a dump of so many, in the order they are read."""
    first = {"vtd.prq": 1, "amd.ppr": 1 << 60}.get(record, 0)
    dump = b"".join(b"".join(part.to_bytes(8, "little") for part in
                             (first, 0x1000, *[0] * (size // 8 - 2))) for _ in range(count))
    said = decoded("--file", "-", "--head", str(head), "--tail", str(tail), *order, record,
                   text=dump, code=code)
    assert len(said["entries"]) == count, said
    assert sorted(one["number"] for one in said["entries"]) == list(range(count)), said
    live = [one["number"] for one in said["entries"] if one["live"]]
    assert live == [one["number"] for one in said["entries"]][:len(live)], said
    return live if code == 0 else (live, [one["text"] for one in said["problems"]])


def what_lies_between_head_and_tail_is_live():
    # VT-d: byte offsets; one is never used.
    assert queue("vtd.prq", 32, 4, 0x20, 0x60) == [1, 2]
    assert queue("vtd.prq", 32, 4, 0x60, 0x20) == [3, 0]
    assert queue("vtd.prq", 32, 4, 0x40, 0x40) == []
    # AMD: the same, of 16 bytes. RISC-V: numbers.
    assert queue("amd.ppr", 16, 4, 0x30, 0x20) == [3, 0, 1]
    assert queue("riscv.pq", 16, 4, 3, 2) == [3, 0, 1]
    # SMMUv3: numbers with a bit above them that turns over at each round.
    assert queue("smmuv3.priq", 16, 4, 1, 3) == [1, 2]
    assert queue("smmuv3.priq", 16, 4, 3, 5) == [3, 0]
    assert queue("smmuv3.priq", 16, 4, 2, 2) == []
    assert queue("smmuv3.priq", 16, 4, 2, 6) == [2, 3, 0, 1]
    assert queue("smmuv3.priq", 16, 4, 6, 2) == [2, 3, 0, 1]
    assert queue("smmuv3.priq", 16, 4, 0x80000007, 0x80000001) == [3, 0]
    live, problems = queue("smmuv3.priq", 16, 4, 1, 0x80000003, code=1)
    assert live == [1, 2] and "overflown" in problems[0], (live, problems)
    live, problems = queue("smmuv3.priq", 16, 4, 3, 1, code=1)
    assert "more records than the queue has" in problems[0], (live, problems)


def places_that_no_queue_has_are_refused():
    dump = bytes(64)
    for says, *words in (
            ("--head 0x8: in 2 records of 32 bytes it is a multiple of 32, at most 0x20",
             "--head", "8", "--tail", "0", "vtd.prq"),
            ("--tail 0x40", "--head", "0", "--tail", "0x40", "vtd.prq"),
            ("--tail 0x8: in 4 records of 16 bytes it is a multiple of 1, at most 0x7",
             "--head", "0", "--tail", "8", "smmuv3.priq")):
        done = subprocess.run([iopf, "decode", "--file", "-", *words], input=dump,
                              capture_output=True, check=False)
        assert done.returncode == 2 and says in done.stderr.decode(), done
    refused("3 records are no queue of smmuv3.priq", "decode", "--head", "0", "--tail", "0",
            "smmuv3.priq", *["0"] * 6)


def only_live_records_are_judged():
    words = ("2", "0", "0", "0", *PRQ)
    assert "type" in run("decode", "vtd.prq", *words, code=1).stdout
    text = run("decode", "--head", "0x20", "--tail", "0", "vtd.prq", *words).stdout
    assert text.splitlines()[-1] == "1 live, 1 stale, 0 problems", text
    assert "0, stale: 0x0000000000000002 0x" in text, text


def a_queue_of_commands_says_that_it_has_stopped():
    words = ("0x46", "0", "0x46", "0")
    text = run("decode", "--head", "0x01000001", "--tail", "2", "smmuv3.cmdq", *words,
               code=1).stdout
    assert "problem: queue: the queue has stopped: bits 30:24 of head say why" in text, text


sys.exit(cases.play([
    every_record_is_listed_with_its_sizes, what_is_decoded_is_encoded_again,
    a_field_has_its_bits_its_value_and_its_meaning, what_is_wrong_is_said_and_ends_with_1,
    one_record_may_be_written_in_many_ways, encode_writes_what_decode_reads,
    encode_refuses_what_does_not_fit, decode_refuses_what_cannot_be_read,
    what_lies_between_head_and_tail_is_live, places_that_no_queue_has_are_refused,
    only_live_records_are_judged, a_queue_of_commands_says_that_it_has_stopped,
]))
