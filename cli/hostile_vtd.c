/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/hostile_vtd.c - where a virtual VT-d can be hurt. */
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/hostile_family.h"
#include "queue/vtd.h"
#include "table/vtd_words.h"

/* A descriptor is 32 bytes where IQA.DW is set, 16 where it is not. */
static const struct hostile_setting truncated[] = {
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0x10 },	 { VTD_IQT, 8, HOSTILE_NOWHERE, 0x30 },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0x7ff0 }, { VTD_IQA, 8, HOSTILE_COMMANDS, 0 },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0x10 },	 { VTD_IQT, 8, HOSTILE_NOWHERE, 0x70 },
};

static const struct hostile_setting command_index[] = {
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0x7ffe0 },
	{ VTD_IQH, 8, HOSTILE_NOWHERE, 0x40 },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, UINT64_MAX },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0x4000 },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, UINT64_C(1) << 63 },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 7 },
};

/* Out of memory, at its very end, over the agent's own tables; each with a tail. */
static const struct hostile_setting command_base[] = {
	{ VTD_IQA, 8, HOSTILE_NOWHERE, VTD_IQA_DW },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0x40 },
	{ VTD_IQA, 8, HOSTILE_END, VTD_IQA_DW | VTD_IQA_QS },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0x2000 },
	{ VTD_IQA, 8, HOSTILE_NOWHERE, (UINT64_MAX & VTD_IQA_ADDR) | VTD_IQA_DW },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0xfe0 },
	{ VTD_IQA, 8, HOSTILE_MEMORY, VTD_IQA_DW },
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0xfe0 },
};

/* Also running away: as if everything that may ever come were taken already. */
static const struct hostile_setting request_index[] = {
	{ VTD_PQH, 8, HOSTILE_NOWHERE, 0x7ffe0 }, { VTD_PQH, 8, HOSTILE_NOWHERE, UINT64_MAX },
	{ VTD_PQH, 8, HOSTILE_NOWHERE, 0x20 },	  { VTD_PQH, 8, HOSTILE_NOWHERE, 0x40 },
	{ VTD_PQT, 8, HOSTILE_NOWHERE, 0x60 },	  { VTD_PQH, 8, HOSTILE_NOWHERE, 0x11 },
	{ VTD_PQH, 8, HOSTILE_NOWHERE, 0x1fe0 },  { VTD_PQT, 8, HOSTILE_NOWHERE, UINT64_MAX },
	{ VTD_PQH, 8, HOSTILE_NOWHERE, 0 },
};

static const struct hostile_setting request_base[] = {
	{ VTD_PQA, 8, HOSTILE_NOWHERE, UINT64_C(1) << 40 },
	{ VTD_PQA, 8, HOSTILE_END, VTD_PQA_PQS },
	{ VTD_PQA, 8, HOSTILE_MEMORY, 0 },
	{ VTD_PQA, 8, HOSTILE_MEMORY, LAYOUT_PAGE },
	{ VTD_PQA, 8, HOSTILE_NOWHERE, 0 },
	{ VTD_PQA, 8, HOSTILE_NOWHERE, UINT64_MAX },
	{ VTD_PQA, 8, HOSTILE_MEMORY, 2 },
};

#define ROOT_GO { VTD_GCMD, 4, HOSTILE_NOWHERE, VTD_TE | VTD_QIE | VTD_SRTP }
static const struct hostile_setting root_anywhere[] = {
	{ VTD_RTADDR, 8, HOSTILE_NOWHERE, VTD_RTADDR_SCALABLE },
	ROOT_GO,
	{ VTD_RTADDR, 8, HOSTILE_NOWHERE, UINT64_MAX },
	ROOT_GO,
	{ VTD_RTADDR, 8, HOSTILE_NOWHERE, UINT64_C(1) << 40 | VTD_RTADDR_SCALABLE },
	ROOT_GO,
	{ VTD_RTADDR, 8, HOSTILE_MEMORY, 0 },
	ROOT_GO,
	{ VTD_RTADDR, 8, HOSTILE_MEMORY, VTD_RTADDR_TTM ^ VTD_RTADDR_SCALABLE },
	ROOT_GO,
};

static const struct hostile_setting doorbells[] = {
	{ VTD_IQT, 8, HOSTILE_NOWHERE, 0 },
	{ VTD_PQH, 8, HOSTILE_NOWHERE, 0 },
	{ VTD_PRS, 4, HOSTILE_NOWHERE, 0 },
	{ VTD_PECTL, 4, HOSTILE_NOWHERE, 0 },
};

static const struct hostile_setting odd[] = {
	{ VTD_CAP, 0, HOSTILE_NOWHERE, 0 }, { VTD_IQT, 1, HOSTILE_NOWHERE, 0 },
	{ VTD_PQH, 2, HOSTILE_NOWHERE, 0 }, { VTD_GCMD, 16, HOSTILE_NOWHERE, 0 },
	{ VTD_PRS, 255, HOSTILE_NOWHERE, 0 },
};

static uint64_t space_addr(struct guest *guest, const struct iopf_request *request)
{
	uint32_t pasid = request->pasid;
	struct iopf_agent_layout layout;
	uint64_t word;

	iopf_agent_layout(guest->agent, &layout);
	if (!memory_load64(&guest->space, vtd_root_addr(layout.root, request->rid), &word) ||
	    !memory_load64(&guest->space,
			   vtd_context_addr(word & ~(LAYOUT_PAGE - 1), request->rid),
			   &word) ||
	    !memory_load64(&guest->space,
			   vtd_directory_addr(word & ~(LAYOUT_PAGE - 1), pasid), &word))
		return 0;
	return vtd_pasid_addr(word & ~(LAYOUT_PAGE - 1), pasid);
}

static bool commands_over(struct port *port)
{
	return port_read(port, PORT_read, VTD_IQH, 8) ==
		       port_read(port, PORT_read, VTD_IQT, 8) ||
	       (port_read(port, PORT_read, VTD_FSTS, 4) & VTD_FSTS_IQE);
}

static bool off(struct port *port)
{
	port_write(port, PORT_write, VTD_GCMD, 4, 0);
	if (port_read(port, PORT_read, VTD_GSTS, 4) & (VTD_TE | VTD_QIE))
		return false;
	port_write(port, PORT_write, VTD_PQA, 8, 0);
	port_write(port, PORT_write, VTD_FSTS, 4, UINT32_MAX);
	return true;
}

const struct hostile_family hostile_vtd = {
	.name = "vtd",
	.wire = &iopf_wire_vtd,
	.command_bytes = 32,
	.truncated = HOSTILE_SETTINGS(truncated),
	.command_index = HOSTILE_SETTINGS(command_index),
	.command_base = HOSTILE_SETTINGS(command_base),
	.request_index = HOSTILE_SETTINGS(request_index),
	.request_base = HOSTILE_SETTINGS(request_base),
	.root_anywhere = HOSTILE_SETTINGS(root_anywhere),
	.doorbells = HOSTILE_SETTINGS(doorbells),
	.odd = HOSTILE_SETTINGS(odd),
	/* Bits 15:12 of a page group response (VT-d, "Page Group Response Descriptor"). */
	.code_low = 12,
	.code_width = 4,
	.code_first = 2,
	.reserved = { { 0, 6 }, { 0, 63 }, { 1, 0 }, { 1, 63 }, { 2, 5 }, { 3, 63 } },
	.forget = { .kind = IOPF_COMMAND_INVALIDATE_PASID,
		    .granularity = IOPF_ALL,
		    .pasid = IOPF_PASID_NONE },
	.space_addr = space_addr,
	.commands_over = commands_over,
	.off = off,
};
