/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/atc.h - a function's address translation cache: pages of 4096, four ways.
 *
 * An entry is held while a transfer uses it. What is invalidated while held is dying:
 * nobody finds it any more, and the invalidation is not complete before its release
 * (PCIe 10.3.3).
 */
#ifndef MODEL_ATC_H
#define MODEL_ATC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum atc_state { ATC_FREE, ATC_VALID, ATC_DYING };

struct atc_entry {
	uint64_t page;       /* untranslated address */
	uint64_t translated;
	uint32_t pasid;
	uint16_t uses;
	uint8_t perm;        /* what was granted */
	uint8_t state;       /* enum atc_state */
	bool priv;           /* for privileged accesses: their rights differ */
};

struct atc {
	struct atc_entry *entries;
	uint32_t count; /* a power of two, at least ATC_WAYS */
	uint32_t hand;
	uint64_t hits, misses;
};

#define ATC_WAYS 4u
#define ATC_NONE UINT32_MAX

void atc_create(struct atc *atc, struct atc_entry *entries, uint32_t count);

/* The entry of @page that grants all of @perm, held; or ATC_NONE. */
uint32_t atc_take(struct atc *atc, uint32_t pasid, uint64_t page, bool priv,
		  uint8_t perm);
/* Put @entry (valid, held) in; ATC_NONE: every way is held. */
uint32_t atc_fill(struct atc *atc, const struct atc_entry *entry);
void atc_release(struct atc *atc, uint32_t use);
/* NULL: invalidated. */
const struct atc_entry *atc_entry(const struct atc *atc, uint32_t use);

/* Drop @first to @last of @pasid, or of every PASID. True: none of it is held. */
bool atc_invalidate(struct atc *atc, uint32_t pasid, bool global, uint64_t first,
		    uint64_t last);

#endif
