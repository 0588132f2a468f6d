/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/guest.h - the inside of a guest's process: memory of its own, a virtual IOMMU and a
 * device behind messages, an agent that pages for it, and a character.
 */
#ifndef CLI_GUEST_H
#define CLI_GUEST_H

#include "cli/character.h"
#include "cli/layout.h"
#include "cli/port.h"
#include "iopf/guest.h"
#include "model/engine.h"

struct guest;

struct guest_behaviour {
	/* The agent's pager: iopf_agent_ops.fault with the guest as its context. */
	int (*fault)(void *context, const struct iopf_request *request, uint64_t *gpa,
		     uint8_t *perm);
	/* At the end of each turn, or NULL. Returns: when it wants the next one. */
	uint64_t (*turn)(struct guest *guest);
	/* All it does, from the start of its IOMMU until port.stop. */
	void (*work)(struct guest *guest);
};

struct guest {
	struct port port;
	struct layout layout;
	const struct guest_behaviour *behaviour;
	struct iopf_agent_ops ops;
	int memory_descriptor;
	unsigned char *memory;
	struct iopf_segment segment;
	struct iopf_memory space; /* guest-physical */
	struct iopf_agent *agent;
	void *agent_memory;
	size_t agent_bytes;
	uint32_t levels;
	const char *family; /* of its IOMMU */
	uint8_t mechanism;  /* enum iopf_mechanism: of its device, as it is shown */
	bool pasids;        /* its device can have them */
	uint32_t pasid; /* where its device works */
	uint32_t file_crc;
	uint64_t chance;
	uint64_t quiet_ns; /* when something was last seen to happen */
	uint64_t give_up_ns; /* when to stop waiting for something; 0: never */
	uint64_t turn_ns;  /* when the next turn is wanted; 0: whenever */
	bool device_rang;
};

extern const struct guest_behaviour guest_honest, guest_slow, guest_silent, guest_liar,
	guest_hostile, guest_killed, guest_noisy;

/* ---- guest.c: the agent ------------------------------------------------------------ */

/* Make the agent anew; what it had built is forgotten. 0, or a negative errno. */
int guest_build(struct guest *guest);
int guest_start(struct guest *guest);
void guest_stop(struct guest *guest);

/* ---- guest_work.c: what honest ones do --------------------------------------------- */

/* Where a page belongs, and what may be done with it: 0, or -EFAULT. */
int guest_plan(const struct guest *guest, const struct iopf_request *request,
	       uint64_t *gpa, uint8_t *perm);

/* Sleep until something rings, at most @timeout_ns; then serve what is there. */
void guest_turn(struct guest *guest, uint64_t timeout_ns);

/* @pasid, or none where its device knows none. */
uint32_t guest_pasid(const struct guest *guest, uint32_t pasid);

/* Give @pasid an address space and work there. False: it could not be had. */
bool guest_attach(struct guest *guest, uint32_t pasid);
void guest_detach(struct guest *guest, uint32_t pasid);

/* Take every page away, and wait until nobody knows them any more. */
void guest_unmap(struct guest *guest);

/* A job on the device. */
struct guest_job {
	uint32_t slot;
	uint64_t source, destination, length, pattern;
	uint64_t control; /* enum model_job_operation, flags */
	uint64_t status, bytes, result; /* afterwards */
};

void guest_job_start(struct guest *guest, const struct guest_job *job);
/* It is over, however; the device rings when one is. */
bool guest_job_over(struct guest *guest, struct guest_job *job);
/* Serve until it is over; true: it went through. False where it did not, and at the stop. */
bool guest_job_wait(struct guest *guest, struct guest_job *job);
/* Job after job, each on pages that are not there, until the stop. */
void guest_work(struct guest *guest);

#endif
