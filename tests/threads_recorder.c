/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a recorder is read while its writer goes on; no record is torn. */
#include <pthread.h>

#include "test.h"
#include "trace/trace.h"

enum { ENTRIES = 64, RECORDS = 1000000, ROUNDS_BETWEEN_RESTS = 256 };

static _Alignas(64) unsigned char memory[sizeof(struct iopf_recorder) +
					 ENTRIES * sizeof(struct iopf_record)];
static struct iopf_recorder *const recorder = (struct iopf_recorder *)(void *)memory;

/* Record @n: each word of it tells which one it is. */
static struct iopf_record record_of(uint64_t n)
{
	return (struct iopf_record){
		.ns = n,
		.token = ~n,
		.data = n * UINT64_C(0x9e3779b97f4a7c15),
		.pasid = (uint32_t)n,
		.endpoint = (uint16_t)(n >> 8),
		.kind = IOPF_RECORD_SHOW,
		.detail = (uint8_t)n,
	};
}

static void write_record(uint64_t n)
{
	typedef uint64_t __attribute__((may_alias)) word;
	word *entry = (word *)(void *)&recorder->entry[n % ENTRIES];
	struct iopf_record record = record_of(n);
	uint64_t words[4];

	memcpy(words, &record, sizeof(words));
	for (unsigned i = 0; i < 4; i++)
		__atomic_store_n(&entry[i], words[i], __ATOMIC_RELEASE);
	__atomic_store_n(&recorder->head, n + 1, __ATOMIC_RELEASE);
}

/* Now fast, now slow, so that the reader is before it, behind it and overtaken. */
static void *writer(void *unused)
{
	(void)unused;
	for (uint64_t n = 0; n < RECORDS; n++) {
		write_record(n);
		if (n % ROUNDS_BETWEEN_RESTS == 0)
			sched_yield();
	}
	return NULL;
}

static bool is_record(const struct iopf_record *record, uint64_t n)
{
	struct iopf_record wanted = record_of(n);

	return memcmp(record, &wanted, sizeof(wanted)) == 0;
}

TEST(what_is_read_beside_the_writer_is_whole_and_in_order)
{
	struct iopf_record records[ENTRIES / 4];
	struct trace_recorder reader;
	uint64_t seen = 0, torn = 0;
	pthread_t thread;

	recorder->magic = IOPF_RECORDER_MAGIC;
	recorder->record_size_bytes = sizeof(struct iopf_record);
	recorder->entry_count = ENTRIES;
	CHECK_EQ(trace_recorder_open(&reader, memory, sizeof(memory)), 0);
	CHECK_EQ(pthread_create(&thread, NULL, writer, NULL), 0);
	while (reader.cursor < RECORDS) {
		uint32_t count = trace_recorder_read(&reader, records, ENTRIES / 4);

		for (uint32_t i = 0; i < count; i++)
			torn += !is_record(&records[i], reader.cursor - count + i);
		seen += count;
	}
	pthread_join(thread, NULL);
	CHECK_EQ(torn, 0);
	CHECK_EQ(reader.cursor, RECORDS);
	CHECK_EQ(seen + reader.lost, RECORDS);
	CHECK(seen > 0);
	printf("read %" PRIu64 ", overwritten before that %" PRIu64 "\n", seen, reader.lost);
}

int main(void)
{
	return test_main();
}
