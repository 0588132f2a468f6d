/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the flight recorder is read in order, and what was overwritten is counted. */
#include <errno.h>

#include "test.h"
#include "trace/trace.h"

enum { ENTRIES = 8 };

static _Alignas(64) unsigned char memory[sizeof(struct iopf_recorder) +
					 ENTRIES * sizeof(struct iopf_record)];
static struct iopf_recorder *const recorder = (struct iopf_recorder *)(void *)memory;

static void make(void)
{
	memset(memory, 0, sizeof(memory));
	recorder->magic = IOPF_RECORDER_MAGIC;
	recorder->record_size_bytes = sizeof(struct iopf_record);
	recorder->entry_count = ENTRIES;
}

static void write_records(unsigned count)
{
	for (; count > 0; count--) {
		recorder->entry[recorder->head % ENTRIES] = (struct iopf_record){
			.ns = recorder->head,
			.kind = IOPF_RECORD_STOP,
		};
		recorder->head++;
	}
}

static struct trace_recorder reader;
static struct iopf_record records[2 * ENTRIES];

static void open_reader(void)
{
	make();
	CHECK_EQ(trace_recorder_open(&reader, memory, sizeof(memory)), 0);
}

TEST(records_are_read_once_and_in_order)
{
	open_reader();
	CHECK_EQ(trace_recorder_read(&reader, records, 8), 0);
	write_records(5);
	CHECK_EQ(trace_recorder_read(&reader, records, 2), 2);
	CHECK_EQ(records[0].ns, 0);
	CHECK_EQ(records[1].ns, 1);
	CHECK_EQ(trace_recorder_read(&reader, records, 8), 3);
	CHECK_EQ(records[2].ns, 4);
	CHECK_EQ(trace_recorder_read(&reader, records, 8), 0);
	write_records(4);
	CHECK_EQ(trace_recorder_read(&reader, records, 8), 4);
	CHECK_EQ(records[3].ns, 8);
	CHECK_EQ(reader.lost, 0);
}

TEST(what_was_overwritten_is_counted_and_skipped)
{
	open_reader();
	write_records(7);
	CHECK_EQ(trace_recorder_read(&reader, records, 16), 7);
	write_records(20); /* 7..26; the slot of 19 may be in work: 20..26 are left */
	CHECK_EQ(trace_recorder_read(&reader, records, 16), 7);
	CHECK_EQ(records[0].ns, 20);
	CHECK_EQ(records[6].ns, 26);
	CHECK_EQ(reader.lost, 13);
	CHECK_EQ(trace_recorder_read(&reader, records, 16), 0);
}

TEST(a_full_ring_gives_all_but_the_entry_that_comes_next)
{
	open_reader();
	write_records(ENTRIES);
	CHECK_EQ(trace_recorder_read(&reader, records, 16), ENTRIES - 1);
	CHECK_EQ(records[0].ns, 1);
	CHECK_EQ(reader.lost, 1);
}

TEST(every_way_of_taking_turns_adds_up)
{
	uint64_t chance = 1, seen = 0, last = 0;

	open_reader();
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t count;

		write_records((unsigned)(test_random(&chance) % 12));
		count = trace_recorder_read(&reader, records,
					    (uint32_t)(test_random(&chance) % 12));
		for (uint32_t n = 0; n < count; n++) {
			CHECK(records[n].ns >= last);
			CHECK_EQ(records[n].ns, reader.cursor - count + n);
			last = records[n].ns + 1;
		}
		seen += count;
		CHECK_EQ(seen + reader.lost, reader.cursor);
		CHECK(reader.cursor <= recorder->head);
	}
	CHECK(reader.lost > 0 && seen > 100000);
}

TEST(what_is_no_recorder_is_refused)
{
	open_reader();
	CHECK_EQ(trace_recorder_open(&reader, memory, sizeof(memory) - 1), -EBADMSG);
	CHECK_EQ(trace_recorder_open(&reader, memory, 63), -EBADMSG);
	CHECK_EQ(trace_recorder_open(&reader, memory + 1, sizeof(memory) - 1), -EBADMSG);
	CHECK_EQ(trace_recorder_open(&reader, NULL, 4096), -EBADMSG);
	recorder->entry_count = 7;
	CHECK_EQ(trace_recorder_open(&reader, memory, sizeof(memory)), -EBADMSG);
	recorder->entry_count = 1;
	CHECK_EQ(trace_recorder_open(&reader, memory, sizeof(memory)), -EBADMSG);
	recorder->entry_count = 0;
	CHECK_EQ(trace_recorder_open(&reader, memory, sizeof(memory)), -EBADMSG);
	make();
	recorder->record_size_bytes = 40;
	CHECK_EQ(trace_recorder_open(&reader, memory, sizeof(memory)), -EBADMSG);
	make();
	recorder->magic++;
	CHECK_EQ(trace_recorder_open(&reader, memory, sizeof(memory)), -EBADMSG);
}

static const struct {
	struct iopf_record record;
	const char *text;
} conversions[] = {
	{ { .ns = 5, .token = 0x10, .data = 0x7000 | IOPF_READ | IOPF_WRITE, .pasid = 1,
	    .endpoint = 3, .kind = IOPF_RECORD_REQUEST, .detail = IOPF_LAST },
	  "5 request endpoint=3 pasid=1 token=0x10 addr=0x7000 perm=rw last=1\n" },
	{ { .ns = 5, .data = UINT64_MAX & ~UINT64_C(0xfff), .pasid = IOPF_PASID_NONE,
	    .endpoint = UINT16_MAX, .kind = IOPF_RECORD_REQUEST, .detail = IOPF_STALL },
	  "5 request pasid=none addr=0xfffffffffffff000 perm=- stall=1\n" },
	{ { .pasid = 7, .endpoint = 0, .kind = IOPF_RECORD_STOP },
	  "0 stop endpoint=0 pasid=7\n" },
	{ { .token = 1, .data = 0x1000, .pasid = 0, .kind = IOPF_RECORD_SHOW, .detail = 15 },
	  "0 show endpoint=0 pasid=0 token=0x1 addr=0x1000 perm=rwxp\n" },
	{ { .token = 1, .data = 0x1000, .kind = IOPF_RECORD_ANSWER, .detail = IOPF_INVALID },
	  "0 answer endpoint=0 pasid=0 token=0x1 addr=0x1000 code=invalid\n" },
	{ { .token = 1, .kind = IOPF_RECORD_REFUSE,
	    .detail = IOPF_COUNTER_refused_duplicate },
	  "0 refuse endpoint=0 pasid=0 token=0x1 reason=duplicate\n" },
	{ { .token = 1, .data = 0x1000, .kind = IOPF_RECORD_RESPONSE,
	    .detail = IOPF_INVALID << 4 | IOPF_ENDING_deadline },
	  "0 response endpoint=0 pasid=0 token=0x1 addr=0x1000 code=invalid "
	  "ending=deadline\n" },
	{ { .token = 1, .data = 0x1000, .kind = IOPF_RECORD_DROP,
	    .detail = IOPF_ENDING_reset },
	  "0 drop endpoint=0 pasid=0 token=0x1 addr=0x1000 ending=reset\n" },
	{ { .pasid = IOPF_PASID_ANY, .endpoint = 65534, .kind = IOPF_RECORD_ATTACH },
	  "0 attach endpoint=65534 pasid=any\n" },
	{ { .pasid = IOPF_PASID_NONE, .endpoint = 1, .kind = IOPF_RECORD_OPERATION,
	    .detail = IOPF_OPERATION_RESTART, .data = IOPF_STEP_PRI_RESET },
	  "0 step endpoint=1 pasid=none operation=restart step=pri_reset\n" },
	{ { .endpoint = UINT16_MAX, .kind = IOPF_RECORD_OVERFLOW }, "0 overflow\n" },
	{ { .endpoint = 2, .pasid = 4, .data = 9, .kind = IOPF_RECORD_EVENT,
	    .detail = IOPF_EVENT_DEADLINE },
	  "0 event endpoint=2 pasid=4 what=deadline value=0x9\n" },
};

TEST(every_record_is_an_event)
{
	for (size_t i = 0; i < sizeof(conversions) / sizeof(conversions[0]); i++) {
		static char line[TRACE_LINE_MAX];
		struct trace_event event;
		int size;

		CHECK_EQ(trace_from_record(&conversions[i].record, &event), 0);
		size = trace_write(TRACE_TEXT, &event, line, sizeof(line));
		CHECK(size > 0);
		line[size] = '\0';
		CHECK_STR(line, conversions[i].text);
	}
}

TEST(what_is_no_record_is_no_event)
{
	static const struct iopf_record bad[] = {
		{ .kind = IOPF_RECORD_NONE },
		{ .kind = IOPF_RECORD_KIND_COUNT },
		{ .kind = 255 },
		{ .kind = IOPF_RECORD_REQUEST, .data = 0x10 },
		{ .kind = IOPF_RECORD_SHOW, .detail = 16 },
		{ .kind = IOPF_RECORD_ANSWER, .detail = IOPF_CODE_COUNT },
		{ .kind = IOPF_RECORD_REFUSE, .detail = IOPF_COUNTER_requests },
		{ .kind = IOPF_RECORD_REFUSE, .detail = 255 },
		{ .kind = IOPF_RECORD_RESPONSE, .detail = IOPF_CODE_COUNT << 4 },
		{ .kind = IOPF_RECORD_RESPONSE, .detail = IOPF_ENDING_COUNT },
		{ .kind = IOPF_RECORD_DROP, .detail = IOPF_ENDING_COUNT },
		{ .kind = IOPF_RECORD_OPERATION, .detail = IOPF_OPERATION_KIND_COUNT },
		{ .kind = IOPF_RECORD_OPERATION, .data = IOPF_STEP_COUNT },
		{ .kind = IOPF_RECORD_EVENT, .detail = IOPF_EVENT_KIND_COUNT },
		{ .kind = IOPF_RECORD_STOP, .pasid = IOPF_PASID_MAX + 1 },
		{ .kind = IOPF_RECORD_ATTACH, .endpoint = UINT16_MAX },
	};
	struct trace_event event;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(trace_from_record(&bad[i], &event), -EBADMSG);
}

int main(void)
{
	return test_main();
}
