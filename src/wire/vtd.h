/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/vtd.h - the layouts of VT-d's queues, and who encodes what. */
#ifndef WIRE_VTD_H
#define WIRE_VTD_H

#include "wire/wire.h"
#include "iopf/wire.h"

#define VTD_DESCRIPTOR_BYTES_MAX 32

extern const struct iopf_layout vtd_request_layout;
extern const struct iopf_layout vtd_context_layout;
extern const struct iopf_layout vtd_iotlb_layout;
extern const struct iopf_layout vtd_device_tlb_layout;
extern const struct iopf_layout vtd_interrupt_layout;
extern const struct iopf_layout vtd_wait_layout;
extern const struct iopf_layout vtd_pasid_iotlb_layout;
extern const struct iopf_layout vtd_pasid_cache_layout;
extern const struct iopf_layout vtd_pasid_device_tlb_layout;
extern const struct iopf_layout vtd_response_layout;
extern const struct iopf_layout vtd_old_response_layout;
extern const struct iopf_layout vtd_stream_response_layout;

/* The type of an invalidation queue descriptor: 7 bits in two places, the same in all. */
enum { VTD_TYPE_LO = FIELD(0, 0, 4), VTD_TYPE_HI = FIELD(0, 9, 3) };
extern const struct record_word vtd_command_words[];
/* Its layout by its type, or NULL. */
const struct iopf_layout *vtd_command_pick(const uint8_t *record, uint64_t *reserved);


/* vtd_historic.c */
int vtd_old_response_again(const uint8_t *record, uint8_t *again);
int vtd_stream_response_again(const uint8_t *record, uint8_t *again);

/* How one type of descriptor is read and written. */
struct vtd_descriptor {
	const struct iopf_layout *layout;
	uint8_t type;
	uint8_t kind; /* enum iopf_command_kind */
	/* False: a value that is reserved. Type and reserved bits were looked at before. */
	bool (*decode)(const uint8_t *record, struct iopf_command *command);
	/* 0, -ERANGE, -EOPNOTSUPP. @record has its type and is otherwise zero. */
	int (*encode)(const struct iopf_command *command, uint8_t *record);
};

/* vtd_invalidate.c */
extern const struct vtd_descriptor vtd_context;
extern const struct vtd_descriptor vtd_iotlb;
extern const struct vtd_descriptor vtd_device_tlb;
extern const struct vtd_descriptor vtd_pasid_iotlb;
extern const struct vtd_descriptor vtd_pasid_cache;
extern const struct vtd_descriptor vtd_pasid_device_tlb;

/* vtd_commands.c: what stands in the invalidation queue. */
int vtd_command_decode(const uint8_t *record, uint32_t size_bytes,
		       struct iopf_command *command);
int vtd_command_encode(const struct iopf_command *command, uint32_t size_bytes,
		       uint8_t *record);

#endif
