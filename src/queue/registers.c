/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/registers.c - VT-d's register file: one table of masks, one formula. */
#include <string.h>

#include "queue/hardware.h"

#define ADDR32 UINT32_C(0xfffffffc)
#define MASKED VTD_EVENT_IM /* event interrupts begin masked */

/* VT-d, "Register Descriptions". Bits in neither mask are read-only or reserved. */
static const struct {
	uint16_t offset;
	uint8_t width;
	uint64_t reset, writable, clearable;
} rows[] = {
	{ VTD_GCMD, 4, 0, UINT32_MAX, 0 },
	{ VTD_RTADDR, 8, 0, VTD_RTADDR_ADDR | VTD_RTADDR_TTM, 0 },
	{ VTD_CCMD, 8, 0, UINT64_C(0xe0000003ffffffff), 0 },
	{ VTD_FSTS, 4, 0, 0, VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE },
	{ VTD_FECTL, 4, MASKED, VTD_EVENT_IM, 0 },
	{ VTD_FEDATA, 4, 0, UINT32_MAX, 0 },
	{ VTD_FEADDR, 4, 0, ADDR32, 0 },
	{ VTD_FEUADDR, 4, 0, UINT32_MAX, 0 },
	{ VTD_PMEN, 4, 0, UINT32_C(1) << 31, 0 },
	{ VTD_IQT, 8, 0, VTD_IQ_INDEX, 0 },
	{ VTD_IQA, 8, 0, VTD_IQA_ADDR | VTD_IQA_DW | VTD_IQA_QS, 0 },
	{ VTD_ICS, 4, 0, 0, VTD_ICS_IWC },
	{ VTD_IECTL, 4, MASKED, VTD_EVENT_IM, 0 },
	{ VTD_IEDATA, 4, 0, UINT32_MAX, 0 },
	{ VTD_IEADDR, 4, 0, ADDR32, 0 },
	{ VTD_IEUADDR, 4, 0, UINT32_MAX, 0 },
	{ VTD_IRTA, 8, 0, UINT64_C(0xfffffffffffff80f), 0 },
	{ VTD_PQH, 8, 0, VTD_PQ_INDEX, 0 },
	/* Hardware's; software that sets a queue up writes 0 into it all the same. */
	{ VTD_PQT, 8, 0, VTD_PQ_INDEX, 0 },
	{ VTD_PQA, 8, 0, VTD_PQA_ADDR | VTD_PQA_PQS, 0 },
	{ VTD_PRS, 4, 0, 0, VTD_PRS_PPR | VTD_PRS_PRO },
	{ VTD_PECTL, 4, MASKED, VTD_EVENT_IM, 0 },
	{ VTD_PEDATA, 4, 0, UINT32_MAX, 0 },
	{ VTD_PEADDR, 4, 0, ADDR32, 0 },
	{ VTD_PEUADDR, 4, 0, UINT32_MAX, 0 },
	{ VTD_IVA, 8, 0, UINT64_C(0xfffffffffffff05f), 0 },
	{ VTD_IOTLB, 8, 0, UINT64_C(0xb003ffff00000000), 0 },
};

static void row_add(struct register_file *file, uint32_t offset, uint64_t reset,
		    uint64_t writable, uint64_t clearable)
{
	unsigned shift = offset % 8 * 8;

	file->value[offset / 8] |= reset << shift;
	file->writable[offset / 8] |= writable << shift;
	file->clearable[offset / 8] |= clearable << shift;
}

bool registers_create(struct register_file *file, uint32_t version, uint64_t cap,
		      uint64_t ecap)
{
	if (VTD_CAP_FRO(cap) != VTD_FRCD || VTD_CAP_NFR(cap) > VTD_FRCD_MAX ||
	    VTD_ECAP_IRO(ecap) != VTD_IVA)
		return false;
	memset(file, 0, sizeof(*file));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		row_add(file, rows[i].offset, rows[i].reset, rows[i].writable,
			rows[i].clearable);
	for (uint32_t i = 0; i < VTD_CAP_NFR(cap); i++)
		row_add(file, VTD_FRCD + i * VTD_FRCD_BYTES + 8, 0, 0, VTD_FRCD_F);
	row_add(file, VTD_VER, version, 0, 0);
	row_add(file, VTD_CAP, cap, 0, 0);
	row_add(file, VTD_ECAP, ecap, 0, 0);
	return true;
}

bool registers_read(const struct register_file *file, uint32_t offset, uint32_t width,
		    uint64_t *value)
{
	*value = 0;
	if (offset >= VTD_REGISTERS_END)
		return false;
	*value = file->value[offset / 8] >> (offset % 8 * 8);
	if (width == 4)
		*value &= UINT32_MAX;
	return true;
}

bool registers_write(struct register_file *file, uint32_t offset, uint32_t width,
		     uint64_t value)
{
	unsigned shift = offset % 8 * 8;
	uint64_t lanes = (width == 4 ? UINT32_MAX : UINT64_MAX) << shift;
	uint64_t *word, writable, clearable;

	if (offset >= VTD_REGISTERS_END)
		return false;
	word = &file->value[offset / 8];
	writable = file->writable[offset / 8] & lanes;
	clearable = file->clearable[offset / 8] & lanes;
	value <<= shift;
	*word = ((*word & ~writable) | (value & writable)) & ~(value & clearable);
	return (writable | clearable) != 0;
}
