/* SPDX-License-Identifier: BSD-3-Clause */
/* model/config.c - the configuration space of a function model: its registers. */
#include "model/config.h"

#include <errno.h>
#include <string.h>

/* Uncorrectable errors that a function with PASIDs can have: 4, 5, 12 to 26. */
#define AER_ERRORS      0x07fff030
#define AER_CORRECTABLE 0x0000f1c1

/*
 * Registers that are not all zero. What depends on the kind of function is put over
 * them by whoever creates it. Defaults are those of PCIe 6.x, 7.5 to 7.8 and 10.5.
 */
/* clang-format off */
static const struct config_row rows[] = {
	/* offset, size, sticky, value, write, clear */
	{ CONFIG_COMMAND,            2, false, 0x0000,     0x0546,     0 },
	{ CONFIG_STATUS,             2, false, 0x0010,     0,          0xf900 },
	{ CONFIG_CACHE_LINE,         1, false, 0,          0xff,       0 },
	{ CONFIG_BAR0,               4, false, 0x00000004, 0xfffff000, 0 },
	{ CONFIG_BAR0 + 4,           4, false, 0,          0xffffffff, 0 },
	{ CONFIG_CAPABILITIES,       1, false, CONFIG_EXPRESS, 0,      0 },
	{ CONFIG_INTERRUPT_LINE,     1, false, 0,          0xff,       0 },

	{ CONFIG_EXPRESS,            2, false, CONFIG_MSI << 8 | CAPABILITY_EXPRESS, 0, 0 },
	/* version 2, root complex integrated endpoint */
	{ CONFIG_EXPRESS_CAP,        2, false, 0x0092,     0,          0 },
	/* 256 bytes of payload, extended tags, role-based errors, FLR */
	{ CONFIG_DEVICE_CAP,         4, false, 0x10008021, 0,          0 },
	{ CONFIG_DEVICE_CONTROL,     2, false, 0x2810,     0x79ff,     0 },
	{ CONFIG_DEVICE_STATUS,      2, false, 0,          0,          0x000f },
	/* completion time-out can be switched off; one end-to-end TLP prefix */
	{ CONFIG_DEVICE_CAP2,        4, false, 0x00600010, 0,          0 },
	{ CONFIG_DEVICE_CONTROL2,    2, false, 0,          0x8010,     0 },

	/* one vector, 64-bit address */
	{ CONFIG_MSI,                2, false, CAPABILITY_MSI,     0,          0 },
	{ CONFIG_MSI_CONTROL,        2, false, MSI_64,     0x0071,     0 },
	{ CONFIG_MSI_ADDR,           4, false, 0,          0xfffffffc, 0 },
	{ CONFIG_MSI_ADDR_HIGH,      4, false, 0,          0xffffffff, 0 },
	{ CONFIG_MSI_DATA,           2, false, 0,          0xffff,     0 },

	{ CONFIG_AER,                4, false, EXTENDED(EXTENDED_AER, 2, CONFIG_ATS), 0, 0 },
	{ CONFIG_AER_UNCORRECTABLE,  4, true,  0,          0,          AER_ERRORS },
	{ CONFIG_AER_MASK,           4, true,  0x00400000, AER_ERRORS, 0 },
	{ CONFIG_AER_SEVERITY,       4, true,  0x00462030, AER_ERRORS, 0 },
	{ CONFIG_AER_CORRECTABLE,    4, true,  0,          0,          AER_CORRECTABLE },
	{ CONFIG_AER_CORRECTABLE_MASK, 4, true, 0xe000,    AER_CORRECTABLE, 0 },

	/* depth 32, page aligned, global invalidate */
	{ CONFIG_ATS,                4, false, EXTENDED(EXTENDED_ATS, 1, CONFIG_PRI), 0, 0 },
	{ CONFIG_ATS_CAP,            2, false, 0x0060,     0,          0 },
	{ CONFIG_ATS_CONTROL,        2, false, 0,          ATS_ENABLE | ATS_STU, 0 },

	{ CONFIG_PRI,                4, false, EXTENDED(EXTENDED_PRI, 1, CONFIG_PASID), 0, 0 },
	{ CONFIG_PRI_CONTROL,        2, false, 0,          PRI_ENABLE, 0 },
	{ CONFIG_PRI_STATUS,         2, false, PRI_STOPPED, 0,         PRI_RF | PRI_UPRGI },
	{ CONFIG_PRI_ALLOCATION,     4, false, 0,          0xffffffff, 0 },

	{ CONFIG_PASID,              4, false, EXTENDED(EXTENDED_PASID, 1, 0), 0, 0 },
	{ CONFIG_PASID_CONTROL,      2, false, 0,          PASID_ENABLE, 0 },
};
/* clang-format on */

void config_default(struct config *config)
{
	config_create(config);
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		config_row(config, &rows[n]);
	config_settle(config);
}

void config_virtual(struct config *config)
{
	uint8_t *const planes[] = { config->bytes, config->write, config->clear,
				    config->sticky };

	config_put(config, CONFIG_ATS, 4, EXTENDED(EXTENDED_ATS, 1, 0));
	for (size_t n = 0; n < sizeof(planes) / sizeof(planes[0]); n++)
		memset(planes[n] + CONFIG_PRI, 0, CONFIG_PASID + 8 - CONFIG_PRI);
}

void config_bar(struct config *config, uint32_t size_bytes)
{
	uint32_t low = ~(size_bytes - 1);

	for (unsigned n = 0; n < 4; n++)
		config->write[CONFIG_BAR0 + n] = (uint8_t)(low >> 8 * n);
}

/* ---- As people read it --------------------------------------------------------- */

struct text {
	char *at;
	size_t left;
};

static void text_put(struct text *text, const char *more)
{
	size_t length = strlen(more);

	if (text->left <= length) {
		text->left = 0;
		return;
	}
	memcpy(text->at, more, length + 1);
	text->at += length;
	text->left -= length;
}

static void text_hex(struct text *text, uint32_t value, unsigned digits)
{
	static const char hex[] = "0123456789abcdef";
	char number[9];

	for (unsigned n = 0; n < digits; n++)
		number[n] = hex[value >> 4 * (digits - 1 - n) & 15];
	number[digits] = 0;
	text_put(text, number);
}

static void text_name(struct text *text, const struct config *config, uint32_t rid)
{
	text_hex(text, rid >> 8 & 0xff, 2);
	text_put(text, ":");
	text_hex(text, rid >> 3 & 0x1f, 2);
	text_put(text, ".");
	text_hex(text, rid & 7, 1);
	text_put(text, " ");
	text_hex(text, config_get(config, CONFIG_REVISION + 2, 2), 4);
	text_put(text, ": ");
	text_hex(text, config_get(config, CONFIG_VENDOR, 2), 4);
	text_put(text, ":");
	text_hex(text, config_get(config, CONFIG_DEVICE, 2), 4);
	text_put(text, "\n");
}

int config_dump(const struct config *config, uint32_t rid, char *text, size_t size_bytes)
{
	struct text out = { text, size_bytes };

	text_name(&out, config, rid);
	for (uint32_t line = 0; line < CONFIG_BYTES; line += 16) {
		text_hex(&out, line, line < 0x100 ? 2 : 3);
		text_put(&out, ":");
		for (uint32_t n = 0; n < 16; n++) {
			text_put(&out, " ");
			text_hex(&out, config_get(config, line + n, 1), 2);
		}
		text_put(&out, "\n");
	}
	return out.left == 0 ? -ENOSPC : (int)(out.at - text);
}
