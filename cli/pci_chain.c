/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/pci_chain.c - why a function can or cannot page: one link after another, and what to
 * do about each. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/pci.h"

/* Registers that paging has nothing to do with, but who pages needs them to be right. */
enum {
	HEADER_TYPE = 0x0e, /* 7 bits; 0: a function, 1: a bridge */
	POWER_CONTROL = 0x04,
	POWER_STATE = 3,
	PAGE_SHIFT = 12,
};

/* @advice lives as long as the program does. */
static void say(struct pci_finding *finding, enum pci_state state, const char *advice,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
static void say(struct pci_finding *finding, enum pci_state state, const char *advice,
		const char *format, ...)
{
	va_list arguments;

	finding->state = (uint8_t)state;
	finding->advice = advice;
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
}

static uint32_t own(const struct pci_view *view, uint32_t at, uint32_t size_bytes)
{
	return pci_get(view->own, at, size_bytes);
}

/* Of who has the PRI and the PASID. */
static uint32_t physical(const struct pci_view *view, uint32_t at, uint32_t size_bytes)
{
	return pci_get(view->physical, at, size_bytes);
}

/* True: they are not known, and that was said. */
static bool physical_unknown(const struct pci_view *view, struct pci_finding *finding)
{
	if (view->physical != NULL)
		return false;
	say(finding, PCI_UNKNOWN, NULL,
	    "it is in the physical function, which is not here");
	return true;
}

/* ---- The function ------------------------------------------------------------------- */

static void look_present(const struct pci_view *view, struct pci_finding *finding)
{
	if (own(view, CONFIG_COMMAND, 4) == UINT32_MAX)
		say(finding, PCI_MISSING,
		    "wake it or put it back: runtime power management off "
		    "(power/control: on), or a rescan of the bus",
		    "every register reads as ones: it is gone, or asleep");
	else if ((own(view, HEADER_TYPE, 1) & 0x7f) != 0)
		say(finding, PCI_MISSING, "name a function behind it",
		    "a bridge (header of type %u): bridges do not page",
		    (unsigned)own(view, HEADER_TYPE, 1) & 0x7f);
	else
		say(finding, PCI_OK, NULL, "it answers");
}

static void look_express(const struct pci_view *view, struct pci_finding *finding)
{
	if (view->map.express == 0)
		say(finding, PCI_MISSING,
		    "nothing: conventional PCI has no page requests",
		    "no PCI Express capability");
	else
		say(finding, PCI_OK, NULL, "PCI Express, capability at 0x%x",
		    view->map.express);
}

static void look_power(const struct pci_view *view, struct pci_finding *finding)
{
	uint32_t state = view->map.power == 0 ? 0 :
						own(view, view->map.power + POWER_CONTROL,
						    2) & POWER_STATE;

	if (state != 0)
		say(finding, PCI_OFF, "keep it awake: echo on > power/control",
		    "it sleeps (D%u)", state);
	else
		say(finding, PCI_OK, NULL, "it is awake");
}

static void look_master(const struct pci_view *view, struct pci_finding *finding)
{
	if ((own(view, CONFIG_COMMAND, 2) & COMMAND_BUS_MASTER) == 0)
		say(finding, PCI_OFF,
		    "its driver has to switch Bus Master Enable on (vfio-pci: the user of "
		    "the device does)",
		    "may send nothing: Bus Master Enable is off");
	else
		say(finding, PCI_OK, NULL, "it may send requests");
}

static void look_virtual(const struct pci_view *view, struct pci_finding *finding)
{
	char name[PCI_NAME_BYTES];

	if (!view->is_virtual)
		finding->state = PCI_SKIP;
	else if (view->physical == NULL)
		say(finding, PCI_UNKNOWN,
		    "give the physical function, too: lspci -xxxx of both in one file",
		    "a virtual function: its PRI and PASID belong to its physical function");
	else
		say(finding, PCI_OK, NULL,
		    "a virtual function: its PRI and PASID are those of %s",
		    pci_id_name(view->physical->id, name));
}

/* ---- Capabilities ------------------------------------------------------------------- */

static void look_ats(const struct pci_view *view, struct pci_finding *finding)
{
	if (view->map.ats == 0)
		say(finding, PCI_MISSING,
		    "nothing: it holds no translations, so it cannot ask for a page that is "
		    "missing; behind an Arm SMMU its accesses may stall instead",
		    "no ATS capability");
	else
		say(finding, PCI_OK, NULL, "ATS capability at 0x%x", view->map.ats);
}

static void look_pri(const struct pci_view *view, struct pci_finding *finding)
{
	if (physical_unknown(view, finding))
		return;
	if (view->physical_map.pri == 0)
		say(finding, PCI_MISSING,
		    view->is_virtual ?
			    "nothing: the physical function has none for it" :
			    "nothing: all its pages have to be there before it is used (a "
			    "virtual function has none of its own: name the physical one)",
		    "no page request capability");
	else if (physical(view, view->physical_map.pri + PRI_CAPACITY, 4) == 0)
		say(finding, PCI_MISSING, "nothing: its maker says that it never asks",
		    "page request capability of capacity 0");
	else
		say(finding, PCI_OK, NULL, "up to %u page requests",
		    physical(view, view->physical_map.pri + PRI_CAPACITY, 4));
}

static void look_pasid(const struct pci_view *view, struct pci_finding *finding)
{
	uint32_t width;

	finding->state = PCI_SKIP;
	if (!view->pasids || physical_unknown(view, finding))
		return;
	width = physical(view, view->physical_map.pasid + PASID_CAP, 2) >> 8 & 0x1f;
	if (view->physical_map.pasid == 0)
		say(finding, PCI_MISSING,
		    "it can page in one address space only: --no-pasid looks at that",
		    "no PASID capability: it cannot tell processes apart");
	else if (width == 0 || width > 20)
		say(finding, PCI_MISSING, "nothing: 1 to 20 bits would be right",
		    "PASIDs of %u bits", width);
	else
		say(finding, PCI_OK, NULL, "PASIDs of %u bits", width);
}

static void look_prefixes(const struct pci_view *view, struct pci_finding *finding)
{
	finding->state = PCI_SKIP;
	if (!view->pasids || view->map.express == 0)
		return;
	if ((own(view, view->map.express + EXPRESS_DEVICE_CAP2, 4) & PCI_PREFIXES) == 0)
		say(finding, PCI_MISSING,
		    "nothing: a PASID travels in such a prefix; Linux switches PASIDs on "
		    "only with it",
		    "no end-to-end TLP prefixes");
	else
		say(finding, PCI_OK, NULL, "end-to-end TLP prefixes");
}

/* ---- What is switched on ------------------------------------------------------------ */

static bool ats_is_on(const struct pci_view *view)
{
	return view->map.ats != 0 &&
	       (own(view, view->map.ats + ATS_CONTROL, 2) & ATS_ENABLE) != 0;
}

static void look_pasid_on(const struct pci_view *view, struct pci_finding *finding)
{
	uint32_t control;

	finding->state = PCI_SKIP;
	if (!view->pasids || view->physical == NULL || view->physical_map.pasid == 0)
		return;
	control = physical(view, view->physical_map.pasid + PASID_CONTROL, 2);
	if ((control & PASID_ENABLE) != 0)
		say(finding, PCI_OK, NULL, "PASIDs are on");
	else if (ats_is_on(view))
		say(finding, PCI_OFF,
		    "switch PRI and ATS off, PASID on, then ATS and PRI on: while ATS is on "
		    "PASID may not change",
		    "PASIDs are off, and ATS is on");
	else
		say(finding, PCI_OFF,
		    "its IOMMU's driver does when an address space of a PASID is attached; "
		    "before ATS",
		    "PASIDs are off");
}

/* All functions of one device have the same smallest translation unit. */
static bool units_differ(const struct pci_view *view)
{
	uint16_t at = view->physical_map.ats;

	return view->is_virtual && view->physical != NULL && at != 0 &&
	       (physical(view, at + ATS_CONTROL, 2) & ATS_STU) !=
		       (own(view, view->map.ats + ATS_CONTROL, 2) & ATS_STU);
}

static void look_ats_on(const struct pci_view *view, struct pci_finding *finding)
{
	uint32_t unit;

	finding->state = PCI_SKIP;
	if (view->map.ats == 0)
		return;
	unit = own(view, view->map.ats + ATS_CONTROL, 2) & ATS_STU;
	if (!ats_is_on(view))
		say(finding, PCI_OFF,
		    "its IOMMU's driver does when it is attached; on the kernel's command "
		    "line pci=noats forbids it",
		    "ATS is off");
	else if (units_differ(view))
		say(finding, PCI_OFF, "switch ATS off and write the same unit into both",
		    "its smallest translation unit is not its physical function's");
	else if (unit != 0)
		say(finding, PCI_OFF,
		    "switch ATS off and write the IOMMU's page size; 0 is 4 KiB",
		    "its smallest translation unit is 2^%u bytes: smaller pages cannot be "
		    "told to it",
		    (unsigned)unit + PAGE_SHIFT);
	else
		say(finding, PCI_OK, NULL, "ATS is on, in units of 4 KiB");
}

static bool has_pri(const struct pci_view *view)
{
	return view->physical != NULL && view->physical_map.pri != 0;
}

static void look_pri_on(const struct pci_view *view, struct pci_finding *finding)
{
	uint32_t status;

	finding->state = PCI_SKIP;
	if (!has_pri(view))
		return;
	status = physical(view, view->physical_map.pri + PRI_STATUS, 2);
	if ((physical(view, view->physical_map.pri + PRI_CONTROL, 2) & PRI_ENABLE) != 0)
		say(finding, PCI_OK, NULL, "page requests are on");
	else if ((status & PRI_STOPPED) == 0)
		say(finding, PCI_OFF,
		    "answer what is outstanding and wait for Stopped before it is switched "
		    "on again",
		    "page requests are off, and earlier ones are still outstanding");
	else
		say(finding, PCI_OFF,
		    "its IOMMU's driver does when an address space that can fault is "
		    "attached",
		    "page requests are off");
}

static void look_allocation(const struct pci_view *view, struct pci_finding *finding)
{
	uint32_t allocation, capacity;

	finding->state = PCI_SKIP;
	if (!has_pri(view) ||
	    (physical(view, view->physical_map.pri + PRI_CONTROL, 2) & PRI_ENABLE) == 0)
		return;
	allocation = physical(view, view->physical_map.pri + PRI_ALLOCATION, 4);
	capacity = physical(view, view->physical_map.pri + PRI_CAPACITY, 4);
	if (allocation == 0)
		say(finding, PCI_OFF,
		    "switch page requests off, write the allocation, switch them on",
		    "page requests are on, and none are allowed: the allocation is 0");
	else if (allocation > capacity)
		say(finding, PCI_NOTE, "the smaller of the two counts",
		    "an allocation of %u, a capacity of %u", allocation, capacity);
	else
		say(finding, PCI_OK, NULL, "%u page requests are allowed", allocation);
}

static void look_failure(const struct pci_view *view, struct pci_finding *finding)
{
	uint32_t status;

	finding->state = PCI_SKIP;
	if (!has_pri(view))
		return;
	status = physical(view, view->physical_map.pri + PRI_STATUS, 2);
	if ((status & PRI_RF) != 0)
		say(finding, PCI_OFF,
		    "switch page requests off, wait for Stopped, reset them, switch them "
		    "on; with all virtual functions",
		    "it was told Response Failure, and asks no more");
	else if ((status & PRI_UPRGI) != 0)
		say(finding, PCI_NOTE,
		    "find who answers twice, or late; the bit is cleared by a 1",
		    "a response came for a group that was not outstanding");
	else
		say(finding, PCI_OK, NULL, "no failure, no unexpected response");
}

/* What answers and requests that went wrong leave behind (PCIe 6.x, 7.8.4.2). */
static const struct {
	unsigned bit;
	const char *name;
} errors[] = {
	{ 14, "completion timeout" },    { 15, "completer abort" },
	{ 16, "unexpected completion" }, { 20, "unsupported request" },
	{ 21, "ACS violation" },         { 25, "TLP prefix blocked" },
};

static void look_errors(const struct pci_view *view, struct pci_finding *finding)
{
	uint32_t status;
	char list[96] = "";

	if (view->map.aer == 0) {
		say(finding, PCI_NOTE, "nothing: what goes wrong on the link is not seen",
		    "no AER capability");
		return;
	}
	status = own(view, view->map.aer + AER_UNCORRECTABLE, 4);
	for (size_t i = 0; i < CLI_COUNT(errors); i++)
		if ((status >> errors[i].bit & 1) != 0)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				 list[0] != '\0' ? ", " : "", errors[i].name);
	if (list[0] == '\0')
		say(finding, PCI_OK, NULL, "no error that has to do with paging");
	else
		say(finding, PCI_NOTE,
		    "an answer or a request went wrong; the kernel's log may tell when",
		    "it recorded: %s", list);
}

/* ---- The machine -------------------------------------------------------------------- */

static void look_machine(const struct pci_view *view, struct pci_finding *finding)
{
	finding->state = PCI_SKIP;
	if (view->machine == NULL)
		say(finding, PCI_UNKNOWN, "on its machine: iopf pci BDF",
		    "a dump says nothing of IOMMU, driver and kernel");
}

static void look_iommu(const struct pci_view *view, struct pci_finding *finding)
{
	const struct pci_machine *machine = view->machine;

	finding->state = PCI_SKIP;
	if (machine == NULL)
		return;
	if (machine->group[0] != '\0')
		say(finding, PCI_OK, NULL, "IOMMU group %s%s%s", machine->group,
		    machine->iommu[0] != '\0' ? ", behind " : "", machine->iommu);
	else if (machine->groups)
		say(finding, PCI_MISSING,
		    "look at the firmware's table of IOMMUs: it names others, not this one",
		    "no IOMMU above this function");
	else
		say(finding, PCI_MISSING,
		    "switch it on in the firmware, and on the kernel's command line "
		    "(intel_iommu=on,sm_on; amd_iommu is on by itself)",
		    "no IOMMU in this machine");
}

/* Between the function and the IOMMU. */
static void look_ports(const struct pci_view *view, struct pci_finding *finding)
{
	const struct pci_machine *machine = view->machine;
	char name[PCI_NAME_BYTES];

	finding->state = PCI_SKIP;
	if (machine == NULL || !view->pasids)
		return;
	if (machine->no_prefixes != PCI_NO_ID)
		say(finding, PCI_MISSING,
		    "another slot: a PASID travels in such a prefix, through every port",
		    "the port %s above it passes no end-to-end TLP prefixes on",
		    pci_id_name(machine->no_prefixes, name));
	else if (machine->no_redirect != PCI_NO_ID)
		say(finding, PCI_NOTE,
		    "switch ACS on in the firmware: Linux takes PASIDs into use only below "
		    "ports that redirect, or that it knows to do so by themselves",
		    "the port %s above it does not redirect requests (ACS)",
		    pci_id_name(machine->no_redirect, name));
}

/* Kinds by the name of their class device, and what their driver tells of them. */
struct need {
	uint64_t bit;
	bool pasid; /* with PASIDs only */
	const char *text;
};

/* VT-d, "Extended Capability Register". */
static const struct need vtd_needs[] = {
	{ UINT64_C(1) << 2, false, "translations for devices (ECAP.DT)" },
	{ UINT64_C(1) << 43, false, "scalable mode (ECAP.SMTS)" },
	{ UINT64_C(1) << 29, false, "page requests (ECAP.PRS)" },
	{ UINT64_C(1) << 42, false, "draining of page requests (ECAP.PDS)" },
	{ UINT64_C(1) << 40, true, "PASIDs (ECAP.PASID)" },
};

/* AMD, "Extended Feature Register". */
static const struct need amd_needs[] = {
	{ UINT64_C(1) << 1, false, "page requests (PPRSup)" },
	{ UINT64_C(1) << 4, true, "guest tables (GTSup)" },
};

static const struct {
	const char *prefix, *name;
	const struct need *needs;
	size_t need_count;
} iommus[] = {
	{ "dmar", "Intel VT-d", vtd_needs, CLI_COUNT(vtd_needs) },
	{ "ivhd", "AMD", amd_needs, CLI_COUNT(amd_needs) },
	{ "smmu3", "Arm SMMUv3", NULL, 0 },
	{ "riscv", "RISC-V", NULL, 0 },
};

static void look_kind(const struct pci_view *view, struct pci_finding *finding)
{
	const char *iommu = view->machine != NULL ? view->machine->iommu : "";
	size_t i = 0;

	finding->state = PCI_SKIP;
	if (iommu[0] == '\0')
		return;
	while (i < CLI_COUNT(iommus) &&
	       strncmp(iommu, iommus[i].prefix, strlen(iommus[i].prefix)) != 0)
		i++;
	if (i == CLI_COUNT(iommus)) {
		say(finding, PCI_UNKNOWN, NULL, "%s: an IOMMU of another kind", iommu);
		return;
	}
	for (size_t n = 0; n < iommus[i].need_count; n++) {
		const struct need *need = &iommus[i].needs[n];

		if ((view->machine->features & need->bit) != 0 ||
		    (need->pasid && !view->pasids))
			continue;
		say(finding, PCI_MISSING,
		    "nothing, unless its firmware or hypervisor can switch it on",
		    "%s without %s", iommus[i].name, need->text);
		return;
	}
	say(finding, PCI_OK, NULL, "%s%s", iommus[i].name,
	    iommus[i].need_count == 0 ? "; what it can do its driver does not tell" : "");
}

static void look_translation(const struct pci_view *view, struct pci_finding *finding)
{
	finding->state = PCI_SKIP;
	if (view->machine == NULL || strcmp(view->machine->group_type, "identity") != 0)
		return;
	say(finding, PCI_NOTE,
	    "nothing for PASIDs; without: iommu.passthrough=0, or attach an address space",
	    "its own accesses are not translated (identity)");
}

/* "vfio-pci", or a variant of it. */
static bool is_vfio(const char *driver)
{
	size_t length = strlen(driver);

	return length >= 8 && (strcmp(driver + length - 8, "vfio-pci") == 0 ||
			       strcmp(driver + length - 8, "vfio_pci") == 0);
}

static void look_driver(const struct pci_view *view, struct pci_finding *finding)
{
	const char *driver = view->machine != NULL ? view->machine->driver : NULL;

	finding->state = PCI_SKIP;
	if (driver == NULL)
		return;
	if (driver[0] == '\0')
		say(finding, PCI_OFF,
		    "modprobe vfio-pci; echo vfio-pci > driver_override; echo the function "
		    "> /sys/bus/pci/drivers_probe",
		    "nothing drives it");
	else if (!is_vfio(driver))
		say(finding, PCI_OFF,
		    "unbind it, then vfio-pci (driver_override): a program cannot have its "
		    "faults otherwise",
		    "driven by %s, not by vfio-pci", driver);
	else if (!view->machine->vfio_device)
		say(finding, PCI_MISSING,
		    "a kernel with CONFIG_VFIO_DEVICE_CDEV: Linux 6.6 or newer",
		    "driven by %s, without a character device", driver);
	else
		say(finding, PCI_OK, NULL, "driven by %s", driver);
}

static void look_iommufd(const struct pci_view *view, struct pci_finding *finding)
{
	finding->state = PCI_SKIP;
	if (view->machine == NULL)
		return;
	if (!view->machine->iommufd)
		say(finding, PCI_MISSING,
		    "modprobe iommufd, or a kernel with CONFIG_IOMMUFD; its fault queues "
		    "need Linux 6.11 or newer",
		    "no %s/iommu: the kernel has no iommufd", view->machine->dev);
	else
		say(finding, PCI_OK, NULL, "iommufd is there (fault queues: Linux 6.11)");
}

const struct pci_link pci_links[] = {
	{ "present", look_present, true },
	{ "express", look_express, true },
	{ "power", look_power, false },
	{ "bus-master", look_master, false },
	{ "virtual", look_virtual, false },
	{ "ats", look_ats, false },
	{ "pri", look_pri, false },
	{ "pasid", look_pasid, false },
	{ "prefixes", look_prefixes, false },
	{ "pasid-on", look_pasid_on, false },
	{ "ats-on", look_ats_on, false },
	{ "pri-on", look_pri_on, false },
	{ "allocation", look_allocation, false },
	{ "failure", look_failure, false },
	{ "errors", look_errors, false },
	{ "machine", look_machine, false },
	{ "ports", look_ports, false },
	{ "iommu", look_iommu, false },
	{ "iommu-kind", look_kind, false },
	{ "translation", look_translation, false },
	{ "driver", look_driver, false },
	{ "iommufd", look_iommufd, false },
};
const size_t pci_link_count = CLI_COUNT(pci_links);
