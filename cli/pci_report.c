/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/pci_report.c - what iopf pci says of a function: registers, then the chain. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/pci.h"

/* ---- Registers ---------------------------------------------------------------------- */

/* What is worth knowing of a capability: bits of its registers, and their names. */
struct part {
	const char *name;
	uint8_t offset, low, width;
	bool flag; /* said only where it is set */
};

static const struct part ats_parts[] = {
	{ "enabled", ATS_CONTROL, 15, 1, true },
	{ "stu", ATS_CONTROL, 0, 5, false },
	{ "queue_depth", ATS_CAP, 0, 5, false },
	{ "page_aligned", ATS_CAP, 5, 1, true },
	{ "global_invalidate", ATS_CAP, 6, 1, true },
};
static const struct part pri_parts[] = {
	{ "enabled", PRI_CONTROL, 0, 1, true },
	{ "stopped", PRI_STATUS, 8, 1, true },
	{ "response_failure", PRI_STATUS, 0, 1, true },
	{ "unexpected_response", PRI_STATUS, 1, 1, true },
	{ "response_pasid", PRI_STATUS, 15, 1, true },
	{ "capacity", PRI_CAPACITY, 0, 32, false },
	{ "allocation", PRI_ALLOCATION, 0, 32, false },
};
static const struct part pasid_parts[] = {
	{ "enabled", PASID_CONTROL, 0, 1, true },
	{ "execute_enabled", PASID_CONTROL, 1, 1, true },
	{ "privileged_enabled", PASID_CONTROL, 2, 1, true },
	{ "width", PASID_CAP, 8, 5, false },
	{ "execute", PASID_CAP, 1, 1, true },
	{ "privileged", PASID_CAP, 2, 1, true },
};
static const struct part aer_parts[] = {
	{ "uncorrectable", AER_UNCORRECTABLE, 0, 32, false },
	{ "correctable", AER_CORRECTABLE, 0, 32, false },
};

struct capability {
	const char *name;
	size_t member; /* of struct pci_map */
	bool physical; /* a virtual function's is its physical one's */
	bool hex;      /* its numbers are registers */
	const struct part *parts;
	size_t part_count;
};

static const struct capability capabilities[] = {
	{ "ats", offsetof(struct pci_map, ats), false, false, ats_parts,
	  CLI_COUNT(ats_parts) },
	{ "pri", offsetof(struct pci_map, pri), true, false, pri_parts,
	  CLI_COUNT(pri_parts) },
	{ "pasid", offsetof(struct pci_map, pasid), true, false, pasid_parts,
	  CLI_COUNT(pasid_parts) },
	{ "aer", offsetof(struct pci_map, aer), false, true, aer_parts,
	  CLI_COUNT(aer_parts) },
};

/* Where it lies, and in whose space; 0: there is none. */
static uint32_t capability_at(const struct pci_view *view,
			      const struct capability *capability,
			      const struct pci_space **space)
{
	const struct pci_map *map =
		capability->physical ? &view->physical_map : &view->map;
	uint16_t at;

	*space = capability->physical ? view->physical : view->own;
	memcpy(&at, (const char *)map + capability->member, sizeof(at));
	return *space == NULL ? 0 : at;
}

static uint32_t part_value(const struct pci_space *space, uint32_t at,
			   const struct part *part)
{
	uint32_t value = pci_get(space, at + (part->offset & ~3u), 4);

	value >>= part->low + 8 * (part->offset & 3u);
	return part->width == 32 ? value : value & ((1u << part->width) - 1);
}

static void print_capability(const struct pci_view *view,
			     const struct capability *capability)
{
	const struct pci_space *space;
	uint32_t at = capability_at(view, capability, &space);
	const char *comma = "";

	if (at == 0)
		return;
	printf("  %-6s 0x%03x  ", capability->name, at);
	for (size_t i = 0; i < capability->part_count; i++) {
		const struct part *part = &capability->parts[i];
		uint32_t value = part_value(space, at, part);

		if (part->flag && value == 0)
			continue;
		printf(part->flag      ? "%s%s" :
		       capability->hex ? "%s%s 0x%08x" :
					 "%s%s %u",
		       comma, part->name, value);
		comma = ", ";
	}
	putchar('\n');
}

static json_t *capability_json(const struct pci_view *view,
			       const struct capability *capability)
{
	const struct pci_space *space;
	uint32_t at = capability_at(view, capability, &space);
	json_t *json;

	if (at == 0)
		return json_null();
	json = json_pack("{s:o}", "offset", json_sprintf("0x%x", at));
	for (size_t i = 0; i < capability->part_count; i++) {
		const struct part *part = &capability->parts[i];
		uint32_t value = part_value(space, at, part);
		json_t *said = part->flag      ? json_boolean(value) :
			       capability->hex ? json_sprintf("0x%x", value) :
						 json_integer(value);

		json_object_set_new(json, part->name, said);
	}
	return json;
}

/* ---- The chain ---------------------------------------------------------------------- */

static const char *const state_names[] = {
	[PCI_OK] = "ok",           [PCI_NOTE] = "note",       [PCI_OFF] = "off",
	[PCI_MISSING] = "missing", [PCI_UNKNOWN] = "unknown",
};

static bool is_broken(const struct pci_finding *finding)
{
	return finding->state == PCI_OFF || finding->state == PCI_MISSING;
}

/* What is found at a link goes to @tell. Returns: how many links are broken. */
static unsigned walk_chain(const struct pci_view *view,
			   void (*tell)(void *context, const char *name,
					const struct pci_finding *finding),
			   void *context)
{
	unsigned broken = 0;

	for (size_t i = 0; i < pci_link_count; i++) {
		struct pci_finding finding = { .state = PCI_OK };

		pci_links[i].look(view, &finding);
		if (finding.state == PCI_SKIP)
			continue;
		tell(context, pci_links[i].name, &finding);
		broken += is_broken(&finding);
		if (pci_links[i].first && is_broken(&finding))
			break;
	}
	return broken;
}

static void tell_text(void *context, const char *name, const struct pci_finding *finding)
{
	(void)context;
	printf("%-8s %-11s %s\n", state_names[finding->state], name, finding->text);
	if (finding->advice != NULL)
		printf("%-20s -> %s\n", "", finding->advice);
}

static void tell_json(void *context, const char *name, const struct pci_finding *finding)
{
	json_array_append_new(context,
			      json_pack("{s:s, s:s, s:s, s:s?}", "link", name, "state",
					state_names[finding->state], "text",
					finding->text, "advice", finding->advice));
}

/* ---- Both ways ---------------------------------------------------------------------- */

static int report_text(const struct pci_view *view)
{
	char name[PCI_NAME_BYTES];
	unsigned broken;

	printf("%s  %04x:%04x, class %06x\n", pci_id_name(view->own->id, name),
	       pci_get(view->own, CONFIG_VENDOR, 2), pci_get(view->own, CONFIG_DEVICE, 2),
	       pci_get(view->own, CONFIG_REVISION, 4) >> 8);
	for (size_t i = 0; i < CLI_COUNT(capabilities); i++)
		print_capability(view, &capabilities[i]);
	putchar('\n');
	broken = walk_chain(view, tell_text, NULL);
	if (broken == 0)
		printf("\n%s can page\n", name);
	else
		printf("\n%s cannot page: %u link%s broken\n", name, broken,
		       broken == 1 ? " is" : "s are");
	return broken == 0 ? CLI_OK : CLI_NO;
}

static int report_json(const struct pci_view *view)
{
	json_t *links = json_array(), *json;
	unsigned broken = walk_chain(view, tell_json, links);
	bool named = view->own->id != PCI_NO_ID;
	char name[PCI_NAME_BYTES], physical[PCI_NAME_BYTES];

	json = json_pack(
		"{s:s, s:b, s:s, s:s?, s:s?, s:o, s:o, s:o}", "schema", "iopf.pci/1",
		"ok", broken == 0, "source", view->machine != NULL ? "machine" : "dump",
		"function", named ? pci_id_name(view->own->id, name) : NULL, "physical",
		view->is_virtual && view->physical != NULL ?
			pci_id_name(view->physical->id, physical) :
			NULL,
		"vendor", json_sprintf("0x%04x", pci_get(view->own, CONFIG_VENDOR, 2)),
		"device", json_sprintf("0x%04x", pci_get(view->own, CONFIG_DEVICE, 2)),
		"class",
		json_sprintf("0x%06x", pci_get(view->own, CONFIG_REVISION, 4) >> 8));
	for (size_t i = 0; i < CLI_COUNT(capabilities); i++)
		json_object_set_new(json, capabilities[i].name,
				    capability_json(view, &capabilities[i]));
	json_object_set_new(json, "links", links);
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
	return broken == 0 ? CLI_OK : CLI_NO;
}

int pci_report(const struct pci_view *view, bool json)
{
	return json ? report_json(view) : report_text(view);
}
