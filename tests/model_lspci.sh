#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The dump of a function's configuration space is read by pciutils as what it is.
# model_lspci.sh LSPCI DUMPER
set -eu
dump=$(mktemp)
trap 'rm -f "$dump"' EXIT
"$2" dump > "$dump"
text=$("$1" -F "$dump" -vvv 2>/dev/null)
while read -r line; do
	case $text in
	*"$line"*) ;;
	*) echo "lspci does not show: $line"; failed=1 ;;
	esac
done << 'LINES'
03:02.0 Processing accelerators: Device 1234:5678
Region 0: Memory at <unassigned> (64-bit, non-prefetchable) [disabled]
Express (v2) Root Complex Integrated Endpoint
ExtTag+ RBE+ FLReset+
EETLPPrefix+, MaxEETLPPrefixes 1
MSI: Enable- Count=1/1 Maskable- 64bit+
Advanced Error Reporting
Address Translation Service (ATS)
Page Request Interface (PRI)
PRISta: RF- UPRGI- Stopped+
Page Request Capacity: 00000040, Page Request Allocation: 00000000
Process Address Space ID (PASID)
PASIDCap: Exec- Priv+, Max PASID Width: 14
LINES
exit "${failed:-0}"
