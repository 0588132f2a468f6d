/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/pcie.h - the layouts of PCIe's page request messages. */
#ifndef WIRE_PCIE_H
#define WIRE_PCIE_H

#include "wire/wire.h"

extern const struct iopf_layout pcie_request_layout;
extern const struct iopf_layout pcie_stop_marker_layout;
extern const struct iopf_layout pcie_response_layout;

#endif
