/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test.h - what every test needs and nothing else. Runs on every architecture.
 *
 * A test program is a list of functions; each is a sentence about what holds:
 *
 *	TEST(second_answer_is_refused) { ... CHECK_EQ(n, 1); ... }
 *	int main(void) { return test_main(); }
 *
 * A check that fails says where and what, and the program goes on to the next test.
 * Prints one line a test ("ok NAME" or "FAILED NAME"), exits 0 or 1.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

static struct test_case *test_first, **test_end = &test_first;
static jmp_buf test_escape;

static inline void test_add(struct test_case *test)
{
	*test_end = test;
	test_end = &test->next;
}

#define TEST(name_)                                                                  \
	static void name_(void);                                                     \
	static struct test_case test_case_##name_ = { .name = #name_, .run = name_ }; \
	__attribute__((constructor)) static void test_add_##name_(void)              \
	{                                                                            \
		test_add(&test_case_##name_);                                        \
	}                                                                            \
	static void name_(void)

#define CHECK(what)                                                                 \
	do {                                                                        \
		if (!(what)) {                                                      \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what);   \
			longjmp(test_escape, 1);                                    \
		}                                                                   \
	} while (0)

/* Both sides as 64-bit numbers; negative results keep their sign. */
#define CHECK_EQ(got, wanted)                                                          \
	do {                                                                           \
		int64_t got_ = (int64_t)(got), wanted_ = (int64_t)(wanted);            \
		if (got_ != wanted_) {                                                 \
			printf("%s:%d: %s is %" PRId64 " (0x%" PRIx64 "), not %s, %"   \
			       PRId64 " (0x%" PRIx64 ")\n", __FILE__, __LINE__, #got,  \
			       got_, (uint64_t)got_, #wanted, wanted_,                 \
			       (uint64_t)wanted_);                                     \
			longjmp(test_escape, 1);                                       \
		}                                                                      \
	} while (0)

#define CHECK_STR(got, wanted)                                                      \
	do {                                                                        \
		const char *got_ = (got), *wanted_ = (wanted);                      \
		if (strcmp(got_, wanted_) != 0) {                                   \
			printf("%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__,       \
			       __LINE__, #got, got_, wanted_);                      \
			longjmp(test_escape, 1);                                    \
		}                                                                   \
	} while (0)

/* The same numbers on every machine: splitmix64. */
static inline uint64_t test_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline bool test_run(const struct test_case *test)
{
	if (setjmp(test_escape) != 0)
		return false;
	test->run();
	return true;
}

static inline int test_main(void)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct test_case *test = test_first; test != NULL; test = test->next) {
		bool held = test_run(test);

		printf("%s %s\n", held ? "ok" : "FAILED", test->name);
		failed += !held;
	}
	return failed == 0 ? 0 : 1;
}

#endif
