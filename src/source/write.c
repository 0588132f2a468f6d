/* SPDX-License-Identifier: BSD-3-Clause */
/* source/write.c - responses become answers, and answers leave. */
#include "source/iommufd.h"

#include <errno.h>

enum { ERRNO_MAX = 4095 };

static uint32_t answers_encode(struct iopf_iommufd *source)
{
	uint32_t count = source->waiting.count < BATCH ? source->waiting.count : BATCH;
	uint32_t at = source->waiting.first;

	for (uint32_t i = 0; i < count; i++, at = source->slots[at].next) {
		uint8_t *bytes = source->answers + (size_t)i * IOPF_IOMMUFD_ANSWER_BYTES;

		iopf_iommufd_encode_response(source->slots[at].cookie,
					     (enum iopf_code)source->slots[at].code, bytes);
	}
	return count;
}

static void answers_done(struct iopf_iommufd *source, uint32_t count, uint64_t *counter)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = source_pop(source, &source->waiting);

		source_cookie_end(source, at);
		source_free(source, at);
	}
	*counter += count;
}

bool source_is_not_now(int64_t result)
{
	return result == -EAGAIN || result == -EINTR;
}

int source_errno(int64_t result)
{
	return result < 0 && result >= -ERRNO_MAX ? (int)result : -EIO;
}

/* What one write of @count answers came to. The first that the kernel does not know is
 * EINVAL (other kernels: 0), later ones end the write before them; then they are first. */
static int answers_settle(struct iopf_iommufd *source, uint32_t count, int64_t written)
{
	int64_t done = written / IOPF_IOMMUFD_ANSWER_BYTES;

	if (written == 0 || written == -EINVAL) {
		answers_done(source, 1, &source->stats.refused);
		return 0;
	}
	if (source_is_not_now(written))
		return -EAGAIN;
	if (written < 0 || done > count)
		return source_errno(written);
	answers_done(source, (uint32_t)done, &source->stats.answers);
	if (written % IOPF_IOMMUFD_ANSWER_BYTES == 0)
		return 0;
	source->stats.torn++;
	return -EIO;
}

int source_flush(struct iopf_iommufd *source)
{
	int result = 0;

	while (source->waiting.count > 0 && result == 0) {
		uint32_t count = answers_encode(source);
		size_t size_bytes = (size_t)count * IOPF_IOMMUFD_ANSWER_BYTES;

		result = answers_settle(source, count,
					source->options.io->write(source->options.context,
								  source->answers,
								  size_bytes));
	}
	return result;
}

/* Whether the broker has the group, and this is what it may say. */
static bool is_response(const struct iopf_iommufd *source,
			const struct iopf_response *response)
{
	const struct slot *slot;

	if (response->index >= source->slot_count || response->code >= IOPF_CODE_COUNT)
		return false;
	slot = &source->slots[response->index];
	return response->rid == slot->device &&
	       (slot->state == SLOT_SHOWN || slot->state == SLOT_OVER);
}

static void take_response(struct iopf_iommufd *source,
			  const struct iopf_response *response)
{
	if (!is_response(source, response)) {
		source->stats.unknown++;
	} else if (source->slots[response->index].state == SLOT_OVER) {
		source->stats.swallowed++;
		source_free(source, response->index);
	} else {
		source->stats.failures += response->code == IOPF_FAILURE;
		source_answer(source, response->index, (enum iopf_code)response->code);
	}
}

int iopf_iommufd_write(struct iopf_iommufd *source, const struct iopf_response *responses,
		       uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		take_response(source, &responses[i]);
	return source_flush(source);
}
