/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/config.c - a configuration space that is only memory: what a guest reads there,
 * and what its writes do to the page request interface that it sees.
 */
#include "guest/config.h"

#include <errno.h>
#include <string.h>

#include "iopf/iopf.h"

/* ---- Registers ------------------------------------------------------------------- */

/* clang-format off */
static const struct config_row header_rows[] = {
	/* offset, size, sticky, value, write, clear */
	{ CONFIG_COMMAND,        2, false, 0,      0x0546, 0 },
	{ CONFIG_STATUS,         2, false, 0x0010, 0,      0xf900 },
	{ CONFIG_CACHE_LINE,     1, false, 0,      0xff,   0 },
	{ CONFIG_CAPABILITIES,   1, false, GUEST_EXPRESS, 0, 0 },
	{ CONFIG_INTERRUPT_LINE, 1, false, 0,      0xff,   0 },

	{ GUEST_EXPRESS,         1, false, CAPABILITY_EXPRESS, 0, 0 },
	/* version 2, root complex integrated endpoint */
	{ GUEST_EXPRESS + EXPRESS_CAP,         2, false, 0x0092,     0,      0 },
	/* 256 bytes of payload, extended tags, role-based errors, FLR */
	{ GUEST_EXPRESS + EXPRESS_DEVICE_CAP,  4, false, 0x10008021, 0,      0 },
	{ GUEST_EXPRESS + EXPRESS_CONTROL,     2, false, 0x2810,     0x791f, 0 },
	/* PCIe 6.6.2: a function level reset leaves Max Payload Size as it is */
	{ GUEST_EXPRESS + EXPRESS_CONTROL,     2, true,  0,          0x00e0, 0 },
	{ GUEST_EXPRESS + EXPRESS_STATUS,      2, false, 0,          0,      0x000f },
	/* completion time-out can be switched off; one end-to-end TLP prefix */
	{ GUEST_EXPRESS + EXPRESS_DEVICE_CAP2, 4, false, 0x00600010, 0,      0 },
	{ GUEST_EXPRESS + EXPRESS_CONTROL2,    2, false, 0,          0x8010, 0 },
};

/* Of an endpoint behind a port: 16 GT/s, four lanes. */
static const struct config_row link_rows[] = {
	{ GUEST_EXPRESS + EXPRESS_LINK_CAP,    4, false, 0x00400044, 0,      0 },
	{ GUEST_EXPRESS + EXPRESS_LINK_CONTROL, 2, true, 0,          0x00cb, 0 },
	{ GUEST_EXPRESS + EXPRESS_LINK_STATUS, 2, false, 0x0044,     0,      0 },
	{ GUEST_EXPRESS + EXPRESS_LINK_CAP2,   4, false, 0x0000001e, 0,      0 },
};

/* One vector. */
static const struct config_row msi_rows[] = {
	{ GUEST_MSI,                2, false, CAPABILITY_MSI, 0,      0 },
	{ GUEST_MSI + MSI_CONTROL,  2, false, MSI_64,         0x0071, 0 },
	{ GUEST_MSI + MSI_ADDR,     4, false, 0,          0xfffffffc, 0 },
	{ GUEST_MSI + MSI_ADDR_HIGH, 4, false, 0,         0xffffffff, 0 },
	{ GUEST_MSI + MSI_DATA,     2, false, 0,              0xffff, 0 },
};

static const struct config_row msi_mask_rows[] = {
	{ GUEST_MSI + MSI_CONTROL,  2, false, MSI_MASKING, 0,         0 },
	{ GUEST_MSI + MSI_MASK,     4, false, 0,           1,         0 },
};

/* Invalidate queue depth 32, page aligned requests, global invalidations. */
static const struct config_row ats_rows[] = {
	{ GUEST_ATS,                4, false, EXTENDED(EXTENDED_ATS, 1, 0), 0, 0 },
	{ GUEST_ATS + ATS_CAP,      2, false, 0x0060, 0, 0 },
	{ GUEST_ATS + ATS_CONTROL,  2, false, 0, ATS_ENABLE | ATS_STU, 0 },
};

static const struct config_row pri_rows[] = {
	{ GUEST_PRI,                4, false, EXTENDED(EXTENDED_PRI, 1, 0), 0, 0 },
	{ GUEST_PRI + PRI_CONTROL,  2, false, 0, PRI_ENABLE, 0 },
	{ GUEST_PRI + PRI_STATUS,   2, false, PRI_STOPPED, 0, PRI_RF | PRI_UPRGI },
	{ GUEST_PRI + PRI_ALLOCATION, 4, false, 0, 0xffffffff, 0 },
};

static const struct config_row pasid_rows[] = {
	{ GUEST_PASID,              4, false, EXTENDED(EXTENDED_PASID, 1, 0), 0, 0 },
	{ GUEST_PASID + PASID_CONTROL, 2, false, 0, PASID_ENABLE, 0 },
};
/* clang-format on */

#define ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

static void add_rows(struct config *space, const struct config_row *rows, size_t count)
{
	for (size_t n = 0; n < count; n++)
		config_row(space, &rows[n]);
}

/* ---- Create ---------------------------------------------------------------------- */

static bool bar_right(const struct iopf_bar *bars, unsigned n)
{
	uint64_t size = bars[n].size_bytes;
	bool wide = bars[n].flags & IOPF_BAR_64;

	if (bars[n].flags & ~(uint32_t)(IOPF_BAR_64 | IOPF_BAR_PREFETCH))
		return false;
	if (size == 0)
		return bars[n].flags == 0;
	if (size < 128 || (size & (size - 1)) != 0 || (!wide && size > UINT32_C(1) << 31))
		return false;
	return !wide || (n + 1 < IOPF_BAR_COUNT && bars[n + 1].size_bytes == 0);
}

/* PRI and PASIDs are nothing without ATS (PCIe 10.5.2). */
static bool options_right(const struct iopf_config_options *options)
{
	if (options->size_bytes != sizeof(*options) || options->class_code > 0xffffff ||
	    options->pasid_bits > 20 ||
	    (options->pasid_rights & ~(IOPF_EXEC | IOPF_PRIV)) != 0 ||
	    (options->msi_masking && !options->msi) ||
	    ((options->pri || options->pasid) && !options->ats) ||
	    (options->pri && options->capacity == 0))
		return false;
	for (unsigned n = 0; n < IOPF_BAR_COUNT; n++)
		if (!bar_right(options->bars, n))
			return false;
	return true;
}

static void add_bar(struct config *space, const struct iopf_bar *bar, unsigned n)
{
	uint16_t at = (uint16_t)(CONFIG_BAR0 + 4 * n);
	uint64_t writable = ~(bar->size_bytes - 1);

	if (bar->size_bytes == 0)
		return;
	config_row(space, &(struct config_row){
				  .offset = at,
				  .size_bytes = 4,
				  .value = (bar->flags & IOPF_BAR_64 ? BAR_64 : 0u) |
					   (bar->flags & IOPF_BAR_PREFETCH ? BAR_PREFETCH :
									     0u),
				  .write = (uint32_t)writable });
	if (bar->flags & IOPF_BAR_64)
		config_row(space, &(struct config_row){ .offset = (uint16_t)(at + 4),
							.size_bytes = 4,
							.write = (uint32_t)(writable >> 32) });
}

/* The bits that enable rights stand where those do that say they are supported. */
static uint32_t rights_bits(uint8_t rights)
{
	return (rights & IOPF_EXEC ? PASID_CAP_EXEC : 0u) |
	       (rights & IOPF_PRIV ? PASID_CAP_PRIV : 0u);
}

/* @to follows @from in the list of extended capabilities. */
static void link_extended(struct config *space, uint16_t from, uint16_t to)
{
	config_set_bits(space, from, 4, EXTENDED(0, 0, to), true);
}

static void add_paging(struct config *space, const struct iopf_config_options *options)
{
	uint32_t rights = rights_bits(options->pasid_rights);
	uint16_t at = GUEST_ATS;

	if (!options->ats)
		return;
	add_rows(space, ROWS(ats_rows));
	if (options->pri) {
		add_rows(space, ROWS(pri_rows));
		config_put(space, GUEST_PRI + PRI_CAPACITY, 4, options->capacity);
		config_set_bits(space, GUEST_PRI + PRI_STATUS, 2, PRI_PASID_REQUIRED,
				options->pasid_in_response);
		link_extended(space, at, GUEST_PRI);
		at = GUEST_PRI;
	}
	if (options->pasid) {
		add_rows(space, ROWS(pasid_rows));
		config_put(space, GUEST_PASID + PASID_CAP, 2,
			   rights | (uint32_t)options->pasid_bits << 8);
		config_row(space,
			   &(struct config_row){ .offset = GUEST_PASID + PASID_CONTROL,
						 .size_bytes = 2,
						 .write = rights });
		link_extended(space, at, GUEST_PASID);
	}
}

static void fill(struct config *space, const struct iopf_config_options *options)
{
	config_create(space);
	add_rows(space, ROWS(header_rows));
	config_put(space, CONFIG_VENDOR, 2, options->vendor_id);
	config_put(space, CONFIG_DEVICE, 2, options->device_id);
	config_put(space, CONFIG_SUBSYSTEM_VENDOR, 2, options->subsystem_vendor_id);
	config_put(space, CONFIG_SUBSYSTEM, 2, options->subsystem_id);
	config_put(space, CONFIG_REVISION, 4, options->class_code << 8 | options->revision);
	for (unsigned n = 0; n < IOPF_BAR_COUNT; n++)
		add_bar(space, &options->bars[n], n);
	if (options->behind_port) {
		config_put(space, GUEST_EXPRESS + EXPRESS_CAP, 2, 0x0002);
		add_rows(space, ROWS(link_rows));
	}
	if (options->msi) {
		config_put(space, GUEST_EXPRESS + 1, 1, GUEST_MSI);
		add_rows(space, ROWS(msi_rows));
	}
	if (options->msi_masking)
		add_rows(space, ROWS(msi_mask_rows));
	add_paging(space, options);
	config_settle(space);
}

size_t iopf_config_size_bytes(void)
{
	return sizeof(struct iopf_config);
}

int iopf_config_create(const struct iopf_config_options *options, void *memory,
		       size_t memory_bytes, struct iopf_config **out)
{
	struct iopf_config *config = memory;

	if (!options_right(options) || (uintptr_t)memory % 8 != 0)
		return -EINVAL;
	if (memory_bytes < sizeof(*config))
		return -ENOSPC;
	*config = (struct iopf_config){ .options = *options };
	fill(&config->space, options);
	*out = config;
	return 0;
}

/* ---- What a write does beside ----------------------------------------------------- */

static void tell(const struct iopf_config *config, enum iopf_config_change change)
{
	if (config->options.changed != NULL)
		config->options.changed(config->options.context, change);
}

static bool is_on(const struct iopf_config *config, uint32_t control, uint32_t enable)
{
	return config_get(&config->space, control, 2) & enable;
}

/* PCIe 10.5.2.3: meaningful while Enable is 0: nothing that was asked is left. */
static void stopped(struct iopf_config *config)
{
	bool enabled = is_on(config, GUEST_PRI + PRI_CONTROL, PRI_ENABLE);

	if (config->options.pri)
		config_set_bits(&config->space, GUEST_PRI + PRI_STATUS, 2, PRI_STOPPED,
				!enabled && !config->outstanding);
}

/* One register has been written: it held @was, and software put @written to it. */
typedef void effect_fn(struct iopf_config *config, uint32_t now, uint32_t was,
		       uint32_t written);

static void command_written(struct iopf_config *config, uint32_t now, uint32_t was,
			    uint32_t written)
{
	(void)written;
	if ((now ^ was) & (COMMAND_MEMORY | COMMAND_BUS_MASTER))
		tell(config, IOPF_CONFIG_COMMAND);
}

static void bar_written(struct iopf_config *config, uint32_t now, uint32_t was,
			uint32_t written)
{
	(void)written;
	if (now != was)
		tell(config, IOPF_CONFIG_BARS);
}

static void msi_written(struct iopf_config *config, uint32_t now, uint32_t was,
			uint32_t written)
{
	(void)written;
	if (now != was)
		tell(config, IOPF_CONFIG_MSI);
}

/* PCIe 10.5.1.3: the smallest translation unit is fixed while ATS is on. */
static void ats_written(struct iopf_config *config, uint32_t now, uint32_t was,
			uint32_t written)
{
	(void)written;
	if (was & ATS_ENABLE && (now ^ was) & ATS_STU) {
		config_put(&config->space, GUEST_ATS + ATS_CONTROL, 2,
			   (now & ~(uint32_t)ATS_STU) | (was & ATS_STU));
		config->undefined++;
	}
	if ((now ^ was) & ATS_ENABLE)
		tell(config, IOPF_CONFIG_ATS);
}

/* PCIe 7.8.9: undefined while ATS is on; it is done all the same. */
static void pasid_written(struct iopf_config *config, uint32_t now, uint32_t was,
			  uint32_t written)
{
	(void)written;
	if (now == was)
		return;
	config->undefined += is_on(config, GUEST_ATS + ATS_CONTROL, ATS_ENABLE);
	tell(config, IOPF_CONFIG_PASID);
}

/* PCIe 10.5.2.5: the allocation is fixed while PRI is on. */
static void allocation_written(struct iopf_config *config, uint32_t now, uint32_t was,
			       uint32_t written)
{
	(void)written;
	if (!is_on(config, GUEST_PRI + PRI_CONTROL, PRI_ENABLE))
		return;
	config->undefined += now != was;
	config_put(&config->space, GUEST_PRI + PRI_ALLOCATION, 4, was);
}

/* PCIe 10.5.2.2: Enable from 0 to 1 clears the status; Reset counts where Enable is, or
 * becomes, 0. */
static void pri_written(struct iopf_config *config, uint32_t now, uint32_t was,
			uint32_t written)
{
	uint32_t status = config_get(&config->space, GUEST_PRI + PRI_STATUS, 2);

	if (now & ~was & PRI_ENABLE) {
		config->undefined += !(status & PRI_STOPPED);
		config_set_bits(&config->space, GUEST_PRI + PRI_STATUS, 2,
				PRI_RF | PRI_UPRGI, false);
	}
	stopped(config);
	if ((now ^ was) & PRI_ENABLE)
		tell(config, IOPF_CONFIG_PRI);
	if (config->options.pri && written & PRI_RESET && !(now & PRI_ENABLE))
		tell(config, IOPF_CONFIG_PRI_RESET);
}

/* PCIe 6.6.2. */
static void express_written(struct iopf_config *config, uint32_t now, uint32_t was,
			    uint32_t written)
{
	(void)now;
	(void)was;
	if (!(written & DEVICE_CONTROL_FLR))
		return;
	config_reset(&config->space);
	config->resets++;
	stopped(config);
	tell(config, IOPF_CONFIG_RESET);
}

/* A reset is the last: what stands beside it in one write is undone by it. */
static const struct effect {
	uint16_t offset;
	uint8_t size_bytes;
	effect_fn *effect;
} effects[] = {
	{ CONFIG_COMMAND, 2, command_written },
	{ CONFIG_BAR0, 4, bar_written },
	{ CONFIG_BAR0 + 4, 4, bar_written },
	{ CONFIG_BAR0 + 8, 4, bar_written },
	{ CONFIG_BAR0 + 12, 4, bar_written },
	{ CONFIG_BAR0 + 16, 4, bar_written },
	{ CONFIG_BAR0 + 20, 4, bar_written },
	{ GUEST_MSI + MSI_CONTROL, 2, msi_written },
	{ GUEST_MSI + MSI_ADDR, 4, msi_written },
	{ GUEST_MSI + MSI_ADDR_HIGH, 4, msi_written },
	{ GUEST_MSI + MSI_DATA, 2, msi_written },
	{ GUEST_MSI + MSI_MASK, 4, msi_written },
	{ GUEST_ATS + ATS_CONTROL, 2, ats_written },
	{ GUEST_PASID + PASID_CONTROL, 2, pasid_written },
	{ GUEST_PRI + PRI_ALLOCATION, 4, allocation_written },
	{ GUEST_PRI + PRI_CONTROL, 2, pri_written },
	{ GUEST_EXPRESS + EXPRESS_CONTROL, 2, express_written },
};

/* No register is wider than an access, so one write reaches two of them at most; they are
 * told in their order, each when all of it is written. */
void iopf_config_write(struct iopf_config *config, uint32_t offset, uint32_t width_bytes,
		       uint32_t value)
{
	const size_t count = sizeof(effects) / sizeof(effects[0]);
	uint32_t was[sizeof(effects) / sizeof(effects[0])];

	if (!config_access_fits(offset, width_bytes))
		return;
	for (size_t n = 0; n < count; n++)
		was[n] = config_get(&config->space, effects[n].offset,
				    effects[n].size_bytes);
	config_write(&config->space, offset, width_bytes, value);
	for (size_t n = 0; n < count; n++) {
		const struct effect *it = &effects[n];

		if (offset < it->offset + it->size_bytes &&
		    it->offset < offset + width_bytes)
			it->effect(config,
				   config_get(&config->space, it->offset, it->size_bytes),
				   was[n],
				   config_written(it->offset, it->size_bytes, offset,
						  width_bytes, value));
	}
}

uint32_t iopf_config_read(const struct iopf_config *config, uint32_t offset,
			  uint32_t width_bytes)
{
	if (!config_access_fits(offset, width_bytes))
		return config_nobody(width_bytes);
	return config_get(&config->space, offset, width_bytes);
}

/* ---- How it is --------------------------------------------------------------------- */

static uint64_t bar_addr(const struct iopf_config *config, unsigned n)
{
	const struct iopf_bar *bar = &config->options.bars[n];
	uint64_t addr = config_get(&config->space, CONFIG_BAR0 + 4 * n, 4);

	if (bar->size_bytes == 0)
		return 0;
	if (bar->flags & IOPF_BAR_64)
		addr |= (uint64_t)config_get(&config->space, CONFIG_BAR0 + 4 * n + 4, 4)
			<< 32;
	return addr & ~(bar->size_bytes - 1);
}

void iopf_config_state(const struct iopf_config *config, struct iopf_config_state *state)
{
	const struct config *space = &config->space;
	uint32_t command = config_get(space, CONFIG_COMMAND, 2);
	uint32_t ats = config_get(space, GUEST_ATS + ATS_CONTROL, 2);
	uint32_t pasid = config_get(space, GUEST_PASID + PASID_CONTROL, 2);
	uint32_t status = config_get(space, GUEST_PRI + PRI_STATUS, 2);

	*state = (struct iopf_config_state){
		.msi_addr = config_get(space, GUEST_MSI + MSI_ADDR, 4) |
			    (uint64_t)config_get(space, GUEST_MSI + MSI_ADDR_HIGH, 4) << 32,
		.msi_data = config_get(space, GUEST_MSI + MSI_DATA, 2),
		.allocation = config_get(space, GUEST_PRI + PRI_ALLOCATION, 4),
		.memory = command & COMMAND_MEMORY,
		.master = command & COMMAND_BUS_MASTER,
		.msi = is_on(config, GUEST_MSI + MSI_CONTROL, MSI_ENABLE),
		.msi_masked = config_get(space, GUEST_MSI + MSI_MASK, 1) & 1,
		.msi_pending = config_get(space, GUEST_MSI + MSI_PENDING, 1) & 1,
		.ats = ats & ATS_ENABLE,
		.pri = is_on(config, GUEST_PRI + PRI_CONTROL, PRI_ENABLE),
		.pasid = pasid & PASID_ENABLE,
		.pasid_rights = (uint8_t)((pasid & PASID_EXEC ? IOPF_EXEC : 0) |
					  (pasid & PASID_PRIV ? IOPF_PRIV : 0)),
		.stu = ats & ATS_STU,
		.stopped = status & PRI_STOPPED,
		.rf = status & PRI_RF,
		.uprgi = status & PRI_UPRGI,
		.resets = config->resets,
		.undefined = config->undefined,
	};
	for (unsigned n = 0; n < IOPF_BAR_COUNT; n++)
		state->bars[n] = bar_addr(config, n);
}

void iopf_config_outstanding(struct iopf_config *config, bool outstanding)
{
	config->outstanding = outstanding;
	stopped(config);
}

void iopf_config_status(struct iopf_config *config, uint32_t status)
{
	uint32_t bits = (status & IOPF_STATUS_RF ? PRI_RF : 0u) |
			(status & IOPF_STATUS_UPRGI ? PRI_UPRGI : 0u);

	if (config->options.pri)
		config_set_bits(&config->space, GUEST_PRI + PRI_STATUS, 2, bits, true);
}

uint32_t iopf_config_pages(const struct iopf_config *config, uint32_t pasid)
{
	if (!is_on(config, GUEST_ATS + ATS_CONTROL, ATS_ENABLE) ||
	    !is_on(config, GUEST_PRI + PRI_CONTROL, PRI_ENABLE) ||
	    is_on(config, GUEST_PRI + PRI_STATUS, PRI_RF))
		return 0;
	if (pasid != IOPF_PASID_NONE &&
	    (!is_on(config, GUEST_PASID + PASID_CONTROL, PASID_ENABLE) ||
	     pasid >> config->options.pasid_bits != 0))
		return 0;
	return config_get(&config->space, GUEST_PRI + PRI_ALLOCATION, 4);
}

bool iopf_config_interrupt(struct iopf_config *config, uint64_t *addr, uint32_t *data)
{
	struct iopf_config_state state;

	iopf_config_state(config, &state);
	if (!state.msi || !state.master)
		return false;
	config_put(&config->space, GUEST_MSI + MSI_PENDING, 1, state.msi_masked);
	if (state.msi_masked)
		return false;
	*addr = state.msi_addr;
	*data = state.msi_data;
	return true;
}

void iopf_config_reset(struct iopf_config *config)
{
	fill(&config->space, &config->options);
	stopped(config);
}
