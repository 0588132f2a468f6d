/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.h - the configuration space of a PCI function, as its guest sees it.
 *
 * 4096 bytes: a header of type 0, PCI Express with function level reset, MSI, ATS, PRI and
 * PASID. They are values in memory: what the guest switches on there is kept and told, and
 * says what it may be shown. The capabilities of the function itself are the host's.
 *
 *   0x000  header, up to six memory BARs     0x100  ATS
 *   0x040  PCI Express                       0x110  PRI
 *   0x080  MSI: one vector, 64-bit address   0x120  PASID
 *
 * A space is given to a guest with its function (struct iopf_guest_endpoint), and is read
 * and written through iopf_guest_config_read() and iopf_guest_config_write() then; or
 * stands alone.
 *
 * Trust. The guest may write anything, at any time.
 * Memory. Given at create. Threads. One at a time.
 *
 * Source: PCI Express Base Specification 6.x: 6.6.2 (function level reset), 7.5.1 (header),
 * 7.5.3 (PCI Express), 7.7.1 (MSI), 7.8.9 (PASID), 10.5.1 (ATS), 10.5.2 (PRI).
 */
#ifndef IOPF_CONFIG_H
#define IOPF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iopf_config;

#define IOPF_CONFIG_BYTES 4096
#define IOPF_BAR_COUNT    6

enum iopf_bar_flag {
	IOPF_BAR_64 = 1,       /* 64-bit: the next BAR is its upper half, size 0 */
	IOPF_BAR_PREFETCH = 2, /* reads have no side effects */
};

struct iopf_bar {
	uint64_t size_bytes; /* a power of two from 128 on, 32-bit: to 2 GiB; 0: none */
	uint32_t flags;      /* enum iopf_bar_flag */
	uint32_t rsvd;
};

/* What a guest's write changed. The registers say how it is now: iopf_config_state(). */
enum iopf_config_change {
	IOPF_CONFIG_COMMAND,   /* memory space, bus master */
	IOPF_CONFIG_BARS,      /* an address; also while it is being sized */
	IOPF_CONFIG_MSI,       /* anything of it */
	IOPF_CONFIG_ATS,       /* enable */
	IOPF_CONFIG_PASID,     /* enable, rights */
	IOPF_CONFIG_PRI,       /* enable */
	IOPF_CONFIG_PRI_RESET, /* while PRI is off: what was asked is forgotten */
	IOPF_CONFIG_RESET,     /* function level reset: all registers are at their defaults,
				* and nothing else is told of that */
	IOPF_CONFIG_CHANGE_COUNT
};

struct iopf_config_options {
	uint32_t size_bytes; /* of this struct */
	uint16_t vendor_id, device_id, subsystem_vendor_id, subsystem_id;
	uint32_t class_code; /* 24 bits */
	uint8_t revision;
	bool behind_port;    /* an endpoint with a link; otherwise integrated in the root
			      * complex */
	bool msi;            /* these are there: */
	bool msi_masking;    /* MSI with a mask bit and a pending bit */
	bool ats;
	bool pri;            /* with ATS only; and so PASID */
	bool pasid;
	bool pasid_in_response; /* PRG Response PASID Required */
	uint8_t pasid_bits;  /* Max PASID Width, 0..20 */
	uint8_t pasid_rights; /* IOPF_EXEC, IOPF_PRIV: supported */
	uint8_t rsvd[2];
	uint32_t capacity;   /* Outstanding Page Request Capacity, with PRI: 1.. */
	struct iopf_bar bars[IOPF_BAR_COUNT];
	/* After each change; may not write. NULL: nobody listens. */
	void (*changed)(void *context, enum iopf_config_change change);
	void *context;
};

/* What the guest has programmed. */
struct iopf_config_state {
	uint64_t bars[IOPF_BAR_COUNT]; /* addresses; they count while memory is on */
	uint64_t msi_addr;
	uint32_t msi_data;
	uint32_t allocation;  /* Outstanding Page Request Allocation */
	bool memory, master;  /* Command: Memory Space Enable, Bus Master Enable */
	bool msi;             /* MSI Enable */
	bool msi_masked, msi_pending;
	bool ats, pri, pasid; /* Enable of each */
	uint8_t pasid_rights; /* IOPF_EXEC, IOPF_PRIV: enabled */
	uint8_t stu;          /* Smallest Translation Unit: 4096 << stu bytes */
	bool stopped, rf, uprgi; /* Page Request Status */
	uint8_t rsvd[3];
	uint64_t resets;      /* function level resets so far */
	uint64_t undefined;   /* writes to what PCIe wants left alone at that time: the STU
			       * under ATS and the allocation under PRI keep their value;
			       * PASID's enables under ATS, and PRI's before Stopped, are
			       * done all the same */
};

/* How large the memory of a space has to be. */
size_t iopf_config_size_bytes(void);

/*
 * Make a space in @memory (aligned to 8), its registers at their defaults.
 *
 * Owns:    borrows @memory; @options is copied.
 * Returns: 0, -EINVAL (an option), -ENOSPC (@memory).
 */
int iopf_config_create(const struct iopf_config_options *options, void *memory,
		       size_t memory_bytes, struct iopf_config **config);

/*
 * The guest reads or writes @width_bytes (1, 2, 4) at @offset, a multiple of that. Any
 * other access, or one beyond the space, reads all ones of its width and writes nothing.
 */
uint32_t iopf_config_read(const struct iopf_config *config, uint32_t offset,
			  uint32_t width_bytes);
void iopf_config_write(struct iopf_config *config, uint32_t offset, uint32_t width_bytes,
		       uint32_t value);

/* A copy of what there is, at any time. */
void iopf_config_state(const struct iopf_config *config, struct iopf_config_state *state);

/*
 * Whether page requests of the function wait for their guest: Stopped is 0 while they do,
 * and while PRI is on. Of a guest's function iopf_guest_config_read() says it.
 */
void iopf_config_outstanding(struct iopf_config *config, bool outstanding);

/* Bits of enum iopf_status, RF and UPRGI, that the function sets; with RF it asks for no
 * page any more. They stay until the guest clears them or switches PRI on anew. */
void iopf_config_status(struct iopf_config *config, uint32_t status);

/*
 * How many pages the function may have asked for at once under @pasid or
 * IOPF_PASID_NONE; 0: none, since ATS, PRI, or PASIDs are off, or RF is set.
 */
uint32_t iopf_config_pages(const struct iopf_config *config, uint32_t pasid);

/*
 * The function interrupts its guest. A masked interrupt is pending until this is called
 * when it is not (IOPF_CONFIG_MSI is told of a change, struct iopf_config_state of both).
 *
 * Returns: true, and the message that leaves; false: MSI or bus mastering is off, or it
 *          is masked.
 */
bool iopf_config_interrupt(struct iopf_config *config, uint64_t *addr, uint32_t *data);

/* As after power-on, without a word: the guest was reset, or is another. */
void iopf_config_reset(struct iopf_config *config);

#ifdef __cplusplus
}
#endif

#endif
