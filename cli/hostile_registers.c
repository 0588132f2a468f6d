/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/hostile_registers.c - what a hostile guest does to its virtual IOMMU's registers. */
#include "cli/cli.h"
#include "cli/hostile.h"
#include "queue/vtd.h"

/* A register and what it is set to, while commands and requests are on their way. */
struct setting {
	uint32_t offset;
	uint64_t value;
};

static void settings_make(struct hostile *hostile, enum hostile_act act,
			  const struct setting *settings, size_t count)
{
	struct iopf_request request;

	(void)hostile_hold(hostile, &request);
	for (size_t i = 0; i < count; i++) {
		hostile_write(hostile, settings[i].offset, 8, settings[i].value);
		hostile_turns(hostile, 1);
	}
	hostile_did(hostile, act, count, true);
}

#define SETTINGS_MAKE(hostile, act, settings) \
	settings_make(hostile, act, settings, CLI_COUNT(settings))

/* A descriptor is 32 bytes where IQA.DW is set, 16 where it is not. */
void hostile_truncated(struct hostile *hostile)
{
	struct iopf_agent_layout layout;
	struct setting settings[] = {
		{ VTD_IQT, 0x10 }, { VTD_IQT, 0x30 }, { VTD_IQT, 0x7ff0 },
		{ VTD_IQA, 0 },    { VTD_IQT, 0x10 }, { VTD_IQT, 0x70 },
	};

	iopf_agent_layout(hostile->guest->agent, &layout);
	settings[3].value = layout.command_queue;
	SETTINGS_MAKE(hostile, HOSTILE_truncated, settings);
}

void hostile_command_index(struct hostile *hostile)
{
	static const struct setting settings[] = {
		{ VTD_IQT, 0x7ffe0 }, { VTD_IQH, 0x40 },	   { VTD_IQT, UINT64_MAX },
		{ VTD_IQT, 0x4000 },  { VTD_IQT, UINT64_C(1) << 63 }, { VTD_IQT, 7 },
	};

	SETTINGS_MAKE(hostile, HOSTILE_command_index, settings);
}

/* Out of memory, at its very end, over the agent's own tables; each with a tail. */
void hostile_command_base(struct hostile *hostile)
{
	const uint64_t end = LAYOUT_BASE + hostile->guest->layout.size_bytes;
	const struct setting settings[] = {
		{ VTD_IQA, VTD_IQA_DW },
		{ VTD_IQT, 0x40 },
		{ VTD_IQA, (end - LAYOUT_PAGE) | VTD_IQA_DW | VTD_IQA_QS },
		{ VTD_IQT, 0x2000 },
		{ VTD_IQA, (UINT64_MAX & VTD_IQA_ADDR) | VTD_IQA_DW },
		{ VTD_IQT, 0xfe0 },
		{ VTD_IQA, LAYOUT_BASE | VTD_IQA_DW },
		{ VTD_IQT, 0xfe0 },
	};

	SETTINGS_MAKE(hostile, HOSTILE_command_base, settings);
}

/* Also running away: as if everything that may ever come were taken already. */
void hostile_request_index(struct hostile *hostile)
{
	static const struct setting settings[] = {
		{ VTD_PQH, 0x7ffe0 }, { VTD_PQH, UINT64_MAX }, { VTD_PQH, 0x20 },
		{ VTD_PQH, 0x40 },    { VTD_PQT, 0x60 },       { VTD_PQH, 0x11 },
		{ VTD_PQH, 0x1fe0 },  { VTD_PQT, UINT64_MAX }, { VTD_PQH, 0 },
	};

	SETTINGS_MAKE(hostile, HOSTILE_request_index, settings);
}

void hostile_request_base(struct hostile *hostile)
{
	const uint64_t end = LAYOUT_BASE + hostile->guest->layout.size_bytes;
	const struct setting settings[] = {
		{ VTD_PQA, UINT64_C(1) << 40 },
		{ VTD_PQA, (end - LAYOUT_PAGE) | VTD_PQA_PQS },
		{ VTD_PQA, LAYOUT_BASE },
		{ VTD_PQA, LAYOUT_BASE + LAYOUT_PAGE },
		{ VTD_PQA, 0 },
		{ VTD_PQA, UINT64_MAX },
		{ VTD_PQA, LAYOUT_BASE | 2 },
	};
	struct iopf_request request;

	SETTINGS_MAKE(hostile, HOSTILE_request_base, settings);
	/* Its device goes on asking meanwhile. */
	(void)hostile_hold(hostile, &request);
}

void hostile_root_anywhere(struct hostile *hostile)
{
	static const uint64_t roots[] = { 0, UINT64_MAX, UINT64_C(1) << 40, LAYOUT_BASE,
					  LAYOUT_BASE | VTD_RTADDR_TTM };
	struct iopf_request request;

	(void)hostile_hold(hostile, &request);
	for (size_t i = 0; i < CLI_COUNT(roots); i++) {
		hostile_write(hostile, VTD_RTADDR, 8,
			      roots[i] ^ (i % 2 == 0 ? VTD_RTADDR_SCALABLE : 0));
		hostile_write(hostile, VTD_GCMD, 4, VTD_TE | VTD_QIE | VTD_SRTP);
		hostile_turns(hostile, 2);
	}
	hostile_did(hostile, HOSTILE_root_anywhere, CLI_COUNT(roots), true);
}

void hostile_doorbell_storm(struct hostile *hostile)
{
	static const uint16_t offsets[] = { VTD_IQT, VTD_PQH, VTD_PRS, VTD_PECTL };
	enum { STORM = 4000 };

	for (uint32_t i = 0; i < STORM && !hostile->guest->port.stop; i++)
		hostile_write(hostile, offsets[i % CLI_COUNT(offsets)],
			      i % 4 < 2 ? 8 : 4, 0);
	hostile_did(hostile, HOSTILE_doorbell_storm, STORM, true);
}

static void accesses_make(struct hostile *hostile, enum hostile_act act,
			  const uint32_t *offsets, const uint32_t *widths, size_t count)
{
	struct port *port = &hostile->guest->port;

	for (size_t i = 0; i < count; i++) {
		(void)port_read(port, PORT_read, offsets[i], widths[i]);
		port_write(port, PORT_write, offsets[i], widths[i], UINT64_MAX);
		(void)port_read(port, PORT_device_read, offsets[i], widths[i]);
		port_write(port, PORT_device_write, offsets[i], widths[i], UINT64_MAX);
	}
	hostile_did(hostile, act, 4 * count, true);
}

void hostile_register_width(struct hostile *hostile)
{
	static const uint32_t offsets[] = { VTD_CAP, VTD_IQT, VTD_PQH, VTD_GCMD, VTD_PRS };
	static const uint32_t widths[] = { 0, 1, 2, 16, 255 };

	accesses_make(hostile, HOSTILE_register_width, offsets, widths,
		      CLI_COUNT(widths));
}

void hostile_register_offset(struct hostile *hostile)
{
	static const uint32_t offsets[] = { 3, 0x81, 0xff8, 0x1000, 0xfffffff8, UINT32_MAX };
	static const uint32_t widths[] = { 4, 8, 8, 8, 8, 8 };

	accesses_make(hostile, HOSTILE_register_offset, offsets, widths,
		      CLI_COUNT(widths));
}
