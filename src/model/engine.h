/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/engine.h - a DMA engine on a function or a platform master: copies, fills,
 * compares and sums bytes at I/O virtual addresses, and asks for the pages that are not
 * there.
 *
 * Software writes a descriptor to the registers of a job slot, CONTROL last. The job
 * works page by page and looks some pages ahead; what is missing it asks for in groups.
 * Answered with success it tries the translation again, a bounded number of times for
 * one page. However a job ends, the bytes before the end were moved.
 */
#ifndef MODEL_ENGINE_H
#define MODEL_ENGINE_H

#include "model/function.h"
#include "model/master.h"

/* ---- Registers, behind BAR 0: 64 bits each, read and written in 4 or 8 bytes --- */

enum model_engine_register {
	MODEL_ENGINE_ID = 0x000,     /* MODEL_ENGINE_MAGIC */
	MODEL_ENGINE_LIMITS = 0x008, /* jobs [7:0], window [15:8], pages a group [23:16] */
	MODEL_ENGINE_STOP = 0x010,   /* write a PASID, or all ones for none, in 4 bytes or
				      * 8: its jobs end, its page requests are stopped;
				      * reads 1 until nothing of it is outstanding */
	MODEL_ENGINE_COUNTERS = 0x040, /* one each, in the order of their list */
	MODEL_ENGINE_JOBS = 0x100,     /* slots, MODEL_JOB_STRIDE apart */
	MODEL_ENGINE_BYTES = 0x1000,
};

#define MODEL_ENGINE_MAGIC UINT64_C(0x31414d4446504f49) /* "IOPFDMA1" */
#define MODEL_ENGINE_JOB_MAX 16u
#define MODEL_ENGINE_WINDOW_MAX 64u
#define MODEL_ENGINE_PAGES_MAX 32u

enum model_job_register {
	MODEL_JOB_SOURCE = 0x00,
	MODEL_JOB_DESTINATION = 0x08,
	MODEL_JOB_LENGTH = 0x10,
	MODEL_JOB_PATTERN = 0x18,
	MODEL_JOB_PASID = 0x20,   /* all ones in the low half: none */
	MODEL_JOB_CONTROL = 0x28, /* operation [7:0], flags; a write starts the job */
	MODEL_JOB_STATUS = 0x30,  /* enum model_job_status; from here on read only */
	MODEL_JOB_DONE = 0x38,    /* bytes */
	MODEL_JOB_RESULT = 0x40,  /* CRC-32C; first byte that differs, or all ones */
	MODEL_JOB_FAULT = 0x48,   /* the page that was not to be had */
	MODEL_JOB_STRIDE = 0x80,
};

enum model_job_operation {
	MODEL_JOB_ABORT, /* end what runs in this slot */
	MODEL_JOB_COPY,
	MODEL_JOB_FILL,    /* with the eight bytes of the pattern, lowest first */
	MODEL_JOB_COMPARE, /* source with destination */
	MODEL_JOB_CRC32C,  /* of the source */
	MODEL_JOB_OPERATION_COUNT
};

enum model_job_flag {
	MODEL_JOB_INTERRUPT = 0x100, /* an MSI at the end */
	MODEL_JOB_PRIV = 0x200,      /* privileged accesses */
	MODEL_JOB_EXEC = 0x400,      /* the source is read as instructions */
};

/* clang-format off */
#define MODEL_JOB_STATUSES(X) \
	X(idle,       "nothing was started since reset") \
	X(running,    "under way") \
	X(done,       "all bytes") \
	X(page_fault, "a page that paging does not give") \
	X(invalid,    "a page request was answered with invalid") \
	X(failure,    "the page request interface failed") \
	X(stopped,    "aborted, or its PASID was stopped") \
	X(reset,      "the function was reset, or is gone") \
	X(error,      "an access was refused: ATS, bus mastering or PASID off, UR, CA") \
	X(descriptor, "the descriptor makes no sense")

#define MODEL_ENGINE_COUNTER_LIST(X) \
	X(bytes,      "bytes moved") \
	X(pages,      "pages touched, for each job's source and destination once") \
	X(faults,     "page requests") \
	X(groups,     "page request groups") \
	X(retries,    "pages asked for again where the work stood before them") \
	X(jobs,       "jobs that were started") \
	X(failed,     "jobs that did not end with all bytes")
/* clang-format on */
#define MODEL_JOB_STATUS_ENUM(name, text)     MODEL_JOB_STATUS_##name,
#define MODEL_ENGINE_COUNTER_ENUM(name, text) MODEL_ENGINE_COUNTER_##name,
enum model_job_status { MODEL_JOB_STATUSES(MODEL_JOB_STATUS_ENUM) MODEL_JOB_STATUS_COUNT };
enum model_engine_counter {
	MODEL_ENGINE_COUNTER_LIST(MODEL_ENGINE_COUNTER_ENUM) MODEL_ENGINE_COUNTER_COUNT
};
const char *model_job_status_name(enum model_job_status status);
const char *model_engine_counter_name(enum model_engine_counter counter);

/* ---- The engine ---------------------------------------------------------------- */

/* How a job ended. */
struct model_completion {
	uint64_t done_bytes;
	uint64_t result;
	uint64_t fault_addr;
	uint32_t pasid;
	uint32_t slot;
	uint8_t status; /* enum model_job_status */
};

/* For whoever runs the engine; either may be NULL; neither may call the engine. */
struct model_engine_hooks {
	void *context;
	/* A group ended now; it was sent at @issued_ns, the time of that run. */
	void (*group)(void *context, uint32_t pasid, uint32_t page_count,
		      uint64_t issued_ns, enum model_outcome outcome);
	void (*completed)(void *context, const struct model_completion *completion);
};

struct model_engine_options {
	/* One of the two; borrowed, the engine becomes its client. Where a master's page is
	 * missing its transaction stalls: that is a group of one page. */
	struct model_function *function;
	struct model_master *master;
	struct model_engine_hooks hooks;
	uint32_t job_max;     /* slots, 1..MODEL_ENGINE_JOB_MAX */
	uint32_t window;      /* groups a job has outstanding, 1..MODEL_ENGINE_WINDOW_MAX */
	uint32_t group_pages; /* most pages a group, 1..MODEL_ENGINE_PAGES_MAX; of
			       * a master always 1 */
	uint32_t retry_max;   /* times that one page is asked for again, 1.. */
	uint32_t piece_bytes; /* moved at once, 1..4096 */
	bool patient;         /* a miss while PRI is disabled waits for it; else it fails */
};

struct model_engine;

/* Returns: 0, -EINVAL (an option out of its range), -ENOMEM. */
int model_engine_create(const struct model_engine_options *options,
			struct model_engine **engine);
/* Before the function or master. */
void model_engine_destroy(struct model_engine *engine);

/* A memory request to BAR 0: @offset a multiple of @size_bytes, 4 or 8. Where the
 * function does not decode (memory space off, gone) reads are all ones. */
uint64_t model_engine_read(const struct model_engine *engine, uint32_t offset,
			   uint32_t size_bytes);
void model_engine_write(struct model_engine *engine, uint32_t offset, uint32_t size_bytes,
			uint64_t value);

/*
 * Let it work: every running job in turn moves a piece and asks for what is missing.
 *
 * Returns: how many steps of at most @budget brought something forward; 0: everything
 *          waits for responses, or is done.
 */
uint32_t model_engine_run(struct model_engine *engine, uint32_t budget, uint64_t now_ns);

bool model_engine_busy(const struct model_engine *engine);
uint64_t model_engine_counter(const struct model_engine *engine,
			      enum model_engine_counter counter);

#endif
