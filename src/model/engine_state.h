/* SPDX-License-Identifier: BSD-3-Clause */
/* model/engine_state.h - what an engine is made of; for its own files only. */
#ifndef MODEL_ENGINE_STATE_H
#define MODEL_ENGINE_STATE_H

#include "model/engine.h"

/* What an engine sits on: a function, or a platform master. */
struct engine_device {
	void (*set_client)(void *device, const struct model_client *client);
	int (*translate)(void *device, uint32_t pasid, uint64_t addr, uint8_t perm,
			 uint32_t *use);
	bool (*usable)(const void *device, uint32_t use);
	void (*release)(void *device, uint32_t use);
	int (*access)(void *device, uint32_t use, uint32_t offset, void *buffer,
		      uint32_t size_bytes, bool write);
	int (*group_room)(const void *device, uint32_t pasid);
	int (*group_open)(void *device, uint32_t pasid, uint32_t cookie);
	int (*group_add)(void *device, uint32_t group, uint64_t addr, uint8_t perm,
			 bool last);
	int (*group_close)(void *device, uint32_t group);
	int (*stop)(void *device, uint32_t pasid);
	bool (*stopping)(const void *device, uint32_t pasid);
	void (*interrupt)(void *device);
	bool (*decodes)(const void *device);
};

/* engine_device.c: model_function_..., model_master_... */
extern const struct engine_device engine_function, engine_master;

/* One of the two streams of pages of a job. */
struct job_role {
	uint64_t base;    /* address of the job's first byte in it */
	uint64_t ahead;   /* bytes from there that were looked at */
	uint64_t touched; /* pages: those counted */
	uint32_t use;     /* a held translation of the present page, or JOB_NO_USE */
	uint32_t asked;   /* how often the work asked for the present page */
	uint8_t perm;     /* enum iopf_perm */
	bool missing;     /* the present page is to be asked for */
};

#define JOB_NO_USE UINT32_MAX

struct job {
	/* What software wrote. */
	uint64_t source, destination, length, pattern, pasid_register, control;
	/* What it reads. */
	uint64_t status, done, result, fault;

	uint32_t pasid;
	uint32_t serial;      /* tells this job from the slot's earlier ones */
	uint32_t role_count;
	uint32_t outstanding; /* groups of this slot, earlier jobs' too */
	uint32_t refused;     /* a group of this job that was, or JOB_NO_GROUP */
	struct job_role role[2];
};

#define JOB_NO_GROUP UINT32_MAX

enum ask_state { ASK_FREE, ASK_SENT, ASK_REFUSED };

/* A page request group of a job. */
struct ask {
	uint64_t issued_ns;
	uint64_t page[MODEL_ENGINE_PAGES_MAX]; /* | the role that wants it */
	uint32_t count;
	uint32_t serial;
	uint32_t pasid;
	uint8_t state;   /* enum ask_state */
	uint8_t outcome; /* enum model_outcome */
};

struct model_engine {
	struct model_engine_options options;
	const struct engine_device *calls;
	void *device;
	struct model_client client;
	struct ask *asks; /* options.window of them a slot */
	uint64_t now_ns;
	uint64_t counter[MODEL_ENGINE_COUNTER_COUNT];
	uint64_t stop_pasid;
	uint32_t serial;
	uint32_t turn; /* the slot whose step is next */
	struct job job[MODEL_ENGINE_JOB_MAX];
	uint8_t buffer[2][4096];
};

/* engine_job.c */
/* False: the descriptor makes no sense. */
bool job_begin(struct model_engine *engine, struct job *job);
/* True: something was brought forward. */
bool job_step(struct model_engine *engine, struct job *job);
void job_release(struct model_engine *engine, struct job *job);
/* engine.c */
void job_end(struct model_engine *engine, struct job *job, enum model_job_status status,
	     uint64_t fault_addr);

static inline struct ask *job_asks(const struct model_engine *engine,
				   const struct job *job)
{
	return &engine->asks[(uint32_t)(job - engine->job) * engine->options.window];
}

#endif
