/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * case.h - cases of the Linux lanes: tests/test.h for programs that run inside a guest.
 *
 *	CASE(read_only_page_is_refused)
 *	{
 *		CHECK_EQ(code, INVALID);
 *		NOTE("invalid after %u us", us);        what the kernel did
 *		HOST("%u invalidations", count);        what the host below it did
 *	}
 *	int main(void) { return case_main(); }
 *
 * A case that does not hold says where and what, and the program goes on to the next. It
 * may end what it waits for, never how long: CHECK_SOON() waits for a condition, not for
 * a guessed time. A child of fork() ends with _exit() and is judged by its status.
 *
 * What the lane reads from standard output, a line each:
 *
 *	begin: NAME             a case that does not come back is known by this
 *	note: ... / host: ...   belong to the case that was begun
 *	needs: WORD             NEEDS(WORD): run with --break WORD, the case must fail
 *	case: NAME: ok          or: case: NAME: FAILED FILE:LINE what
 *	done: N passed, N failed
 *
 * Environment: only=PATTERN,PATTERN... plays the cases whose names match one of them.
 */
#ifndef TESTS_LINUX_CASE_H
#define TESTS_LINUX_CASE_H

#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CASE_SOON_MS = 5000 };

struct case_entry {
	const char *name;
	void (*run)(void);
	struct case_entry *next;
};

static struct case_entry *case_first, **case_end = &case_first;
static jmp_buf case_escape;
static char case_why[512];

static inline void case_add(struct case_entry *entry)
{
	*case_end = entry;
	case_end = &entry->next;
}

#define CASE(name_)                                                                    \
	static void name_(void);                                                       \
	static struct case_entry case_entry_##name_ = { .name = #name_, .run = name_ }; \
	__attribute__((constructor)) static void case_add_##name_(void)                \
	{                                                                              \
		case_add(&case_entry_##name_);                                         \
	}                                                                              \
	static void name_(void)

/* The case does not hold, for the reason given. */
__attribute__((format(printf, 3, 4), noreturn)) static inline void
case_fail(const char *file, int line, const char *format, ...)
{
	int at = snprintf(case_why, sizeof case_why, "%s:%d ", file, line);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(case_why + at, sizeof case_why - (size_t)at, format, arguments);
	va_end(arguments);
	longjmp(case_escape, 1);
}

__attribute__((format(printf, 2, 3))) static inline void
case_say(const char *word, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printf("%s: ", word);
	vprintf(format, arguments);
	putchar('\n');
	va_end(arguments);
}

#define NOTE(...)   case_say("note", __VA_ARGS__)
#define HOST(...)   case_say("host", __VA_ARGS__)
#define NEEDS(word) case_say("needs", "%s", #word)

#define CHECK(what)                                                      \
	do {                                                             \
		if (!(what))                                             \
			case_fail(__FILE__, __LINE__, "not so: %s", #what); \
	} while (0)

/* Both sides as 64-bit numbers; negative results keep their sign. */
#define CHECK_EQ(got, wanted)                                                          \
	do {                                                                           \
		int64_t got_ = (int64_t)(got), wanted_ = (int64_t)(wanted);            \
		if (got_ != wanted_)                                                   \
			case_fail(__FILE__, __LINE__, "%s is %" PRId64 " (0x%" PRIx64  \
				  "), not %s, %" PRId64 " (0x%" PRIx64 ")", #got, got_, \
				  (uint64_t)got_, #wanted, wanted_, (uint64_t)wanted_); \
	} while (0)

static inline uint64_t case_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Becomes true within @milliseconds? Others run meanwhile. */
#define CASE_WAIT(what, milliseconds)                                               \
	({                                                                          \
		uint64_t end_ns_ = case_now_ns() + (uint64_t)(milliseconds) * 1000000u; \
		bool so_;                                                           \
		while (!(so_ = (what)) && case_now_ns() < end_ns_)                  \
			sched_yield();                                              \
		so_;                                                                \
	})

#define CHECK_SOON(what)                                                             \
	do {                                                                         \
		if (!CASE_WAIT(what, CASE_SOON_MS))                                  \
			case_fail(__FILE__, __LINE__, "not within %d ms: %s",        \
				  CASE_SOON_MS, #what);                              \
	} while (0)

/* The kernel's own log shows where a case began. */
static inline void case_mark(const char *name)
{
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[256];
	int length = snprintf(line, sizeof line, "case: %s\n", name);

	if (log < 0)
		return;
	(void)!write(log, line, (size_t)length);
	close(log);
}

static inline bool case_wanted(const char *name)
{
	const char *only = getenv("only");
	char copy[512], *rest = copy;

	if (only == NULL)
		return true;
	snprintf(copy, sizeof copy, "%s", only);
	for (char *one; (one = strsep(&rest, ",")) != NULL;)
		if (fnmatch(one, name, 0) == 0)
			return true;
	return false;
}

static inline bool case_play(const struct case_entry *entry)
{
	printf("begin: %s\n", entry->name);
	case_mark(entry->name);
	if (setjmp(case_escape) != 0) {
		printf("case: %s: FAILED %s\n", entry->name, case_why);
		return false;
	}
	entry->run();
	printf("case: %s: ok\n", entry->name);
	return true;
}

/* Returns: what main() returns. */
static inline int case_main(void)
{
	unsigned passed = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct case_entry *entry = case_first; entry != NULL; entry = entry->next) {
		if (!case_wanted(entry->name))
			continue;
		if (case_play(entry))
			passed++;
		else
			failed++;
	}
	printf("done: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}

#endif
