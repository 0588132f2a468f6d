/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/wire.c - the families and layouts there are, and what they have in common. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "wire/iommufd.h"
#include "wire/pcie.h"
#include "wire/record.h"
#include "wire/smmuv2.h"
#include "wire/smmuv3.h"
#include "wire/vtd.h"
#include "wire/wire.h"

#include "base/name.h"
#include "iopf/wire.h"

const struct iopf_layout *const wire_layouts[] = {
	&pcie_request_layout,
	&pcie_stop_marker_layout,
	&pcie_response_layout,
	&vtd_request_layout,
	&vtd_context_layout,
	&vtd_iotlb_layout,
	&vtd_device_tlb_layout,
	&vtd_interrupt_layout,
	&vtd_wait_layout,
	&vtd_pasid_iotlb_layout,
	&vtd_pasid_cache_layout,
	&vtd_pasid_device_tlb_layout,
	&vtd_response_layout,
	&vtd_old_response_layout,
	&vtd_stream_response_layout,
	&smmuv3_request_layout,
	&smmuv3_event_translation_layout,
	&smmuv3_event_abort_layout,
	&smmuv3_event_config_layout,
	&smmuv3_event_hint_layout,
	&smmuv3_prefetch_layout,
	&smmuv3_cfgi_layout,
	&smmuv3_cfgi_range_layout,
	&smmuv3_tlbi_layout,
	&smmuv3_tlbi_page_layout,
	&smmuv3_atc_inv_layout,
	&smmuv3_pri_resp_layout,
	&smmuv3_resume_layout,
	&smmuv3_sync_layout,
	&smmuv2_fault_layout,
	&iommufd_fault_layout,
	&iommufd_response_layout,
	&iommufd_event_layout,
	&iommufd_destroy_layout,
	&iommufd_fault_queue_alloc_layout,
	&iommufd_hwpt_alloc_layout,
	&iommufd_hwpt_vtd_s1_layout,
	&iommufd_hwpt_smmuv3_layout,
	&iommufd_hwpt_invalidate_layout,
	&iommufd_vtd_s1_invalidate_layout,
	&iommufd_smmuv3_invalidate_layout,
	&iommufd_viommu_alloc_layout,
	&iommufd_vdevice_alloc_layout,
	&iommufd_veventq_alloc_layout,
	NULL,
};

const struct iopf_wire *iopf_wire_find(const char *name)
{
	for (size_t i = 0; wire_families[i] != NULL; i++)
		if (wire_families[i]->wire != NULL && name_is(wire_families[i]->name, name))
			return wire_families[i]->wire;
	return NULL;
}

const struct iopf_layout *wire_layout_find(const char *name)
{
	for (size_t i = 0; wire_layouts[i] != NULL; i++)
		if (name_is(wire_layouts[i]->name, name))
			return wire_layouts[i];
	return NULL;
}

struct iopf_command iopf_command_from_response(const struct iopf_response *response)
{
	struct iopf_command command = {
		.kind = IOPF_COMMAND_RESPONSE,
		.code = response->code,
		.index = response->index,
		.rid = response->rid,
		.pasid = response->pasid,
		.flags = response->flags & (IOPF_PRIVATE | IOPF_STALL),
	};

	if (command.flags & IOPF_PRIVATE)
		memcpy(command.private_data, response->private_data,
		       sizeof(command.private_data));
	return command;
}

struct iopf_request iopf_request_from_fault(const struct iopf_fault *fault)
{
	return (struct iopf_request){
		.addr = fault->addr,
		.rid = fault->rid,
		.pasid = fault->pasid,
		.index = fault->index,
		.perm = fault->perm,
		.flags = IOPF_LAST | IOPF_STALL,
	};
}

bool wire_pasid_valid(uint32_t pasid)
{
	return pasid <= IOPF_PASID_MAX;
}

bool wire_pasid_or_none(uint32_t pasid)
{
	return pasid <= IOPF_PASID_MAX || pasid == IOPF_PASID_NONE;
}

bool wire_range_valid(uint64_t addr, uint64_t size_bytes)
{
	return size_bytes >= 4096 && (size_bytes & (size_bytes - 1)) == 0 &&
	       (addr & (size_bytes - 1)) == 0;
}

uint64_t wire_range_encode(uint64_t addr, uint64_t size_bytes, bool *s)
{
	uint64_t half = size_bytes == 0 ? UINT64_C(1) << 63 : size_bytes / 2;

	assert(size_bytes == 0 ? addr == 0 : wire_range_valid(addr, size_bytes));
	*s = size_bytes != 4096;
	return (addr | (half - 1)) & ~UINT64_C(0xfff);
}

void wire_range_decode(uint64_t bits, bool s, uint64_t *addr, uint64_t *size_bytes)
{
	uint64_t page = bits >> 12;

	/* With 51 ones the first 0 is bit 63, and 2^64 bytes are 0 of 64 bits: so is then
	 * the address. */
	*size_bytes = s ? UINT64_C(8192) << __builtin_ctzll(~page) : 4096;
	*addr = page << 12 & ~(*size_bytes - 1);
}
