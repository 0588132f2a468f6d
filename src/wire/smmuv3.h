/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/smmuv3.h - the layouts of SMMUv3's queues, and who encodes what. */
#ifndef WIRE_SMMUV3_H
#define WIRE_SMMUV3_H

#include "wire/wire.h"
#include "iopf/wire.h"

enum {
	SMMUV3_REQUEST_BYTES = 16,
	SMMUV3_EVENT_BYTES = 32,
	SMMUV3_COMMAND_BYTES = 16,
};

extern const struct iopf_layout smmuv3_request_layout;
extern const struct iopf_layout smmuv3_event_config_layout;
extern const struct iopf_layout smmuv3_event_abort_layout;
extern const struct iopf_layout smmuv3_event_translation_layout;
extern const struct iopf_layout smmuv3_event_hint_layout;
extern const struct iopf_layout smmuv3_prefetch_layout;
extern const struct iopf_layout smmuv3_cfgi_layout;
extern const struct iopf_layout smmuv3_cfgi_range_layout;
extern const struct iopf_layout smmuv3_tlbi_layout;
extern const struct iopf_layout smmuv3_tlbi_page_layout;
extern const struct iopf_layout smmuv3_atc_inv_layout;
extern const struct iopf_layout smmuv3_pri_resp_layout;
extern const struct iopf_layout smmuv3_resume_layout;
extern const struct iopf_layout smmuv3_sync_layout;

#define SMMUV3_COMMAND_LAYOUT(name, LIST, words, rules) \
	RECORD_LAYOUT(name, LIST, SMMUV3_COMMAND_BYTES, words, rules)

/* The same in every event, and in every command. */
enum { SMMUV3_EVENT_ID = FIELD(0, 0, 8), SMMUV3_OP = FIELD(0, 0, 8) };
extern const struct record_word smmuv3_event_words[];
extern const struct record_word smmuv3_command_words[];
/* The layout of an event record by its number, of a command by its opcode, or NULL. */
const struct iopf_layout *smmuv3_event_pick(const uint8_t *record, uint64_t *reserved);
const struct iopf_layout *smmuv3_command_pick(const uint8_t *record, uint64_t *reserved);

/* smmuv3_events.c */
int smmuv3_fault_decode(const uint8_t *record, struct iopf_fault *fault, bool *reserved);
int smmuv3_fault_encode(const struct iopf_fault *fault, uint8_t *record);

/* IHI 0070, 4.1.1: those of a non-secure queue without EL2, VMS and DPT. */
enum smmuv3_opcode {
	SMMUV3_OP_PREFETCH_CONFIG = 0x01,
	SMMUV3_OP_PREFETCH_ADDR = 0x02,
	SMMUV3_OP_CFGI_STE = 0x03,
	SMMUV3_OP_CFGI_STE_RANGE = 0x04,
	SMMUV3_OP_CFGI_CD = 0x05,
	SMMUV3_OP_CFGI_CD_ALL = 0x06,
	SMMUV3_OP_TLBI_NH_ALL = 0x10,
	SMMUV3_OP_TLBI_NH_ASID = 0x11,
	SMMUV3_OP_TLBI_NH_VA = 0x12,
	SMMUV3_OP_TLBI_NH_VAA = 0x13,
	SMMUV3_OP_TLBI_S12_VMALL = 0x28,
	SMMUV3_OP_TLBI_S2_IPA = 0x2a,
	SMMUV3_OP_TLBI_NSNH_ALL = 0x30,
	SMMUV3_OP_ATC_INV = 0x40,
	SMMUV3_OP_PRI_RESP = 0x41,
	SMMUV3_OP_RESUME = 0x44,
	SMMUV3_OP_STALL_TERM = 0x45,
	SMMUV3_OP_SYNC = 0x46,
};

/* How one command is read. */
struct smmuv3_command {
	const struct iopf_layout *layout;
	uint8_t kind; /* enum iopf_command_kind */
	/* False: a value that is illegal. Opcode and reserved bits were looked at before. */
	bool (*decode)(const uint8_t *record, struct iopf_command *command);
	uint64_t reserved[2]; /* here, beside what the layout reserves */
};

/* How one kind is written. 0, -ERANGE, -EOPNOTSUPP. @record is zero. */
typedef int smmuv3_encode_fn(const struct iopf_command *command, uint8_t *record);

/* smmuv3_invalidate.c */
extern const struct smmuv3_command smmuv3_prefetch_config;
extern const struct smmuv3_command smmuv3_prefetch_addr;
extern const struct smmuv3_command smmuv3_cfgi_ste;
extern const struct smmuv3_command smmuv3_cfgi_ste_range;
extern const struct smmuv3_command smmuv3_cfgi_cd;
extern const struct smmuv3_command smmuv3_cfgi_cd_all;
extern const struct smmuv3_command smmuv3_tlbi_nh_all;
extern const struct smmuv3_command smmuv3_tlbi_nh_asid;
extern const struct smmuv3_command smmuv3_tlbi_nh_va;
extern const struct smmuv3_command smmuv3_tlbi_nh_vaa;
extern const struct smmuv3_command smmuv3_tlbi_s12_vmall;
extern const struct smmuv3_command smmuv3_tlbi_s2_ipa;
extern const struct smmuv3_command smmuv3_tlbi_nsnh_all;
extern const struct smmuv3_command smmuv3_atc_inv;
smmuv3_encode_fn smmuv3_context_encode;
smmuv3_encode_fn smmuv3_pasid_encode;
smmuv3_encode_fn smmuv3_iotlb_encode;
smmuv3_encode_fn smmuv3_device_encode;

/* smmuv3_commands.c: what stands in the command queue. */
int smmuv3_command_decode(const uint8_t *record, uint32_t size_bytes,
			  struct iopf_command *command);
int smmuv3_command_encode(const struct iopf_command *command, uint32_t size_bytes,
			  uint8_t *record);

#endif
