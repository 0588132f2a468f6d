/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/request.c - page requests as most families record them: PCIe's message in pieces. */
#include <errno.h>
#include <string.h>

#include "wire/wire.h"
#include "iopf/wire.h"

bool wire_request_is_stop(const struct wire_request *at, const uint8_t *record)
{
	return field_get(record, at->pasid_valid) && field_get(record, at->last) &&
	       !field_get(record, at->read) && !field_get(record, at->write);
}

static uint8_t perm_get(const struct wire_request *at, const uint8_t *record, bool pasid)
{
	uint64_t perm = field_get(record, at->read) * IOPF_READ |
			field_get(record, at->write) * IOPF_WRITE;

	if (pasid)
		perm |= field_get(record, at->exec) * IOPF_EXEC |
			(field_get(record, at->priv) ^ at->user) * IOPF_PRIV;
	return (uint8_t)perm;
}

/* Set though reserved: always, without a PASID, in a marker. */
static bool reserved_set(const struct wire_request *at, const uint8_t *record, bool stop)
{
	bool pasid = field_get(record, at->pasid_valid);
	uint64_t bits = wire_reserved(at->layout, record);

	if (!pasid && !at->pasid_unknown)
		bits |= field_get(record, at->pasid);
	if (!pasid || stop)
		bits |= field_get(record, at->exec) |
			(at->user ? 0 : field_get(record, at->priv));
	if (stop)
		bits |= field_get(record, at->index) | field_get(record, at->addr);
	return bits != 0;
}

static uint32_t pasid_get(const struct wire_request *at, const uint8_t *record)
{
	uint64_t pasid = field_get(record, at->pasid);

	if (at->pasid_high != 0)
		pasid |= field_get(record, at->pasid_high) << FIELD_WIDTH(at->pasid);
	return (uint32_t)pasid;
}

static void pasid_put(const struct wire_request *at, uint32_t pasid, uint8_t *record)
{
	field_put(record, at->pasid_valid, 1);
	field_put(record, at->pasid, field_of(pasid, FIELD(0, 0, FIELD_WIDTH(at->pasid))));
	if (at->pasid_high != 0)
		field_put(record, at->pasid_high, pasid >> FIELD_WIDTH(at->pasid));
}

bool wire_request_decode(const struct wire_request *at, const uint8_t *record,
			 struct iopf_request *request)
{
	bool pasid = field_get(record, at->pasid_valid);
	bool stop = wire_request_is_stop(at, record);

	*request = (struct iopf_request){
		.rid = (uint32_t)field_get(record, at->rid),
		.pasid = pasid ? pasid_get(at, record) : IOPF_PASID_NONE,
		.flags = stop ? IOPF_STOP : 0,
	};
	if (!stop) {
		request->addr = field_get(record, at->addr) << 12;
		request->index = (uint16_t)field_get(record, at->index);
		request->perm = perm_get(at, record, pasid);
		if (field_get(record, at->last))
			request->flags |= IOPF_LAST;
	}
	return reserved_set(at, record, stop);
}

/* Is there a record that says this, and nothing else? */
static bool request_valid(const struct iopf_request *request)
{
	bool pasid = request->pasid != IOPF_PASID_NONE;
	bool stop = request->flags & IOPF_STOP;

	if (request->flags & ~(IOPF_LAST | IOPF_STOP) ||
	    request->perm & ~(IOPF_READ | IOPF_WRITE | IOPF_EXEC | IOPF_PRIV) ||
	    request->addr % 4096 != 0 || !wire_pasid_or_none(request->pasid))
		return false;
	if (!pasid && (stop || request->perm & (IOPF_EXEC | IOPF_PRIV)))
		return false;
	if (stop)
		return request->addr == 0 && request->index == 0 && request->perm == 0;
	return !pasid || !(request->flags & IOPF_LAST) ||
	       request->perm & (IOPF_READ | IOPF_WRITE);
}

int wire_request_encode(const struct wire_request *at, const struct iopf_request *request,
			uint8_t *record)
{
	bool pasid = request->pasid != IOPF_PASID_NONE, priv = request->perm & IOPF_PRIV;
	uint8_t r[RECORD_BYTES_MAX] = { 0 };

	if (request->flags & (IOPF_STALL | IOPF_PRIVATE))
		return -EOPNOTSUPP;
	if (!request_valid(request) || !wire_put(r, at->rid, request->rid) ||
	    !wire_put(r, at->index, request->index))
		return -ERANGE;
	if (pasid)
		pasid_put(at, request->pasid, r);
	field_put(r, at->read, (request->perm & IOPF_READ) != 0);
	field_put(r, at->write, (request->perm & IOPF_WRITE) != 0);
	field_put(r, at->exec, (request->perm & IOPF_EXEC) != 0);
	field_put(r, at->priv, at->user ? pasid && !priv : priv);
	field_put(r, at->last, (request->flags & (IOPF_LAST | IOPF_STOP)) != 0);
	field_put(r, at->addr, request->addr >> 12);
	memcpy(record, r, at->layout->size_bytes);
	return 0;
}
