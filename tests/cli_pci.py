#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""cli_pci.py IOPF - iopf pci finds what is broken, and nothing else; any input ends it.

The function of the model, switched on, is what everything begins with: each test breaks one
thing in its configuration space, or in a sysfs of our own, and looks at the line about it.
"""
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

IOPF = sys.argv.pop(1)
AER, ATS, PRI, PASID, EXPRESS, MSI = 0x100, 0x180, 0x190, 0x1a0, 0x40, 0x80
ID = "0000:03:02.0"


def run(*arguments, stdin=b""):
    ran = subprocess.run([IOPF, "pci", *arguments], input=stdin, capture_output=True,
                         timeout=60, check=False)
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def model_text():
    code, text, _ = run("--model")
    assert code == 0
    return text


def read_bytes(text):
    lines = re.findall(r"^[0-9a-f]{2,3}:((?: [0-9a-f]{2}){16})$", text, re.M)
    return bytearray(bytes.fromhex("".join(lines)))


def put(space, at, size, value):
    space[at:at + size] = value.to_bytes(size, "little")


def get(space, at, size):
    return int.from_bytes(space[at:at + size], "little")


def bits(space, at, size, set_bits, clear=0):
    put(space, at, size, (get(space, at, size) & ~clear) | set_bits)


def extended(space, at, kind, following):
    put(space, at, 4, following << 20 | 1 << 16 | kind)


def good():
    """The model's function as it pages."""
    space = read_bytes(model_text())
    bits(space, 0x04, 2, 6)
    bits(space, PASID + 6, 2, 1)
    bits(space, ATS + 6, 2, 0x8000)
    bits(space, PRI + 4, 2, 1)
    bits(space, PRI + 6, 2, 0, 0x0100)
    put(space, PRI + 12, 4, 32)
    return space


def dump(space, name="03:02.0"):
    lines = [f"{name} Processing accelerators: somebody's"] if name else []
    lines.append("\tKernel driver in use: somebody")
    lines += [f"{at:02x}: {bytes(space[at:at + 16]).hex(' ')}"
              for at in range(0, len(space), 16)]
    return ("\n".join(lines) + "\n\n").encode()


def links_of(said):
    return {link["link"]: link for link in json.loads(said)["links"]}


class Dumps(unittest.TestCase):
    def look(self, *spaces, names=("03:02.0", "03:02.1"), options=()):
        text = b"".join(dump(space, name) for space, name in zip(spaces, names))
        code, out, err = run("--json", *options, "-", stdin=text)
        self.assertIn(code, (0, 1), err)
        said = json.loads(out)
        broken = [link for link in said["links"] if link["state"] in ("off", "missing")]
        self.assertEqual(said["ok"], not broken)
        self.assertEqual(code, 1 if broken else 0)
        for link in broken:
            self.assertTrue(link["advice"], link)
        return links_of(out)

    def check(self, space, link, state, text, *, options=(), also=()):
        """@link is in @state, and says so; what else is broken is in @also."""
        links = self.look(space, options=options)
        self.assertEqual(links[link]["state"], state, links[link])
        self.assertRegex(links[link]["text"], text)
        broken = {name for name, it in links.items() if it["state"] in ("off", "missing")}
        self.assertEqual(broken, ({link} if state in ("off", "missing") else set()) | set(also))

    def test_a_function_that_pages(self):
        links = self.look(good())
        self.assertEqual({link["state"] for link in links.values()}, {"ok", "unknown"})
        self.assertEqual(list(links), ["present", "express", "power", "bus-master", "ats", "pri",
                                       "pasid", "prefixes", "pasid-on", "ats-on", "pri-on",
                                       "allocation", "failure", "errors", "machine"])

    def test_registers_are_said(self):
        space = good()
        bits(space, PRI + 6, 2, 0x8000)
        put(space, AER + 4, 4, 0x00100000)
        _, out, _ = run("--json", "-", stdin=dump(space))
        said = json.loads(out)
        self.assertEqual(said["schema"], "iopf.pci/1")
        self.assertEqual((said["function"], said["source"]), (ID, "dump"))
        self.assertEqual((said["vendor"], said["device"], said["class"]),
                         ("0x1234", "0x5a5a", "0x120000"))
        self.assertEqual(said["ats"], {"offset": "0x180", "enabled": True, "stu": 0,
                                       "queue_depth": 0, "page_aligned": True,
                                       "global_invalidate": True})
        self.assertEqual(said["pri"], {"offset": "0x190", "enabled": True, "stopped": False,
                                       "response_failure": False, "unexpected_response": False,
                                       "response_pasid": True, "capacity": 64, "allocation": 32})
        self.assertEqual(said["pasid"]["width"], 20)
        self.assertEqual(said["aer"]["uncorrectable"], "0x100000")
        _, out, _ = run("-", stdin=dump(space))
        self.assertRegex(out, r"(?m)^  pri +0x190  enabled, response_pasid, capacity 64, "
                              r"allocation 32$")
        self.assertRegex(out, rf"(?m)^{ID} can page$")

    def test_nobody_answers(self):
        links = self.look(bytearray(b"\xff" * 4096))
        self.assertEqual(list(links), ["present"])
        self.assertEqual(links["present"]["state"], "missing")

    def test_a_dump_of_a_function_that_is_gone(self):
        code, out, _ = run("-", stdin=b"\xff" * 4096)
        self.assertEqual(code, 1)
        self.assertRegex(out, r"(?m)^missing  present")

    def test_a_bridge(self):
        space = good()
        space[0x0e] = 0x81
        self.check(space, "present", "missing", "bridge")

    def test_conventional(self):
        space = good()
        space[0x34] = MSI
        self.check(space, "express", "missing", "no PCI Express")
        self.check(space[:256], "express", "missing", "no PCI Express")

    def test_asleep(self):
        space = good()
        space[MSI + 1] = 0xc0
        put(space, 0xc0, 8, 0x0003_0000_0001)
        self.assertEqual(space[0xc4], 3)
        self.check(space, "power", "off", "D3")
        space[0xc4] = 0
        self.check(space, "power", "ok", "awake")

    def test_bus_master(self):
        space = good()
        bits(space, 0x04, 2, 0, 4)
        self.check(space, "bus-master", "off", "Bus Master")

    def test_capabilities(self):
        space = good()
        extended(space, AER, 1, PRI)
        self.check(space, "ats", "missing", "no ATS")
        space = good()
        extended(space, ATS, 0xf, PASID)
        self.check(space, "pri", "missing", "no page request")
        space = good()
        put(space, PRI + 8, 4, 0)
        self.check(space, "pri", "missing", "capacity 0")
        space = good()
        extended(space, PRI, 0x13, 0)
        self.check(space, "pasid", "missing", "no PASID")
        self.assertNotIn("pasid", self.look(space, options=["--no-pasid"]))
        for width in (0, 21):
            space = good()
            space[PASID + 5] = width
            self.check(space, "pasid", "missing", f"{width} bits")

    def test_prefixes(self):
        space = good()
        bits(space, EXPRESS + 0x24, 4, 0, 1 << 21)
        self.check(space, "prefixes", "missing", "prefixes")
        self.assertNotIn("prefixes", self.look(space, options=["--no-pasid"]))

    def test_pasid_comes_before_ats(self):
        space = good()
        bits(space, PASID + 6, 2, 0, 1)
        self.check(space, "pasid-on", "off", "and ATS is on")
        self.assertRegex(self.look(space)["pasid-on"]["advice"], "switch PRI and ATS off")
        bits(space, ATS + 6, 2, 0, 0x8000)
        self.check(space, "pasid-on", "off", "PASIDs are off$", also=["ats-on"])

    def test_ats(self):
        space = good()
        bits(space, ATS + 6, 2, 0, 0x8000)
        self.check(space, "ats-on", "off", "ATS is off")
        space = good()
        bits(space, ATS + 6, 2, 4)
        self.check(space, "ats-on", "off", r"2\^16 bytes")

    def test_pri(self):
        space = good()
        bits(space, PRI + 4, 2, 0, 1)
        self.check(space, "pri-on", "off", "still outstanding")
        bits(space, PRI + 6, 2, 0x100)
        self.check(space, "pri-on", "off", "are off$")
        space = good()
        put(space, PRI + 12, 4, 0)
        self.check(space, "allocation", "off", "the allocation is 0")
        put(space, PRI + 12, 4, 65)
        self.check(space, "allocation", "note", "65, a capacity of 64")

    def test_states(self):
        space = good()
        bits(space, PRI + 6, 2, 1)
        self.check(space, "failure", "off", "Response Failure")
        space = good()
        bits(space, PRI + 6, 2, 2)
        self.check(space, "failure", "note", "not outstanding")

    def test_errors(self):
        space = good()
        put(space, AER + 4, 4, 1 << 16 | 1 << 25)
        self.check(space, "errors", "note", "unexpected completion, TLP prefix blocked$")
        space = good()
        extended(space, AER, 0x0b, ATS)
        self.check(space, "errors", "note", "no AER")

    def virtual(self):
        space = good()
        extended(space, ATS, 0xf, 0)
        return space

    def physical(self):
        space = good()
        extended(space, PASID, 0x1b, 0x200)
        extended(space, 0x200, 0x10, 0)
        put(space, 0x210, 2, 3)  # three of them
        put(space, 0x214, 2, 9)  # the first one is 9 behind
        put(space, 0x216, 2, 4)
        return space

    def test_virtual_functions_page_through_their_physical_one(self):
        names = ("03:02.0", "03:03.1")
        function = ["--function", "03:03.1"]
        links = self.look(self.physical(), self.virtual(), names=names, options=function)
        self.assertRegex(links["virtual"]["text"], f"those of {ID}")
        self.assertEqual(links["pri"]["state"], "ok")
        self.assertEqual(links["pasid"]["state"], "ok")
        # What is off there is off here.
        space = self.physical()
        bits(space, PRI + 6, 2, 1)
        links = self.look(space, self.virtual(), names=names, options=function)
        self.assertEqual(links["failure"]["state"], "off")
        # All have one unit.
        space = self.physical()
        bits(space, ATS + 6, 2, 1)
        links = self.look(space, self.virtual(), names=names, options=function)
        self.assertRegex(links["ats-on"]["text"], "not its physical")
        # The last of three, and one behind it, and one between.
        for name, state in (("03:04.1", "ok"), ("03:04.5", "missing"), ("03:03.2", "missing")):
            links = self.look(self.physical(), self.virtual(), names=("03:02.0", name),
                              options=["--function", name])
            self.assertEqual(links["pri"]["state"], state, name)

    def test_a_virtual_function_alone(self):
        space = self.virtual()
        put(space, 0, 4, 0xffffffff)
        links = self.look(space)
        self.assertEqual(links["virtual"]["state"], "unknown")
        self.assertEqual(links["pri"]["state"], "unknown")
        self.assertEqual(links["pasid"]["state"], "unknown")
        self.assertNotIn("pri-on", links)

    def test_bytes_are_read_as_text_is(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(good())
            file.flush()
            code, out, _ = run("--json", file.name)
        self.assertEqual(code, 0)
        self.assertIsNone(json.loads(out)["function"])
        self.assertEqual(run("--json", "-", stdin=dump(good(), None))[1], out)

    def test_what_is_not_enough(self):
        for size in (64, 256):
            for text in (bytes(good()[:size]), dump(good()[:size])):
                code, out, err = run("-", stdin=text)
                self.assertEqual((code, out), (3, ""))
                self.assertRegex(err, f"{size} of 4096 bytes.*as root")


class Malformed(unittest.TestCase):
    def refused(self, text, message, options=()):
        code, out, err = run(*options, "-", stdin=text)
        self.assertEqual((code, out), (2, ""), err)
        self.assertRegex(err, message)

    def test_lines(self):
        whole = dump(good())
        self.refused(b"", "no line of bytes")
        self.refused(b"hello\n", "no line of bytes")
        self.refused(whole.replace(b"\n10: ", b"\n20: ", 1), "-:4: offset 0x20; the next one is "
                                                             "0x10, of 0x1000")
        self.refused(whole.replace(b"\n20: 0", b"\n20: x", 1), "-:5: not 16 bytes of two")
        self.refused(whole.replace(b"\n20: 00", b"\n20:", 1), "-:5: not 16 bytes of two")
        self.refused(whole.replace(b"\n30: ", b"\n30: 00 ", 1), "-:6: not 16 bytes of two")
        self.refused(dump(good()[:80]), "0000:03:02.0 has 80 bytes.*64, 256 or 4096")
        self.refused(dump(good()[:32]) + dump(good(), "03:02.1"), "-:6: .* has 32 bytes")
        self.refused(dump(good() + bytearray(16)), "-:259: offset 0x1000")
        self.refused(bytes(100), "100 bytes; a space has 64, 256 or 4096")
        self.refused(b"\n" * (16 << 20) + b"x", "more than 16777216 bytes")

    def test_functions(self):
        two = dump(good()) + dump(good(), "03:02.1")
        self.refused(two, "2 functions; --function says which: the first is 0000:03:02.0")
        self.refused(two, "2 functions, and not this one", ["--function", "0001:03:02.1"])
        self.refused(two, r"\[DDDD:\]BB:DD.F", ["--function", "03:32.8"])
        self.assertEqual(run("--function", "03:02.1", "-", stdin=two)[0], 0)
        self.assertEqual(run("-", stdin=dump(good(), "0000:03:02.0"))[0], 0)

    def test_lists_that_loop_or_lead_out(self):
        space = good()
        extended(space, PASID, 0x1b, ATS)
        self.refused(dump(space), "an extended capability list loops at 0x180")
        extended(space, PASID, 0x1b, 0x80)
        self.refused(dump(space), "is said to lie at 0x80; they lie from 0x100 to 0xffc")
        space = good()
        space[MSI + 1] = MSI
        self.refused(dump(space), "a capability list loops at 0x80")
        space[MSI + 1] = 0x3c
        self.refused(dump(space), "is said to lie at 0x3c; they lie from 0x40 to 0xfc")

    def test_usage(self):
        for arguments in ([], ["--model", "-"], ["-", "-"]):
            self.assertEqual(run(*arguments)[0], 2)
        code, _, err = run("/nowhere/at/all")
        self.assertEqual(code, 2)
        self.assertRegex(err, "/nowhere/at/all: No such file")

    def test_any_bytes_end_it(self):
        chance = random.Random(1)
        text, space = bytearray(dump(good())), good()
        for turn in range(150):
            mutant = bytearray(text if turn % 2 else space)
            for _ in range(chance.choice((1, 3, 40))):
                mutant[chance.randrange(len(mutant))] = chance.choice(b"\0\xff\n :0a9z")
            code, _, err = run("-", stdin=bytes(mutant))
            self.assertIn(code, (0, 1, 2, 3), err)
            self.assertEqual(err == "", code in (0, 1), err)


class Machine(unittest.TestCase):
    ECAP = 1 << 2 | 1 << 29 | 1 << 40 | 1 << 42 | 1 << 43

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.device = self.add(ID, good())
        if "without libpci" in run("--sysfs", str(self.root), ID)[2]:
            self.skipTest("-Dlibpci=disabled")
        (self.root / "dev").mkdir()
        (self.root / "dev/iommu").touch()
        group = self.root / "kernel/iommu_groups/7"
        group.mkdir(parents=True)
        (group / "type").write_text("DMA-FQ\n")
        (self.device / "iommu_group").symlink_to(group)
        (self.device / "vfio-dev/vfio0").mkdir(parents=True)
        self.drive("vfio-pci")
        self.iommu("dmar3", "intel-iommu/ecap", self.ECAP)

    def add(self, name, space):
        device = self.root / "bus/pci/devices" / name
        device.mkdir(parents=True)
        (device / "config").write_bytes(space)
        return device

    def drive(self, name):
        link = self.device / "driver"
        link.unlink(missing_ok=True)
        if name:
            link.symlink_to(f"../../../../bus/pci/drivers/{name}")

    def iommu(self, name, file=None, features=0):
        link = self.device / "iommu"
        link.unlink(missing_ok=True)
        link.symlink_to(f"../../virtual/iommu/{name}")
        if file:
            path = self.root / "class/iommu" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{features:x}\n")

    def look(self, *options, name="03:02.0"):
        code, out, err = run("--json", "--sysfs", str(self.root), "--dev",
                             str(self.root / "dev"), *options, name)
        self.assertIn(code, (0, 1), err)
        self.assertEqual(json.loads(out)["source"], "machine")
        return code, links_of(out)

    def check(self, link, state, text, *options):
        code, links = self.look(*options)
        self.assertEqual(links[link]["state"], state, links[link])
        self.assertRegex(links[link]["text"], text)
        self.assertEqual(code, 1 if state in ("off", "missing") else 0)

    def test_a_machine_where_it_pages(self):
        code, links = self.look()
        self.assertEqual(code, 0)
        self.assertEqual({link["state"] for link in links.values()}, {"ok"})
        self.assertEqual(links["iommu"]["text"], "IOMMU group 7, behind dmar3")
        self.assertEqual(list(links)[-4:], ["iommu", "iommu-kind", "driver", "iommufd"])

    def move_below(self, port, space):
        """The function is where the tree of devices has it: below the port."""
        tree = self.root / "devices/pci0000:00" / port
        tree.mkdir(parents=True)
        (tree / "config").write_bytes(space)
        shutil.move(self.device, tree / ID)
        self.device.symlink_to(tree / ID)
        (self.root / "bus/pci/devices" / port).symlink_to(tree)

    def test_ports(self):
        port = good()
        extended(port, PASID, 0x1b, 0x200)
        extended(port, 0x200, 0x0d, 0)
        put(port, 0x206, 2, 0x14)
        self.move_below("0000:00:01.0", port)
        self.assertNotIn("ports", self.look()[1])
        put(port, 0x206, 2, 0x10)
        (self.device.parent / "0000:00:01.0/config").write_bytes(port)
        self.check("ports", "note", "0000:00:01.0 above it does not redirect")
        bits(port, EXPRESS + 0x24, 4, 0, 1 << 21)
        (self.device.parent / "0000:00:01.0/config").write_bytes(port)
        self.check("ports", "missing", "0000:00:01.0 above it passes no")
        self.assertNotIn("ports", self.look("--no-pasid")[1])

    def test_its_space_is_looked_at_too(self):
        space = good()
        bits(space, PRI + 6, 2, 1)
        (self.device / "config").write_bytes(space)
        self.check("failure", "off", "Response Failure")

    def test_no_iommu(self):
        (self.device / "iommu_group").unlink()
        self.check("iommu", "missing", "above this function")
        shutil.rmtree(self.root / "kernel")
        self.check("iommu", "missing", "in this machine")

    def test_vtd(self):
        for bit, text in ((2, "DT"), (43, "SMTS"), (29, "PRS"), (42, "PDS"), (40, "PASID")):
            self.iommu("dmar3", "intel-iommu/ecap", self.ECAP & ~(1 << bit))
            self.check("iommu-kind", "missing", f"Intel VT-d without .*ECAP.{text}")
        self.check("iommu-kind", "ok", "Intel VT-d", "--no-pasid")  # it lacks PASIDs alone

    def test_amd(self):
        for features, text in ((0x10, "PPRSup"), (0x02, "GTSup")):
            self.iommu("ivhd0", "amd-iommu/features", features)
            self.check("iommu-kind", "missing", f"AMD without .*{text}")
        self.iommu("ivhd0", "amd-iommu/features", 0x12)
        self.check("iommu-kind", "ok", "AMD")

    def test_other_iommus(self):
        for name, state, text in (("smmu3.0x2b400000", "ok", "Arm SMMUv3"),
                                  ("riscv-iommu@1000", "ok", "RISC-V"),
                                  ("virtio3", "unknown", "virtio3: an IOMMU of another kind")):
            self.iommu(name)
            self.check("iommu-kind", state, text)

    def test_identity(self):
        (self.device / "iommu_group/type").write_text("identity\n")
        self.check("translation", "note", "not translated")

    def test_drivers(self):
        self.drive(None)
        self.check("driver", "off", "nothing drives it")
        self.drive("nvme")
        self.check("driver", "off", "driven by nvme")
        self.drive("mlx5_vfio_pci")
        self.check("driver", "ok", "driven by mlx5_vfio_pci")
        shutil.rmtree(self.device / "vfio-dev")
        self.check("driver", "missing", "without a character device")

    def test_no_iommufd(self):
        (self.root / "dev/iommu").unlink()
        self.check("iommufd", "missing", "no .*/dev/iommu")

    def test_a_virtual_function(self):
        space = good()
        extended(space, ATS, 0xf, 0)
        (self.device / "config").write_bytes(space)
        physical = self.add("0000:03:00.0", good())
        (self.device / "physfn").symlink_to("../0000:03:00.0")
        code, links = self.look()
        self.assertEqual(code, 0)
        self.assertRegex(links["virtual"]["text"], "0000:03:00.0")
        space = good()
        put(space, PRI + 12, 4, 0)
        (physical / "config").write_bytes(space)
        self.check("allocation", "off", "is 0")

    def test_who_is_not_there_or_not_to_be_read(self):
        sysfs = ["--sysfs", str(self.root)]
        code, out, err = run(*sysfs, "03:02.1")
        self.assertEqual((code, out), (3, ""))
        self.assertRegex(err, "0000:03:02.1: no such function under .*; lspci -D lists them")
        for size in (64, 256):
            (self.device / "config").write_bytes(good()[:size])
            code, out, err = run(*sysfs, ID)
            self.assertEqual((code, out), (3, ""))
            self.assertRegex(err, f"{size} of 4096 bytes")
        (self.device / "config").unlink()
        code, out, err = run(*sysfs, ID)
        self.assertEqual((code, out), (3, ""))
        self.assertRegex(err, "cannot be read")


@unittest.skipUnless(shutil.which("lspci"), "no pciutils")
class Pciutils(unittest.TestCase):
    LINES = """03:02.0 Processing accelerators: Device 1234:5a5a
Express (v2) Endpoint
EETLPPrefix+, MaxEETLPPrefixes 1
MSI: Enable- Count=1/1 Maskable- 64bit+
Advanced Error Reporting
Address Translation Service (ATS)
ATSCtl:	Enable-, Smallest Translation Unit: 00
Page Request Interface (PRI)
PRISta: RF- UPRGI- Stopped+
Page Request Capacity: 00000040, Page Request Allocation: 00000000
Process Address Space ID (PASID)
PASIDCap: Exec+ Priv+, Max PASID Width: 14"""

    def test_the_model_is_read_as_what_it_is(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(model_text())
            file.flush()
            said = subprocess.run(["lspci", "-F", file.name, "-vvv"], capture_output=True,
                                  text=True, check=True).stdout
            bytes_again = subprocess.run(["lspci", "-F", file.name, "-xxxx"], text=True,
                                         capture_output=True, check=True).stdout
        for line in self.LINES.split("\n"):
            self.assertIn(line, said)
        # And what pciutils writes is read here.
        self.assertEqual(read_bytes(bytes_again)[:0x200], read_bytes(model_text())[:0x200])
        code, out, _ = run("-", stdin=bytes_again.encode())
        self.assertEqual(code, 1)
        self.assertRegex(out, r"cannot page: 4 links are broken")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
