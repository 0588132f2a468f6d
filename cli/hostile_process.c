/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/hostile_process.c - what a hostile guest does to what it shares with its host: the
 * doorbell, its memory's descriptor, its device. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/hostile.h"

/* ---- The doorbell ------------------------------------------------------------------ */

static void raw_send(struct hostile *hostile, const uint8_t *bytes, size_t size_bytes)
{
	(void)send(hostile->guest->port.descriptor, bytes, size_bytes, MSG_NOSIGNAL);
}

void hostile_port_garbage(struct hostile *hostile)
{
	static const uint16_t sizes[] = { 0, 1, 31, 33, 4096 };
	uint8_t bytes[4096];
	uint64_t count = CLI_COUNT(sizes);

	memset(bytes, 0x5a, sizeof(bytes));
	for (size_t i = 0; i < CLI_COUNT(sizes); i++)
		raw_send(hostile, bytes, sizes[i]);
	/* Right size; kinds that are unknown, or the host's own. */
	memset(bytes, 0, PORT_BYTES);
	for (unsigned kind = 0; kind < 256; kind++) {
		if (kind >= PORT_read && kind < PORT_reply)
			continue;
		bytes[0] = (uint8_t)kind;
		raw_send(hostile, bytes, PORT_BYTES);
		count++;
	}
	/* Acts that nobody knows. */
	port_send(&hostile->guest->port,
		  &(struct port_message){ .kind = PORT_act,
					  .offset = UINT32_MAX,
					  .value = UINT64_MAX,
					  .tag = 1 });
	hostile_did(hostile, HOSTILE_port_garbage, count + 1, true);
}

/* Both ends would share them if they were one description; they must not matter. */
void hostile_port_flags(struct hostile *hostile)
{
	static const int flags[] = { O_NONBLOCK, O_NONBLOCK | O_ASYNC, O_APPEND, 0 };
	int descriptor = hostile->guest->port.descriptor, small = 1;

	for (size_t i = 0; i < CLI_COUNT(flags); i++) {
		(void)fcntl(descriptor, F_SETFL, flags[i]);
		hostile_turns(hostile, 1);
	}
	(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	hostile_did(hostile, HOSTILE_port_flags, CLI_COUNT(flags) + 1, true);
}

/* More questions than its end holds replies; then it goes on as if nothing had been. */
void hostile_port_deaf(struct hostile *hostile)
{
	enum { QUESTIONS = 1000 };
	const struct port_message question = { .kind = PORT_read, .width = 8 };

	for (uint32_t i = 0; i < QUESTIONS && !hostile->guest->port.stop; i++)
		port_send(&hostile->guest->port, &question);
	hostile_did(hostile, HOSTILE_port_deaf, QUESTIONS, true);
}

/* ---- Memory ------------------------------------------------------------------------ */

/* Of what it inherited, too: the host may have the same files open. */
void hostile_descriptor_flags(struct hostile *hostile)
{
	static const int flags[] = { O_NONBLOCK | O_DIRECT, O_APPEND, O_NOATIME, 0 };
	enum { DESCRIPTORS = 64 };

	for (size_t i = 0; i < CLI_COUNT(flags) * DESCRIPTORS; i++)
		(void)fcntl((int)(i % DESCRIPTORS), F_SETFL, flags[i / DESCRIPTORS]);
	hostile_did(hostile, HOSTILE_descriptor_flags, CLI_COUNT(flags), true);
}

/* All of it has to fail; a hole in it is only zeros, and what the host maps stays there. */
void hostile_memory_resize(struct hostile *hostile)
{
	int descriptor = hostile->guest->memory_descriptor;
	off_t size_bytes = (off_t)hostile->guest->layout.size_bytes;
	bool refused = true;

	refused &= ftruncate(descriptor, 0) != 0;
	refused &= ftruncate(descriptor, size_bytes / 2) != 0;
	refused &= ftruncate(descriptor, 2 * size_bytes) != 0;
	refused &= fallocate(descriptor, 0, size_bytes, size_bytes) != 0;
	refused &= fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE) != 0;
	(void)fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			(off_t)hostile->guest->layout.region_bytes);
	hostile_turns(hostile, 1);
	hostile_did(hostile, HOSTILE_memory_resize, 6, refused);
}

/* ---- The device -------------------------------------------------------------------- */

void hostile_job_nonsense(struct hostile *hostile)
{
	static const struct guest_job jobs[] = {
		{ .source = 1, .destination = UINT64_MAX, .control = MODEL_JOB_COPY },
		{ .source = UINT64_MAX, .control = MODEL_JOB_CRC32C },
		{ .destination = UINT64_C(1) << 63, .control = MODEL_JOB_FILL },
		{ .control = UINT64_MAX },
		{ .control = MODEL_JOB_OPERATION_COUNT },
		{ .source = LAYOUT_IOVA_SOURCE + 1,
		  .destination = LAYOUT_IOVA_DESTINATION + 5,
		  .control = MODEL_JOB_COPY | MODEL_JOB_PRIV },
	};

	for (size_t i = 0; i < CLI_COUNT(jobs); i++) {
		struct guest_job job = jobs[i];

		job.length = i % 2 == 0 ? UINT64_MAX : LAYOUT_PAGE + 1;
		guest_job_start(hostile->guest, &job);
		hostile_turns(hostile, 1);
	}
	hostile->guest->pasid = UINT32_MAX - 1;
	guest_job_start(hostile->guest, &jobs[0]);
	hostile->guest->pasid = IOPF_PASID_MAX;
	guest_job_start(hostile->guest, &jobs[0]);
	hostile->guest->pasid = guest_pasid(hostile->guest, 1);
	hostile_did(hostile, HOSTILE_job_nonsense, CLI_COUNT(jobs) + 2, true);
}

void hostile_job_stopped(struct hostile *hostile)
{
	struct iopf_request request;

	if (!hostile_hold(hostile, &request))
		return;
	for (uint32_t pasid = 0; pasid < 4; pasid++)
		port_write(&hostile->guest->port, PORT_device_write, MODEL_ENGINE_STOP, 8,
			   pasid);
	hostile_turns(hostile, 2);
	hostile_did(hostile, HOSTILE_job_stopped, 4, true);
}
