/* SPDX-License-Identifier: BSD-3-Clause */
/* table/vtd_reason.c - VT-d's numbers for what a walk found. */
#include "table/vtd_scalable.h"

const char *vtd_reason_text(unsigned reason)
{
	static const struct {
		unsigned number;
		const char *text;
	} rows[] = {
#define REASON_ROW(name, number, text) { number, text },
		VTD_REASONS(REASON_ROW)
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == reason)
			return rows[i].text;
	return "?";
}

/* One number for what may be several missing rights. */
static enum vtd_reason permission_reason(uint8_t missing)
{
	if ((missing & IOPF_PRIV) != 0)
		return VTD_REASON_PRIVILEGE;
	if ((missing & IOPF_WRITE) != 0)
		return VTD_REASON_NO_WRITE;
	if ((missing & IOPF_READ) != 0)
		return VTD_REASON_NO_READ;
	return VTD_REASON_NO_EXECUTE;
}

static enum vtd_reason first_reason(const struct table_result *first)
{
	/* TABLE_SECOND is told as the second stage's. */
	static const uint8_t reasons[TABLE_FAULT_COUNT] = {
		[TABLE_NOT_PRESENT] = VTD_REASON_FIRST_NOT_PRESENT,
		[TABLE_RESERVED] = VTD_REASON_FIRST_RESERVED,
		[TABLE_ADDRESS] = VTD_REASON_NOT_CANONICAL,
		[TABLE_OUTSIDE] = VTD_REASON_FIRST_ACCESS,
		[TABLE_UPDATE] = VTD_REASON_UPDATE,
		[TABLE_INTERRUPT] = VTD_REASON_INTERRUPT,
	};

	if (first->fault == TABLE_PERMISSION)
		return permission_reason(first->missing);
	return (enum vtd_reason)reasons[first->fault];
}

/* The second stage faulted below the page of a first-level table. */
static enum vtd_reason table_reason(const struct nested_result *result, bool root)
{
	switch ((enum table_fault)result->fault) {
	case TABLE_ADDRESS:
		return VTD_REASON_FIRST_TOO_WIDE;
	case TABLE_NOT_PRESENT:
		return root ? VTD_REASON_FIRST_ROOT_READ : VTD_REASON_FIRST_READ;
	case TABLE_PERMISSION:
		if ((result->second.missing & IOPF_READ) == 0)
			return VTD_REASON_FIRST_WRITE;
		return root ? VTD_REASON_FIRST_ROOT_READ : VTD_REASON_FIRST_READ;
	case TABLE_RESERVED:
		return VTD_REASON_SECOND_RESERVED;
	case TABLE_UPDATE:
		return VTD_REASON_UPDATE;
	case TABLE_OK:
	case TABLE_OUTSIDE:
	case TABLE_SECOND:
	case TABLE_INTERRUPT:
	case TABLE_SIZE:
	case TABLE_ACCESS:
	case TABLE_FAULT_COUNT:
		break;
	}
	return VTD_REASON_SECOND_ACCESS;
}

static enum vtd_reason second_reason(const struct nested_result *result)
{
	static const uint8_t reasons[TABLE_FAULT_COUNT] = {
		[TABLE_NOT_PRESENT] = VTD_REASON_SECOND_NOT_PRESENT,
		[TABLE_RESERVED] = VTD_REASON_SECOND_RESERVED,
		[TABLE_ADDRESS] = VTD_REASON_SECOND_TOO_WIDE,
		[TABLE_OUTSIDE] = VTD_REASON_SECOND_ACCESS,
		[TABLE_UPDATE] = VTD_REASON_UPDATE,
		[TABLE_INTERRUPT] = VTD_REASON_INTERRUPT,
	};

	if (result->fault == TABLE_PERMISSION)
		return permission_reason(result->second.missing);
	return (enum vtd_reason)reasons[result->fault];
}

enum vtd_reason vtd_reason_of(const struct nested_result *result,
			      const struct nested_tables *tables)
{
	bool root = result->first.level == tables->first.levels;

	if (result->fault == TABLE_OK)
		return VTD_REASON_NONE;
	if (result->stage == NESTED_STAGE_SECOND)
		return result->table_page ? table_reason(result, root) : second_reason(result);
	if (result->fault == TABLE_INTERRUPT)
		return VTD_REASON_INTERRUPT;
	if (result->fault == TABLE_OUTSIDE && root)
		return VTD_REASON_FIRST_ROOT_ACCESS;
	return first_reason(&result->first);
}
