/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: every mistake in a file has one message, with its line and its column. */
#include <errno.h>

#include "test.h"
#include "trace/trace.h"

#define HEAD "iopf-trace 1\n"
#define KINDS                                                                          \
	"world require request stop show page answer refuse response end drop attach " \
	"detach replace enable disable restart reset remove step status event "        \
	"overflow queue invalidate invalidated wait waited translate map unmap dma "   \
	"moved pause resume flood calm kill hostile count mark policy service release " \
	"forget terminate"
#define TIME                                                                           \
	", expected a number with ns, us, ms, s, m or h, and + before it where it "   \
	"counts from the event before"
#define VARIANTS_ "pri pri-no-pasid stall guest guest-no-pasid guest-stall"
#define LONG "01234567890123456789012345678901234567890123456789"

static const struct {
	const char *file, *message;
} cases[] = {
	{ "", "f:1:1: no header, expected 'iopf-trace 1'" },
	{ "\n", "f:1:1: no header, expected 'iopf-trace 1'" },
	{ "# first\n" HEAD, "f:1:1: no header, expected 'iopf-trace 1'" },
	{ "iopf-trace", "f:1:1: no header, expected 'iopf-trace 1'" },
	{ "iopf-trace 2\n", "f:1:12: version '2', expected 1" },
	{ "iopf-trace 1 \n", "f:1:12: version '1 ', expected 1" },
	{ "iopf-trace 1", "f:1:13: file ends inside a line, expected a newline" },
	{ HEAD "0 mark name=a", "f:2:14: file ends inside a line, expected a newline" },
	{ HEAD "# only this", "f:2:12: file ends inside a line, expected a newline" },
	{ HEAD "0 mark\r\n", "f:2:7: byte 0x0d, expected printable ASCII or a tab" },
	{ HEAD "0 mark name=\xc3\xa9\n",
	  "f:2:13: byte 0xc3, expected printable ASCII or a tab" },
	{ HEAD "# \x1b[2J\n", "f:2:3: byte 0x1b, expected printable ASCII or a tab" },
	{ HEAD "# \x7f\n", "f:2:3: byte 0x7f, expected printable ASCII or a tab" },
	{ HEAD "world\n7 marc name=a\n", "f:3:3: unknown kind 'marc', expected one of " KINDS },
	{ HEAD "5\n", "f:2:2: time without a kind, expected one of " KINDS },
	{ HEAD "marc " LONG "\n", "f:2:1: unknown kind 'marc', expected one of " KINDS },
	{ HEAD LONG "\n",
	  "f:2:1: time '0123456789012345678901234567890123456789' out of range, "
	  "expected at most 18446744073709551615 ns" },
	{ HEAD "x" LONG "\n",
	  "f:2:1: unknown kind 'x012345678901234567890123456789012345678', "
	  "expected one of " KINDS },
	{ HEAD "mark name=a\n", "f:2:1: 'mark' without a time, expected one before it" },
	{ HEAD "5 world\n", "f:2:3: time before 'world', expected none" },
	{ HEAD "5 require\n", "f:2:3: time before 'require', expected none" },
	{ HEAD "5x mark name=a\n", "f:2:1: no time '5x'" TIME },
	{ HEAD "+ mark name=a\n", "f:2:1: no time '+'" TIME },
	{ HEAD "0x5 mark name=a\n", "f:2:1: no time '0x5'" TIME },
	{ HEAD "18446744073709551616 mark name=a\n",
	  "f:2:1: time '18446744073709551616' out of range, expected at most "
	  "18446744073709551615 ns" },
	{ HEAD "5124096h mark name=a\n",
	  "f:2:1: time '5124096h' out of range, expected at most 18446744073709551615 "
	  "ns" },
	{ HEAD "1 mark name=a\n+18446744073709551615 mark name=a\n",
	  "f:3:1: time '+18446744073709551615' out of range, expected at most "
	  "18446744073709551615 ns" },
	{ HEAD "1us mark name=a\n  999 mark name=a\n",
	  "f:3:3: time 999 runs backwards, expected 1000 or later" },
	{ HEAD "1 mark name=a\nworld\n",
	  "f:3:1: 'world' after an event, expected it before all others" },
	{ HEAD "require\nworld\n",
	  "f:3:1: 'world' after an event, expected it before all others" },
	{ HEAD "0 mark a\n", "f:2:8: word 'a', expected key=value" },
	{ HEAD "0 mark nam=a\n", "f:2:8: unknown key 'nam' of 'mark', expected one of name" },
	{ HEAD "0 mark =a\n", "f:2:8: unknown key '' of 'mark', expected one of name" },
	{ HEAD "0 kill owner=G addr=0x0\n",
	  "f:2:16: key 'addr' not of 'kill', expected one of owner" },
	{ HEAD "0 stop requests=1\n",
	  "f:2:8: key 'requests' not of 'stop', expected one of endpoint source rid "
	  "pasid "
	  "index token interface" },
	{ HEAD "0 mark name=a name=b\n", "f:2:15: key 'name' twice, expected once" },
	{ HEAD "0 mark\n", "f:2:7: 'mark' without 'name', expected it" },
	{ HEAD "0 attach endpoint=D  # nobody\n",
	  "f:2:20: 'attach' without 'pasid', expected it" },
	{ HEAD "0 request addr=0x1000 last=1\n",
	  "f:2:29: 'request' without 'perm', expected it" },
	{ HEAD "require rf=0 uprgi=0 stopped=0 responses=0 shows=0 events=0 debts=0 "
	       "parked=0 oldest=0 rounds=0 requests=0 lasts=0 stop_markers=0 shown=0 "
	       "ended_success=0 ended_invalid=0 ended_failure=0 ended_deadline=0 "
	       "ended_quota=0 ended_detach=0 ended_no_owner=0 ended_malformed=0 "
	       "ended_guest_overflow=0 ended_reset=0 ended_removal=0\n",
	  "f:2:304: key 'ended_removal' is the 25th, expected at most 24" },
	{ HEAD "0 mark name=\n", "f:2:13: name=, expected 1 to 31 of A-Z a-z 0-9 _ . : -" },
	{ HEAD "0 mark name=a/b\n",
	  "f:2:13: name=a/b, expected 1 to 31 of A-Z a-z 0-9 _ . : -" },
	{ HEAD "0 mark name=a=b\n",
	  "f:2:13: name=a=b, expected 1 to 31 of A-Z a-z 0-9 _ . : -" },
	{ HEAD "0 mark name=01234567890123456789012345678901\n",
	  "f:2:13: name=01234567890123456789012345678901, expected 1 to 31 of A-Z a-z "
	  "0-9 _ . : -" },
	{ HEAD "0 stop index=65536\n",
	  "f:2:14: index=65536 out of range, expected 0 to 65535" },
	{ HEAD "0 stop index=five\n", "f:2:14: index=five, expected 0 to 65535" },
	{ HEAD "0 stop index=0x\n", "f:2:14: index=0x, expected 0 to 65535" },
	{ HEAD "0 stop index=-1\n", "f:2:14: index=-1, expected 0 to 65535" },
	{ HEAD "0 stop rid=0x100000000\n",
	  "f:2:12: rid=0x100000000 out of range, expected 0x0 to 0xffffffff" },
	{ HEAD "0 stop token=0x10000000000000000\n",
	  "f:2:14: token=0x10000000000000000 out of range, expected 0x0 to "
	  "0xffffffffffffffff" },
	{ HEAD "0 stop pasid=1048576\n",
	  "f:2:14: pasid=1048576 out of range, expected 0 to 1048575, none or any" },
	{ HEAD "0 stop pasid=all\n", "f:2:14: pasid=all, expected 0 to 1048575, none or any" },
	{ HEAD "0 request addr=0 perm=wr\n",
	  "f:2:23: perm=wr, expected letters of rwxp in this order, or - for none of "
	  "them" },
	{ HEAD "0 request addr=0 perm=r last=2\n",
	  "f:2:30: last=2 out of range, expected 0 or 1" },
	{ HEAD "0 answer code=fine\n",
	  "f:2:15: code=fine, expected one of success invalid failure" },
	{ HEAD "variants\n", "f:2:9: 'variants' of none, expected some" },
	{ HEAD "variants pri ats\n",
	  "f:2:14: unknown variant 'ats', expected one of " VARIANTS_ },
	{ HEAD "variants pri stall pri\n", "f:2:20: variant 'pri' twice, expected once" },
	{ HEAD "variants pri\nvariants stall\n", "f:3:1: 'variants' twice, expected once" },
	{ HEAD "world\nvariants pri\n",
	  "f:3:1: 'variants' after a statement, expected it before all" },
	{ HEAD "cannot stall it has none\n",
	  "f:2:1: 'cannot' before 'variants', expected it behind" },
	{ HEAD "variants pri\ncannot pri why\n",
	  "f:3:8: variant 'pri' is played, expected one that is not" },
	{ HEAD "variants pri\ncannot\n",
	  "f:3:7: unknown variant '', expected one of " VARIANTS_ },
	{ HEAD "variants pri\ncannot stall\n",
	  "f:3:13: 'cannot' without a reason, expected it" },
	{ HEAD "variants pri\ncannot stall one\ncannot stall two\n",
	  "f:4:8: a second reason for 'stall', expected one" },
	{ HEAD "@stall 0 mark name=a\n",
	  "f:2:1: '@stall' in a file without 'variants', expected that line first" },
	{ HEAD "variants pri\n@pri @fast 0 mark name=a\n",
	  "f:3:6: unknown '@fast', expected one of pri stall direct guest pasid no-pasid" },
	{ HEAD "variants pri\n@stall 0 mark name=a/b\n",
	  "f:3:20: name=a/b, expected 1 to 31 of A-Z a-z 0-9 _ . : -" },
	{ HEAD "variants pri\n@pri\n", "f:3:5: time without a kind, expected one of " KINDS },
	{ HEAD "world deadline=5y\n",
	  "f:2:16: deadline=5y, expected a number with ns, us, ms, s, m or h; without "
	  "one, nanoseconds" },
	{ HEAD "world deadline=18446744073709551615us\n",
	  "f:2:16: deadline=18446744073709551615us out of range, expected a number with "
	  "ns, us, ms, s, m or h; without one, nanoseconds" },
};

static void check_message(const char *file, size_t size, const char *message)
{
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;
	char text[TRACE_ERROR_MAX + 64];
	int result;

	trace_reader_open(&reader, file, size);
	while ((result = trace_read(&reader, &event, &error)) == 1)
		continue;
	CHECK_EQ(result, -EBADMSG);
	trace_error_text(&error, "f", text, sizeof(text));
	CHECK_STR(text, message);
	CHECK_EQ(trace_read(&reader, &event, &error), -EBADMSG);
	CHECK_STR(error.text, "read on after an error, expected no further call");
}

TEST(every_mistake_has_its_message_and_place)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_message(cases[i].file, strlen(cases[i].file), cases[i].message);
}

TEST(the_longest_list_of_keys_fits_a_message)
{
	static const char file[] = HEAD "require " LONG "=1\n";
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;
	const char *end;

	trace_reader_open(&reader, file, sizeof(file) - 1);
	CHECK_EQ(trace_read(&reader, &event, &error), -EBADMSG);
	end = strrchr(error.text, ' ');
	CHECK_STR(end, " granted");
}

TEST(a_nul_is_a_mistake_wherever_it_stands)
{
	static const char in_text[] = HEAD "0 mark name=a\0b\n";
	static const char in_comment[] = HEAD "# a\0b\n";

	check_message(in_text, sizeof(in_text) - 1,
		      "f:2:14: byte 0x00, expected printable ASCII or a tab");
	check_message(in_comment, sizeof(in_comment) - 1,
		      "f:2:4: byte 0x00, expected printable ASCII or a tab");
}

TEST(a_line_has_at_most_2048_bytes)
{
	static char file[4096];
	size_t head = sizeof(HEAD) - 1;
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;

	memset(file, '#', sizeof(file));
	memcpy(file, HEAD, head);
	check_message(
		file, sizeof(file),
		"f:2:2048: line too long, expected at most 2047 bytes and a newline");
	check_message(
		file, head + 2048,
		"f:2:2048: line too long, expected at most 2047 bytes and a newline");
	check_message(file, head + 2047,
		      "f:2:2048: file ends inside a line, expected a newline");
	file[head + 2047] = '\n';
	trace_reader_open(&reader, file, head + 2048);
	CHECK_EQ(trace_read(&reader, &event, &error), 0);
}

TEST(after_an_error_nothing_was_written_to_the_event)
{
	static const char file[] = HEAD "0 mark name=a\n1 mark name=b c=d\n";
	struct trace_reader reader;
	struct trace_event event, before;
	struct trace_error error;

	memset(&event, 0, sizeof(event));
	trace_reader_open(&reader, file, sizeof(file) - 1);
	CHECK_EQ(trace_read(&reader, &event, &error), 1);
	before = event;
	CHECK_EQ(trace_read(&reader, &event, &error), -EBADMSG);
	CHECK(memcmp(&event, &before, sizeof(event)) == 0);
}

TEST(a_message_is_cut_off_where_its_place_ends)
{
	struct trace_error error = { .line = 12, .column = 7, .text = "this, expected that" };
	char text[16] = "untouched";

	trace_error_text(&error, "a", text, 0);
	CHECK_STR(text, "untouched");
	trace_error_text(&error, "a", text, 1);
	CHECK_STR(text, "");
	trace_error_text(&error, "a", text, sizeof(text));
	CHECK_STR(text, "a:12:7: this, e");
}

/* ---- The binary form ------------------------------------------------------------- */

/* A replace of 64 bytes after the header of 16; one byte of it changed. */
static const struct {
	size_t at;
	uint8_t value;
	const char *message;
} changes[] = {
	{ 7, 0, "f:0:1: no header, expected 89 49 4f 50 46 0d 0a 1a" },
	{ 8, 2, "f:0:9: unknown version, expected 1" },
	{ 12, 1, "f:0:13: reserved bytes set, expected 0" },
	{ 16, 0x41, "f:1:1: record size out of range, expected a multiple of 8 from 16 to 976" },
	{ 16, 8, "f:1:1: record size out of range, expected a multiple of 8 from 16 to 976" },
	{ 17, 4, "f:1:1: record size out of range, expected a multiple of 8 from 16 to 976" },
	{ 16, 0x48, "f:1:65: file ends inside a record, expected more" },
	{ 20, TRACE_KIND_COUNT, "f:1:5: unknown kind, expected one of the list" },
	{ 20, 0, "f:1:9: time in 'world', expected 0" },
	{ 20, 14, "f:1:33: key not of 'enable', expected one that it may carry" },
	{ 21, 25, "f:1:6: too many keys, expected at most 24" },
	{ 21, 4, "f:1:65: record ends before its last key, expected more" },
	{ 21, 2, "f:1:49: record goes on after its last key, expected its end" },
	{ 22, 1, "f:1:7: reserved bytes set, expected 0" },
	{ 23, 1, "f:1:7: reserved bytes set, expected 0" },
	{ 16, 0x20, "f:1:33: record ends before its last key, expected more" },
	{ 16, 0x38, "f:1:57: record ends inside a value, expected more" },
	{ 32, 4, "f:1:17: key not of 'replace', expected one that it may carry" },
	{ 32, 255, "f:1:17: key not of 'replace', expected one that it may carry" },
	{ 48, 0, "f:1:33: key out of order, expected ascending keys" },
	{ 33, 0, "f:1:18: bytes of a name, expected 1 to 31 for a name and 0 for a number" },
	{ 33, 32, "f:1:18: bytes of a name, expected 1 to 31 for a name and 0 for a number" },
	{ 65, 1, "f:1:50: bytes of a name, expected 1 to 31 for a name and 0 for a number" },
	{ 34, 1, "f:1:19: reserved bytes set, expected 0" },
	{ 39, 1, "f:1:19: reserved bytes set, expected 0" },
	{ 33, 1,
	  "f:1:25: value of 'endpoint' out of range, expected 1 to 31 of A-Z a-z 0-9 _ . "
	  ": -" },
	{ 40, '/',
	  "f:1:25: value of 'endpoint' out of range, expected 1 to 31 of A-Z a-z 0-9 _ . "
	  ": -" },
	{ 47, 'x',
	  "f:1:25: value of 'endpoint' out of range, expected 1 to 31 of A-Z a-z 0-9 _ . "
	  ": -" },
	{ 72, 0xfd,
	  "f:1:57: value of 'pasid' out of range, expected 0 to 1048575, none or any" },
	{ 76, 1, "f:1:57: value of 'pasid' out of range, expected 0 to 1048575, none or any" },
	{ 64, 9, NULL }, /* a token: then the PASID is missing */
};

static size_t make_binary(char *bytes)
{
	struct trace_event event;
	int head = trace_write_header(TRACE_BINARY, bytes, 16), size;

	trace_begin(&event, TRACE_KIND_replace, 5000);
	trace_put_name(&event, TRACE_KEY_endpoint, "D1");
	trace_put_name(&event, TRACE_KEY_owner, "Y");
	trace_put(&event, TRACE_KEY_pasid, IOPF_PASID_NONE);
	size = trace_write(TRACE_BINARY, &event, bytes + head, TRACE_LINE_MAX);
	CHECK_EQ(head, 16);
	CHECK_EQ(size, 64);
	return (size_t)(head + size);
}

TEST(every_changed_byte_of_the_binary_form_has_its_message)
{
	static char bytes[TRACE_LINE_MAX];

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *message = changes[i].message;
		size_t size = make_binary(bytes);

		bytes[changes[i].at] = (char)changes[i].value;
		check_message(bytes, size,
			      message != NULL ? message
					      : "f:1:17: 'replace' without 'pasid', "
						"expected it");
	}
}

TEST(the_binary_form_ends_at_a_record)
{
	static char bytes[TRACE_LINE_MAX];
	size_t size = make_binary(bytes);

	for (size_t cut = 1; cut < size; cut++) {
		char message[128];
		const char *what = cut < 16 ? "f:0:%zu: file ends inside its header, "
					      "expected 16 bytes"
				   : cut < 32 ? "f:1:%zu: file ends inside a record, "
						"expected 16 bytes at least"
					      : "f:1:%zu: file ends inside a record, "
						"expected more";

		if (cut == 16)
			continue;
		snprintf(message, sizeof(message), what, cut < 16 ? cut + 1 : cut - 15);
		check_message(bytes, cut, message);
	}
}

TEST(time_and_world_have_their_order_in_the_binary_form_too)
{
	static char bytes[TRACE_LINE_MAX];
	size_t size = make_binary(bytes);

	memcpy(bytes + size, bytes + 16, size - 16);
	bytes[size + 8]--;
	check_message(bytes, 2 * size - 16,
		      "f:2:9: time 4999 runs backwards, expected 5000 or later");
	memset(bytes + size, 0, 16);
	bytes[size] = 16;
	check_message(bytes, size + 16,
		      "f:2:9: 'world' after an event, expected it before all others");
}

int main(void)
{
	return test_main();
}
