/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/report_json.h - what the end of a run and the end of a service say alike in JSON. */
#ifndef CLI_REPORT_JSON_H
#define CLI_REPORT_JSON_H

#include <inttypes.h>
#include <jansson.h>

#include "cli/run.h"

static inline json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* Beyond what a float keeps exactly, and whatever is an address or a checksum. */
static inline json_t *hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

json_t *report_json_latency(const struct histogram *latency);
/* Numbers of a row of the broker's statistics. */
json_t *report_json_counters(const uint64_t *counters);
json_t *report_json_endings(const uint64_t *counters);
json_t *report_json_refused(const struct run_guest *guest);
/* What its virtual IOMMU counted. */
json_t *report_json_queue(const struct run_guest *guest);
/* Its device: all of it as the device itself saw it. */
json_t *report_json_endpoint(const struct run_guest *guest);
json_t *report_json_host(const struct run_machine *machine);
json_t *report_json_invariants(const struct run *run);
json_t *report_json_judged(const struct run *run);

#endif
