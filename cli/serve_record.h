/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve_record.h - what the functions of `iopf serve --as-hardware` see at their end of
 * the link, in the event language: how somebody else's host treats them.
 */
#ifndef CLI_SERVE_RECORD_H
#define CLI_SERVE_RECORD_H

#include "cli/serve.h"

struct serve_record;

/* Returns: an exit code; what failed was said. Without --record *@record is NULL, and all
 * else does nothing. */
int serve_record_open(struct serve *serve, struct serve_record **record);
void serve_record_close(struct serve_record *record);

/* Of function @number, which @rid names; it is written about from here on. */
struct model_observer serve_record_observer(struct serve_record *record, uint32_t number,
					    uint32_t rid);
/* The world, once every function is there. */
void serve_record_begin(struct serve_record *record);

#endif
