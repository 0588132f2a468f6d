/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/pci_space.c - names of functions, and the lists of capabilities in their spaces. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/pci.h"

enum {
	CAPABILITY_POWER = 0x01,
	EXTENDED_ACS = 0x0d,
	EXTENDED_SRIOV = 0x10,
	STATUS_CAPABILITIES = 1 << 4,
	CONVENTIONAL_BYTES = 256,
};

uint32_t pci_get(const struct pci_space *space, uint32_t offset, uint32_t size_bytes)
{
	uint32_t value = 0;

	if (offset + size_bytes > space->size_bytes)
		return 0;
	for (uint32_t i = 0; i < size_bytes; i++)
		value |= (uint32_t)space->bytes[offset + i] << 8 * i;
	return value;
}

/* Hexadecimal digits up to @end, at most @digits of them. */
static bool read_hex(const char **at, char end, unsigned digits, uint64_t limit,
		     uint64_t *value)
{
	static const char hex[] = "0123456789abcdef";
	unsigned count = 0;

	for (*value = 0; **at != end; (*at)++, count++) {
		char lower = (char)(**at | 0x20);
		const char *digit = **at == '\0' ? NULL : strchr(hex, lower);

		if (digit == NULL || count == digits)
			return false;
		*value = *value << 4 | (uint64_t)(digit - hex);
	}
	return count > 0 && *value <= limit;
}

bool pci_id_read(const char *text, uint64_t *id)
{
	const char *colon = strchr(text, ':');
	uint64_t domain = 0, bus, device, function;

	if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		if (!read_hex(&text, ':', 8, UINT32_MAX, &domain))
			return false;
		text++;
	}
	if (!read_hex(&text, ':', 2, 0xff, &bus))
		return false;
	text++;
	if (!read_hex(&text, '.', 2, 0x1f, &device))
		return false;
	text++;
	if (!read_hex(&text, '\0', 1, 7, &function))
		return false;
	*id = domain << 16 | bus << 8 | device << 3 | function;
	return true;
}

const char *pci_id_name(uint64_t id, char *name)
{
	if (id == PCI_NO_ID)
		snprintf(name, PCI_NAME_BYTES, "the function");
	else
		snprintf(name, PCI_NAME_BYTES, "%04x:%02x:%02x.%x",
			 (unsigned)(id >> 16 & UINT32_MAX), (unsigned)(id >> 8 & 0xff),
			 (unsigned)(id >> 3 & 0x1f), (unsigned)(id & 7));
	return name;
}

/* ---- Capabilities ------------------------------------------------------------------- */

/* Those that matter, and where they are kept. */
static const struct {
	uint16_t id;
	bool extended;
	size_t member;
} kinds[] = {
	{ CAPABILITY_POWER, false, offsetof(struct pci_map, power) },
	{ CAPABILITY_EXPRESS, false, offsetof(struct pci_map, express) },
	{ EXTENDED_AER, true, offsetof(struct pci_map, aer) },
	{ EXTENDED_ACS, true, offsetof(struct pci_map, acs) },
	{ EXTENDED_ATS, true, offsetof(struct pci_map, ats) },
	{ EXTENDED_PRI, true, offsetof(struct pci_map, pri) },
	{ EXTENDED_PASID, true, offsetof(struct pci_map, pasid) },
	{ EXTENDED_SRIOV, true, offsetof(struct pci_map, virtuals) },
};

/* The first of a kind counts. */
static void note(struct pci_map *map, uint32_t id, bool extended, uint32_t at)
{
	for (size_t i = 0; i < CLI_COUNT(kinds); i++) {
		uint16_t *member = (uint16_t *)(void *)((char *)map + kinds[i].member);

		if (kinds[i].id == id && kinds[i].extended == extended && *member == 0)
			*member = (uint16_t)at;
	}
}

/* One of the two lists: where its entries may lie, and how one leads to the next. */
struct list {
	bool extended;
	uint32_t first, end;
};

static uint32_t list_next(const struct pci_space *space, const struct list *list,
			  uint32_t at)
{
	return list->extended ? pci_get(space, at, 4) >> 20 & ~3u :
				pci_get(space, at + 1, 1) & ~3u;
}

static void list_broken(const struct pci_space *space, const struct list *list,
			uint32_t at, bool loops, const char *source)
{
	char name[PCI_NAME_BYTES];

	if (source != NULL)
		cli_error(
			"%s: %s: %s capability %s 0x%x; they lie from 0x%x to 0x%x, each "
			"once",
			source, pci_id_name(space->id, name),
			list->extended ? "an extended" : "a",
			loops ? "list loops at" : "is said to lie at", at, list->first,
			list->end - 4);
}

/* Every step goes to another word of the space, or the list is broken. */
static bool list_read(const struct pci_space *space, const struct list *list, uint32_t at,
		      const char *source, struct pci_map *map)
{
	bool seen[CONFIG_BYTES / 4] = { false };

	for (; at != 0; at = list_next(space, list, at)) {
		bool inside = at >= list->first && at + 4 <= list->end;

		if (!inside || seen[at / 4]) {
			list_broken(space, list, at, inside, source);
			return false;
		}
		seen[at / 4] = true;
		note(map, pci_get(space, at, list->extended ? 2 : 1), list->extended, at);
	}
	return true;
}

bool pci_map_read(const struct pci_space *space, const char *source, struct pci_map *map)
{
	const struct list plain = { .first = CONFIG_FIRST_CAPABILITY,
				    .end = CONVENTIONAL_BYTES };
	const struct list extended = { .extended = true,
				       .first = CONFIG_EXTENDED,
				       .end = CONFIG_BYTES };
	uint32_t first;

	*map = (struct pci_map){ 0 };
	if (pci_get(space, CONFIG_COMMAND, 4) == UINT32_MAX)
		return true; /* nobody answers */
	if (space->size_bytes >= CONVENTIONAL_BYTES &&
	    (pci_get(space, CONFIG_STATUS, 2) & STATUS_CAPABILITIES) != 0 &&
	    !list_read(space, &plain, pci_get(space, CONFIG_CAPABILITIES, 1) & ~3u,
		       source, map))
		return false;
	first = pci_get(space, CONFIG_EXTENDED, 4);
	/* No capability there: nothing, or all ones where nobody answers. */
	if (space->size_bytes < CONFIG_BYTES || first == 0 || first == UINT32_MAX)
		return true;
	return list_read(space, &extended, CONFIG_EXTENDED, source, map);
}
