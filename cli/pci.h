/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/pci.h - a function's configuration space, the machine around it, and the links of the
 * chain that paging hangs on. */
#ifndef CLI_PCI_H
#define CLI_PCI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/config.h"

/* A function: its segment above its 16-bit requester id. */
#define PCI_NO_ID UINT64_MAX
enum { PCI_NAME_BYTES = 20 };

struct pci_space {
	uint64_t id;         /* or PCI_NO_ID: what was read does not say */
	uint32_t size_bytes; /* 64, 256 or 4096 */
	uint8_t bytes[CONFIG_BYTES];
};

/* Little-endian, as the space is; 0 beyond what there is. */
uint32_t pci_get(const struct pci_space *space, uint32_t offset, uint32_t size_bytes);

/* "[DDDD:]BB:DD.F". False: it is none. */
bool pci_id_read(const char *text, uint64_t *id);
/* "DDDD:BB:DD.F", into PCI_NAME_BYTES. Returns @name. */
const char *pci_id_name(uint64_t id, char *name);

/* End-to-end TLP prefixes, in Device Capabilities 2. */
#define PCI_PREFIXES (1u << 21)

/* Where the capabilities lie; 0: there is none. */
struct pci_map {
	uint16_t power, express;
	uint16_t aer, acs, ats, pri, pasid, virtuals; /* SR-IOV */
};

/* False: a list loops or leads out of the space: told, if there is a name of the @source. */
bool pci_map_read(const struct pci_space *space, const char *source, struct pci_map *map);

/* ---- Dumps (cli/pci_dump.c) ----------------------------------------------------------- */

struct pci_dump {
	struct pci_space *spaces;
	size_t count;
};

/* All functions of a file, "-": standard input: what lspci -x writes (-xxx, -xxxx; the
 * lines between are left out), or bytes. Returns: CLI_OK, or the exit code; it was said. */
int pci_dump_read(const char *path, struct pci_dump *dump);
void pci_dump_free(struct pci_dump *dump);
/* NULL: not there. */
const struct pci_space *pci_dump_find(const struct pci_dump *dump, uint64_t id);
/* The function whose SR-IOV capability counts @id among its virtual ones, or NULL. */
const struct pci_space *pci_dump_physical(const struct pci_dump *dump, uint64_t id);

/* ---- The machine (cli/pci_machine.c) -------------------------------------------------- */

/* What the kernel says around a function. Texts are empty where there is nothing. */
struct pci_machine {
	const char *sysfs, *dev; /* where to look: "/sys", "/dev" */
	uint64_t physical;       /* of a virtual function, or PCI_NO_ID */
	char group[16];          /* its IOMMU group */
	char group_type[16];     /* "DMA", "identity", ... */
	char iommu[64];          /* "dmar0", "ivhd1", "smmu3.0x...", ... */
	uint64_t features;       /* VT-d: ECAP; AMD: extended features; others 0 */
	/* Ports above it that do not do what PASIDs need, or PCI_NO_ID. */
	uint64_t no_prefixes; /* pass no TLP prefixes on */
	uint64_t no_redirect; /* let requests go past the root (ACS) */
	char driver[64];
	bool groups;      /* there are any in this machine */
	bool vfio_device; /* it has a character device of VFIO's */
	bool iommufd;     /* /dev/iommu is there */
};

/* Both Return: CLI_OK, or the exit code; it was said. @machine->sysfs and dev are set. */
int pci_machine_space(const struct pci_machine *machine, uint64_t id,
		      struct pci_space *space);
int pci_machine_read(struct pci_machine *machine, uint64_t id);

/* ---- The chain (cli/pci_chain.c) ------------------------------------------------------ */

enum pci_state {
	PCI_OK,
	PCI_NOTE,    /* it pages, and somebody should know this */
	PCI_OFF,     /* could be otherwise: software decides */
	PCI_MISSING, /* the hardware or the kernel has not got it */
	PCI_UNKNOWN, /* what was read does not tell */
	PCI_SKIP,    /* no line: it has nothing to do with this function */
};

/* What is looked at. */
struct pci_view {
	const struct pci_space *own;
	const struct pci_space *physical; /* has the PRI and the PASID; NULL: not known */
	struct pci_map map, physical_map;
	bool is_virtual;
	bool pasids;                       /* it shall page for processes */
	const struct pci_machine *machine; /* NULL: a dump */
};

struct pci_finding {
	uint8_t state; /* enum pci_state */
	char text[160];
	const char *advice; /* what to do, or NULL */
};

struct pci_link {
	const char *name;
	void (*look)(const struct pci_view *view, struct pci_finding *finding);
	bool first; /* without it there is no sense in looking at the others */
};

/* From the function outwards. */
extern const struct pci_link pci_links[];
extern const size_t pci_link_count;

/* ---- Reports (cli/pci_report.c) ------------------------------------------------------- */

/* Print everything about the function. Returns: CLI_OK: it can page; CLI_NO. */
int pci_report(const struct pci_view *view, bool json);

#endif
