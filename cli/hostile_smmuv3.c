/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/hostile_smmuv3.c - where a virtual SMMUv3 can be hurt. */
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/hostile_family.h"
#include "queue/smmuv3.h"
#include "table/smmuv3.h"

#define ALL_ON (SMMUV3_SMMUEN | SMMUV3_PRIQEN | SMMUV3_EVENTQEN | SMMUV3_CMDQEN)
#define CR0(bits) { SMMUV3_CR0, 4, HOSTILE_NOWHERE, (bits) }
#define INDEX(name, value) { SMMUV3_##name, 4, HOSTILE_NOWHERE, (value) }

/* Published before they were written; indices that mean more than the queue has. */
static const struct hostile_setting truncated[] = {
	INDEX(CMDQ_PROD, 1),       INDEX(CMDQ_PROD, 0x7f),       INDEX(CMDQ_PROD, 3),
	INDEX(CMDQ_PROD, 0x80001), INDEX(CMDQ_PROD, 0x80000003), INDEX(CMDQ_PROD, 0),
};

static const struct hostile_setting command_index[] = {
	INDEX(CMDQ_PROD, 0xfffff),    INDEX(CMDQ_CONS, 0x40),
	INDEX(CMDQ_PROD, UINT32_MAX), INDEX(CMDQ_CONS, UINT32_MAX),
	INDEX(CMDQ_PROD, 0x4000),     INDEX(CMDQ_CONS, 0x7f000000),
};

/* While it is on, and while it is off; out of memory, at its very end, of any size. */
static const struct hostile_setting command_base[] = {
	{ SMMUV3_CMDQ_BASE, 8, HOSTILE_NOWHERE, UINT64_MAX },
	CR0(ALL_ON & ~SMMUV3_CMDQEN),
	{ SMMUV3_CMDQ_BASE, 8, HOSTILE_NOWHERE, UINT64_C(1) << 40 | 8 },
	CR0(ALL_ON),
	INDEX(CMDQ_PROD, 0x40),
	CR0(ALL_ON & ~SMMUV3_CMDQEN),
	{ SMMUV3_CMDQ_BASE, 8, HOSTILE_END, 31 },
	CR0(ALL_ON),
	INDEX(CMDQ_PROD, 0x2000),
	CR0(ALL_ON & ~SMMUV3_CMDQEN),
	{ SMMUV3_CMDQ_BASE, 8, HOSTILE_MEMORY, 8 },
	CR0(ALL_ON),
	INDEX(CMDQ_PROD, 0xfe),
};

static const struct hostile_setting request_index[] = {
	INDEX(PRIQ_CONS, 0xfffff),     INDEX(EVENTQ_CONS, 0xfffff),
	INDEX(PRIQ_CONS, UINT32_MAX),  INDEX(EVENTQ_CONS, UINT32_MAX),
	INDEX(PRIQ_CONS, 0x80000000),  INDEX(EVENTQ_CONS, 0x80000000),
	INDEX(PRIQ_PROD, 0x60),	       INDEX(EVENTQ_PROD, 0x60),
	INDEX(PRIQ_CONS, 1),	       INDEX(EVENTQ_CONS, 1),
};

static const struct hostile_setting request_base[] = {
	{ SMMUV3_PRIQ_BASE, 8, HOSTILE_NOWHERE, UINT64_MAX },
	{ SMMUV3_EVENTQ_BASE, 8, HOSTILE_NOWHERE, UINT64_MAX },
	CR0(SMMUV3_SMMUEN | SMMUV3_CMDQEN),
	{ SMMUV3_PRIQ_BASE, 8, HOSTILE_NOWHERE, UINT64_C(1) << 40 | 4 },
	{ SMMUV3_EVENTQ_BASE, 8, HOSTILE_END, 19 },
	CR0(ALL_ON),
	CR0(SMMUV3_SMMUEN | SMMUV3_CMDQEN),
	{ SMMUV3_PRIQ_BASE, 8, HOSTILE_MEMORY, 0 },
	{ SMMUV3_EVENTQ_BASE, 8, HOSTILE_MEMORY, 31 },
	CR0(ALL_ON),
};

/* Formats that are not, sizes beyond everything, an SMMU that goes off and on. */
static const struct hostile_setting root_anywhere[] = {
	CR0(ALL_ON & ~SMMUV3_SMMUEN),
	{ SMMUV3_STRTAB_BASE, 8, HOSTILE_NOWHERE, 0 },
	CR0(ALL_ON),
	CR0(ALL_ON & ~SMMUV3_SMMUEN),
	{ SMMUV3_STRTAB_BASE, 8, HOSTILE_NOWHERE, UINT64_MAX },
	{ SMMUV3_STRTAB_BASE_CFG, 4, HOSTILE_NOWHERE, UINT32_MAX },
	CR0(ALL_ON),
	CR0(ALL_ON & ~SMMUV3_SMMUEN),
	{ SMMUV3_STRTAB_BASE, 8, HOSTILE_MEMORY, 0 },
	{ SMMUV3_STRTAB_BASE_CFG, 4, HOSTILE_NOWHERE, 0x1023f },
	CR0(ALL_ON),
	CR0(ALL_ON & ~SMMUV3_SMMUEN),
	{ SMMUV3_STRTAB_BASE, 8, HOSTILE_END, 0 },
	{ SMMUV3_STRTAB_BASE_CFG, 4, HOSTILE_NOWHERE, 0x10 },
	CR0(ALL_ON),
};

static const struct hostile_setting doorbells[] = {
	INDEX(CMDQ_PROD, 0),
	INDEX(PRIQ_CONS, 0),
	INDEX(EVENTQ_CONS, 0),
	INDEX(GERRORN, 0),
};

static const struct hostile_setting odd[] = {
	{ SMMUV3_IDR0, 0, HOSTILE_NOWHERE, 0 },	      { SMMUV3_CMDQ_PROD, 1, HOSTILE_NOWHERE, 0 },
	{ SMMUV3_PRIQ_CONS, 2, HOSTILE_NOWHERE, 0 },  { SMMUV3_CR0, 16, HOSTILE_NOWHERE, 0 },
	{ SMMUV3_EVENTQ_CONS, 255, HOSTILE_NOWHERE, 0 },
};

static bool commands_over(struct port *port)
{
	uint64_t prod = port_read(port, PORT_read, SMMUV3_CMDQ_PROD, 4);
	uint64_t cons = port_read(port, PORT_read, SMMUV3_CMDQ_CONS, 4);

	return ((prod ^ cons) & SMMUV3_QUEUE_INDEX) == 0 ||
	       (port_read(port, PORT_read, SMMUV3_GERROR, 4) ^
		port_read(port, PORT_read, SMMUV3_GERRORN, 4)) &
		       SMMUV3_CMDQ_ERR;
}

static bool off(struct port *port)
{
	port_write(port, PORT_write, SMMUV3_CR0, 4, 0);
	if (port_read(port, PORT_read, SMMUV3_CR0ACK, 4) != 0)
		return false;
	port_write(port, PORT_write, SMMUV3_GERRORN, 4,
		   port_read(port, PORT_read, SMMUV3_GERROR, 4));
	return true;
}

/* As the SMMU itself would find it: its registers say where. */
static uint64_t space_addr(struct guest *guest, const struct iopf_request *request)
{
	const struct table_space space = { .memory = &guest->space };
	struct port *port = &guest->port;
	struct smmuv3_features features;
	struct table_result miss = { 0 };
	struct smmuv3_ste ste;
	struct smmuv3_cd cd;
	uint64_t base = port_read(port, PORT_read, SMMUV3_STRTAB_BASE, 8), addr;
	uint32_t idr[6], index;

	for (uint32_t i = 0; i < CLI_COUNT(idr); i++)
		idr[i] = (uint32_t)port_read(port, PORT_read, SMMUV3_IDR0 + 4 * i, 4);
	features = smmuv3_features_of(idr);
	if (smmuv3_find_ste(&guest->space, &features, base,
			    port_read(port, PORT_read, SMMUV3_STRTAB_BASE_CFG, 4),
			    request->rid, &addr, &ste) != SMMUV3_EVENT_NONE ||
	    smmuv3_find_number(&ste, request->pasid, &index) != SMMUV3_EVENT_NONE ||
	    index == UINT32_MAX ||
	    smmuv3_find_cd(&space, &features, &ste, index, &cd, &miss) !=
		    SMMUV3_EVENT_NONE)
		return 0;
	return miss.entry_addr;
}

const struct hostile_family hostile_smmuv3 = {
	.name = "smmuv3",
	.wire = &iopf_wire_smmuv3,
	.command_bytes = 16,
	.truncated = HOSTILE_SETTINGS(truncated),
	.command_index = HOSTILE_SETTINGS(command_index),
	.command_base = HOSTILE_SETTINGS(command_base),
	.request_index = HOSTILE_SETTINGS(request_index),
	.request_base = HOSTILE_SETTINGS(request_base),
	.root_anywhere = HOSTILE_SETTINGS(root_anywhere),
	.doorbells = HOSTILE_SETTINGS(doorbells),
	.odd = HOSTILE_SETTINGS(odd),
	/* CMD_PRI_RESP.Resp, 0b11; of a CMD_RESUME, whose code stands elsewhere, the tag
	 * that follows is another one then. */
	.code_word = 1,
	.code_low = 12,
	.code_width = 2,
	.code_first = 3,
	.reserved = { { 0, 8 }, { 0, 9 }, { 1, 20 }, { 1, 31 }, { 1, 40 }, { 1, 63 } },
	.forget = { .kind = IOPF_COMMAND_INVALIDATE_PASID,
		    .granularity = IOPF_DEVICE,
		    .rid = LAYOUT_RID,
		    .pasid = IOPF_PASID_NONE },
	.lacks = UINT64_C(1) << HOSTILE_answer_private,
	.space_addr = space_addr,
	.commands_over = commands_over,
	.off = off,
};
