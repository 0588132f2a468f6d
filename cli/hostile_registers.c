/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/hostile_registers.c - what a hostile guest does to its virtual IOMMU's registers. */
#include "cli/cli.h"
#include "cli/hostile_family.h"

static uint64_t value_of(const struct guest *guest, const struct hostile_setting *setting)
{
	struct iopf_agent_layout layout;
	uint64_t bases[] = { [HOSTILE_MEMORY] = LAYOUT_BASE,
			     [HOSTILE_END] = LAYOUT_BASE + guest->layout.size_bytes -
					     LAYOUT_PAGE,
			     [HOSTILE_COMMANDS] = 0,
			     [HOSTILE_ROOT] = 0 };

	iopf_agent_layout(guest->agent, &layout);
	bases[HOSTILE_COMMANDS] = layout.command_queue;
	bases[HOSTILE_ROOT] = layout.root;
	return bases[setting->base] | setting->value;
}

/* Each while its device goes on asking. */
static void settings_make(struct hostile *hostile, enum hostile_act act,
			  const struct hostile_settings *settings)
{
	struct iopf_request request;

	(void)hostile_hold(hostile, &request);
	for (size_t i = 0; i < settings->count; i++) {
		const struct hostile_setting *setting = &settings->list[i];

		hostile_write(hostile, setting->offset, setting->width,
			      value_of(hostile->guest, setting));
		hostile_turns(hostile, 1);
	}
	(void)hostile_hold(hostile, &request);
	hostile_did(hostile, act, settings->count, true);
}

void hostile_truncated(struct hostile *hostile)
{
	settings_make(hostile, HOSTILE_truncated, &hostile->family->truncated);
}

void hostile_command_index(struct hostile *hostile)
{
	settings_make(hostile, HOSTILE_command_index, &hostile->family->command_index);
}

void hostile_command_base(struct hostile *hostile)
{
	settings_make(hostile, HOSTILE_command_base, &hostile->family->command_base);
}

void hostile_request_index(struct hostile *hostile)
{
	settings_make(hostile, HOSTILE_request_index, &hostile->family->request_index);
}

void hostile_request_base(struct hostile *hostile)
{
	settings_make(hostile, HOSTILE_request_base, &hostile->family->request_base);
}

void hostile_root_anywhere(struct hostile *hostile)
{
	settings_make(hostile, HOSTILE_root_anywhere, &hostile->family->root_anywhere);
}

void hostile_doorbell_storm(struct hostile *hostile)
{
	const struct hostile_settings *doorbells = &hostile->family->doorbells;
	enum { STORM = 4000 };

	for (uint32_t i = 0; i < STORM && !hostile->guest->port.stop; i++) {
		const struct hostile_setting *bell = &doorbells->list[i % doorbells->count];

		hostile_write(hostile, bell->offset, bell->width, bell->value);
	}
	hostile_did(hostile, HOSTILE_doorbell_storm, STORM, true);
}

static void accesses_make(struct hostile *hostile, enum hostile_act act,
			  const struct hostile_settings *settings)
{
	struct port *port = &hostile->guest->port;

	for (size_t i = 0; i < settings->count; i++) {
		const struct hostile_setting *at = &settings->list[i];

		(void)port_read(port, PORT_read, at->offset, at->width);
		port_write(port, PORT_write, at->offset, at->width, UINT64_MAX);
		(void)port_read(port, PORT_device_read, at->offset, at->width);
		port_write(port, PORT_device_write, at->offset, at->width, UINT64_MAX);
	}
	hostile_did(hostile, act, 4 * settings->count, true);
}

void hostile_register_width(struct hostile *hostile)
{
	accesses_make(hostile, HOSTILE_register_width, &hostile->family->odd);
}

void hostile_register_offset(struct hostile *hostile)
{
	static const struct hostile_setting nowhere[] = {
		{ 3, 4, HOSTILE_NOWHERE, 0 },	       { 0x81, 8, HOSTILE_NOWHERE, 0 },
		{ 0xff8, 8, HOSTILE_NOWHERE, 0 },      { 0x1000, 8, HOSTILE_NOWHERE, 0 },
		{ 0x20000, 8, HOSTILE_NOWHERE, 0 },    { 0xfffffff8, 8, HOSTILE_NOWHERE, 0 },
		{ UINT32_MAX, 8, HOSTILE_NOWHERE, 0 },
	};
	static const struct hostile_settings settings = HOSTILE_SETTINGS(nowhere);

	accesses_make(hostile, HOSTILE_register_offset, &settings);
}
