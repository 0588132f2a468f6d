#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# static-library.sh COMPILER OUT.a IN.a... - one archive that shows what begins with iopf_.
# The rooms' own names (memory_read, map_find) must not meet those of whoever links it.
set -eu
compiler=$1 out=$2
shift 2
$compiler -r -nostdlib -Wl,--whole-archive "$@" -o "$out.o"
objcopy --wildcard --keep-global-symbol='iopf_*' "$out.o"
rm -f "$out"
ar rcsD "$out" "$out.o"
rm -f "$out.o"
