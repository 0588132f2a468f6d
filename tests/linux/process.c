/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process.c - a guest process's own page tables: what the processor walks, the device
 * walks. Pages that are missing the kernel gives as if the process had touched them, and
 * what it takes away, or shares, or protects, the device has lost as well.
 *
 * Where the kernel binds processes on this architecture it does so itself, and no handler
 * of ours is in the way; else module/iopf_process.c says what is done instead.
 */
#define _GNU_SOURCE
#include "process.h"

enum { SEVERAL = 16 };

/* ---- Pages that come --------------------------------------------------------------- */

CASE(first_touch_by_the_device_gives_the_process_a_page)
{
	begin();
	uint8_t *page = pages_new(1);

	NOTE("bound by %s, PASID %u",
	     self.bond.way == IOPF_PROCESS_BY_KERNEL ? "the kernel" :
						       "its driver's parts",
	     self.bond.pasid);
	CHECK(!resident(page));
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(resident(page));
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	CHECK_EQ(answers_of(BENCH_ANSWER).success, 1);
	check_served();
}

CASE(reading_gives_the_zero_page_and_writing_a_page_of_its_own)
{
	begin();
	uint8_t *pages = pages_new(2), *zeros = pages_new(1);

	CHECK(device_finds(pages, pages + PAGE_BYTES, PAGE_BYTES));
	CHECK(holds(pages, 2 * PAGE_BYTES, 0));
	CHECK_JOB(fill(pages, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(pages, PAGE_BYTES, PATTERN_NEW));
	CHECK(holds(pages + PAGE_BYTES, PAGE_BYTES, 0));
	CHECK(device_finds(pages + PAGE_BYTES, zeros, PAGE_BYTES));
	CHECK(holds(zeros, PAGE_BYTES, 0));
	check_served();
}

CASE(the_device_reads_what_the_process_wrote_over_the_zero_page)
{
	NEEDS(invalidations);
	begin();
	uint8_t *page = pages_new(1), *zeros = pages_new(1), *like = pages_new(1);

	CHECK(device_finds(page, zeros, PAGE_BYTES));
	set(page, PAGE_BYTES, PATTERN_NEW);
	set(like, PAGE_BYTES, PATTERN_NEW);
	CHECK(device_finds(page, like, PAGE_BYTES));
	check_served();
}

CASE(data_go_from_pages_of_the_process_to_pages_nobody_touched)
{
	begin();
	size_t bytes = SEVERAL * PAGE_BYTES;
	uint8_t *from = pages_new(SEVERAL), *to = pages_new(SEVERAL);

	for (size_t i = 0; i < SEVERAL; i++)
		set(from + i * PAGE_BYTES, PAGE_BYTES, PATTERN_NEW + i);
	CHECK_JOB(copy(to, from, bytes), done);
	CHECK(memcmp(to, from, bytes) == 0);
	NOTE("%u groups for %u pages", answers_of(BENCH_ANSWER).success, SEVERAL);
	check_served();
}

CASE(pages_of_a_file_are_read_and_private_ones_copied_on_write)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	uint64_t words[PAGE_BYTES / sizeof(uint64_t)];

	begin();
	set(words, sizeof(words), PATTERN_OLD);
	CHECK_EQ(write(file, words, sizeof(words)), PAGE_BYTES);
	uint8_t *page = pages_of_file(file, 1, MAP_PRIVATE), *to = pages_new(1);

	CHECK_JOB(copy(to, page, PAGE_BYTES), done);
	CHECK(holds(to, PAGE_BYTES, PATTERN_OLD));
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	CHECK(file_holds(file, PATTERN_OLD));
	close(file);
	check_served();
}

CASE(what_the_device_writes_to_a_shared_file_is_in_the_file)
{
	int file = memfd_create("file", MFD_CLOEXEC);

	begin();
	CHECK_EQ(ftruncate(file, PAGE_BYTES), 0);
	uint8_t *page = pages_of_file(file, 1, MAP_SHARED);

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(file_holds(file, PATTERN_NEW));
	close(file);
	check_served();
}

/* ---- Pages that go ----------------------------------------------------------------- */

static int child_keeps(void)
{
	return told(1) && holds(self.words->addr, PAGE_BYTES, PATTERN_OLD) ? 0 : 1;
}

/* @page is the device's; what it writes after a fork is for the parent alone. */
static void check_fork(uint8_t *page)
{
	pid_t child;

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	self.words->addr = page;
	child = child_start(child_keeps);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	self.words->step = 1;
	CHECK_CHILD(child);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	check_served();
}

CASE(fork_leaves_the_child_what_was_there_before_the_device_wrote)
{
	NEEDS(invalidations);
	begin();
	check_fork(pages_new(1));
}

/* Of all pages that the device writes without a pause, copied and summed twice. */
static int child_snapshot(void)
{
	uint8_t first[PAGE_BYTES];

	for (size_t page = 0; page < SEVERAL; page++) {
		const uint8_t *at = self.words->addr + page * PAGE_BYTES;

		memcpy(first, at, PAGE_BYTES);
		for (int i = 0; i < 20; i++)
			sched_yield();
		if (memcmp(first, at, PAGE_BYTES) != 0)
			return 1;
	}
	return 0;
}

/* One more job. Returns: the child has ended. */
static bool written_until_over(uint32_t *jobs, pid_t child, int *status)
{
	size_t bytes = SEVERAL * PAGE_BYTES;
	uint8_t *pages = self.words->addr;

	CHECK_JOB(fill(pages, bytes, PATTERN_NEW + ++*jobs), done);
	CHECK(holds(pages, bytes, PATTERN_NEW + *jobs));
	return child_over(child, status);
}

CASE(fork_again_and_again_while_the_device_writes_gives_still_copies)
{
	uint32_t jobs = 0;

	NEEDS(invalidations);
	begin();
	self.words->addr = pages_new(SEVERAL);
	for (uint32_t round = 0; round < 5; round++) {
		pid_t child = child_start(child_snapshot);
		int status = -1;

		CHECK_SOON(written_until_over(&jobs, child, &status));
		CHECK_EQ(status, 0);
	}
	NOTE("%u jobs, %u groups", jobs, answers_of(BENCH_ANSWER).success);
	check_served();
}

CASE(mprotect_to_read_only_leaves_reading)
{
	NEEDS(invalidations);
	begin();
	uint8_t *page = pages_new(1), *to = pages_new(1);

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(mprotect(page, PAGE_BYTES, PROT_READ), 0);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK(holds(page, PAGE_BYTES, PATTERN_OLD));
	CHECK_JOB(copy(to, page, PAGE_BYTES), done);
	CHECK(holds(to, PAGE_BYTES, PATTERN_OLD));
	CHECK_EQ(mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE), 0);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	check_refused(1);
}

CASE(mprotect_to_none_leaves_nothing)
{
	NEEDS(invalidations);
	begin();
	uint8_t *page = pages_new(1), *to = pages_new(1);

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(mprotect(page, PAGE_BYTES, PROT_NONE), 0);
	CHECK_JOB(copy(to, page, PAGE_BYTES), invalid);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK_EQ(mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE), 0);
	CHECK(holds(page, PAGE_BYTES, PATTERN_OLD));
	CHECK(holds(to, PAGE_BYTES, 0));
	CHECK_JOB(copy(to, page, PAGE_BYTES), done);
	CHECK(holds(to, PAGE_BYTES, PATTERN_OLD));
	check_refused(2);
}

/* The page is a file's, so that it outlives the mapping and can be looked at. */
CASE(munmap_takes_the_page_from_the_device)
{
	int file = memfd_create("file", MFD_CLOEXEC);

	NEEDS(invalidations);
	begin();
	CHECK_EQ(ftruncate(file, PAGE_BYTES), 0);
	uint8_t *page = pages_of_file(file, 1, MAP_SHARED);

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(munmap(page, PAGE_BYTES), 0);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK(file_holds(file, PATTERN_OLD));
	map_at(page, PAGE_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	CHECK(file_holds(file, PATTERN_OLD));
	close(file);
	check_refused(1);
}

/* So many that the kernel does not name them one by one any more. */
CASE(munmap_of_many_pages_takes_each_from_the_device)
{
	enum { PAGES = 64 };
	int file = memfd_create("file", MFD_CLOEXEC);
	size_t bytes = PAGES * PAGE_BYTES;

	NEEDS(invalidations);
	begin();
	CHECK_EQ(ftruncate(file, (off_t)bytes), 0);
	uint8_t *pages = pages_of_file(file, PAGES, MAP_SHARED);

	CHECK_JOB(fill(pages, bytes, PATTERN_OLD), done);
	CHECK_JOB(fill(pages + bytes - PAGE_BYTES, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_JOB(fill(pages, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(munmap(pages, bytes), 0);
	CHECK_JOB(fill(pages, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK_JOB(fill(pages + bytes - PAGE_BYTES, PAGE_BYTES, PATTERN_NEW), invalid);
	pages = pages_of_file(file, PAGES, MAP_SHARED);
	CHECK(holds(pages, bytes, PATTERN_OLD));
	close(file);
	check_refused(2);
}

CASE(mremap_takes_the_page_along)
{
	NEEDS(invalidations);
	begin();
	uint8_t *from = pages_new(1), *to = addresses_take(PAGE_BYTES, PAGE_BYTES);

	CHECK_JOB(fill(from, PAGE_BYTES, PATTERN_OLD), done);
	CHECK(mremap(from, PAGE_BYTES, PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
	      to);
	CHECK_JOB(fill(from, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK(holds(to, PAGE_BYTES, PATTERN_OLD));
	CHECK_JOB(fill(to, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(to, PAGE_BYTES, PATTERN_NEW));
	check_refused(1);
}

/* A pipe keeps the page that the process gives away. */
CASE(madvise_dontneed_gives_the_device_a_new_page)
{
	uint64_t kept[PAGE_BYTES / sizeof(uint64_t)];
	int ends[2];

	NEEDS(invalidations);
	begin();
	uint8_t *page = pages_new(1), *zeros = pages_new(1);
	struct iovec vector = { page, PAGE_BYTES };

	CHECK_EQ(pipe(ends), 0);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(vmsplice(ends[1], &vector, 1, 0), PAGE_BYTES);
	CHECK_EQ(madvise(page, PAGE_BYTES, MADV_DONTNEED), 0);
	CHECK(device_finds(page, zeros, PAGE_BYTES));
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	CHECK_EQ(read(ends[0], kept, sizeof(kept)), PAGE_BYTES);
	CHECK(holds(kept, sizeof(kept), PATTERN_OLD));
	close(ends[0]);
	close(ends[1]);
	check_served();
}

/* The processor did not write it again: that the page is dirty only the device said, in
 * the kernel's own table. */
CASE(a_page_that_the_device_wrote_after_madvise_free_is_kept)
{
	NEEDS(invalidations);
	begin();
	uint8_t *pages = pages_new(2);

	CHECK_JOB(fill(pages, 2 * PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(madvise(pages, 2 * PAGE_BYTES, MADV_FREE), 0);
	CHECK_JOB(fill(pages, PAGE_BYTES, PATTERN_NEW), done);
	CHECK_EQ(madvise(pages, 2 * PAGE_BYTES, MADV_PAGEOUT), 0);
	NOTE("the other page was %s",
	     holds(pages + PAGE_BYTES, PAGE_BYTES, 0) ? "taken away" : "left");
	CHECK(holds(pages, PAGE_BYTES, PATTERN_NEW));
	check_served();
}

/* The process only wrote it, before: who looked at it since is the device. */
CASE(a_page_that_the_device_read_counts_as_referenced)
{
	begin();
	uint8_t *page = pages_new(1), *to = pages_new(1);

	set(page, PAGE_BYTES, PATTERN_OLD);
	CHECK_EQ(text_write("/proc/self/clear_refs", "1"), 0);
	CHECK_EQ(memory_kib(page, "Referenced"), 0);
	CHECK_JOB(copy(to, page, PAGE_BYTES), done);
	CHECK_EQ(memory_kib(page, "Referenced"), PAGE_BYTES / 1024);
	check_served();
}

/* Both change the same entries, each in its own way. */
CASE(the_kernel_clears_in_its_tables_while_the_device_sets)
{
	enum { PAGES = 256, ROUNDS = 40 };
	size_t bytes = PAGES * PAGE_BYTES;

	begin();
	for (uint32_t round = 0, cleared = 0; round < ROUNDS; round++) {
		uint8_t *pages = pages_new(PAGES);
		struct device_job job =
			job_of(MODEL_JOB_FILL, NULL, pages, bytes, PATTERN_NEW + round);

		set(pages, bytes, PATTERN_OLD);
		device_start(&self.device, &job);
		while (!job_over(0) && cleared++ < 100000)
			CHECK_EQ(text_write("/proc/self/clear_refs", "1"), 0);
		CHECK_JOB(device_job_status(&self.device, 0), done);
		CHECK(holds(pages, bytes, PATTERN_NEW + round));
		CHECK_EQ(memory_kib(pages, "Rss"), bytes / 1024);
		CHECK_EQ(munmap(pages, bytes), 0);
	}
	check_settled();
}

/* Read by the process, an entry is writable and clean: the device sets a bit in it that was
 * never asked for. Were an entry to come back so, the kernel would see it at the end of the
 * mapping: it counts. */
static void touched_and_taken(const uint8_t *pages, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += PAGE_BYTES)
		(void)*(const volatile uint8_t *)(pages + at);
	CHECK_EQ(madvise((void *)(uintptr_t)pages, bytes, MADV_DONTNEED), 0);
}

CASE(the_kernel_takes_pages_away_while_the_device_looks_for_them)
{
	enum { PAGES = 64, ROUNDS = 100 };
	int file = memfd_create("file", MFD_CLOEXEC);
	size_t bytes = PAGES * PAGE_BYTES;
	uint32_t taken = 0;

	begin();
	CHECK_EQ(ftruncate(file, (off_t)bytes), 0);
	uint8_t *pages = pages_of_file(file, PAGES, MAP_SHARED);

	for (uint32_t round = 0; round < ROUNDS; round++) {
		struct device_job job =
			job_of(MODEL_JOB_FILL, NULL, pages, bytes, PATTERN_NEW);

		device_start(&self.device, &job);
		do {
			touched_and_taken(pages, bytes);
			taken++;
		} while (!job_over(0) && taken < 100000);
		CHECK_JOB(device_job_status(&self.device, 0), done);
		CHECK(holds(pages, bytes, PATTERN_NEW));
		CHECK_EQ(memory_kib(pages, "Rss"), bytes / 1024);
	}
	NOTE("taken away %u times", taken);
	CHECK_EQ(munmap(pages, bytes), 0);
	close(file);
	check_served();
}

/* ---- Huge pages -------------------------------------------------------------------- */

static uint8_t *huge_new(void)
{
	uint8_t *huge = map_at(addresses_take(HUGE_BYTES, HUGE_BYTES), HUGE_BYTES,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1);

	CHECK_EQ(madvise(huge, HUGE_BYTES, MADV_HUGEPAGE), 0);
	return huge;
}

CASE(first_touch_by_the_device_gives_a_huge_page)
{
	begin();
	uint8_t *huge = huge_new();

	CHECK_JOB(fill(huge, HUGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(huge, HUGE_BYTES, PATTERN_NEW));
	CHECK_EQ(memory_kib(huge, "AnonHugePages"), HUGE_BYTES / 1024);
	NOTE("%u groups for 512 pages", answers_of(BENCH_ANSWER).success);
	check_served();
}

CASE(data_go_through_huge_pages_of_the_process)
{
	begin();
	uint8_t *from = huge_new(), *to = huge_new();

	set(from, HUGE_BYTES, PATTERN_OLD);
	set(to, HUGE_BYTES, PATTERN_NEW);
	CHECK_EQ(memory_kib(from, "AnonHugePages"), HUGE_BYTES / 1024);
	CHECK_JOB(copy(to, from, HUGE_BYTES), done);
	CHECK(holds(to, HUGE_BYTES, PATTERN_OLD));
	check_settled();
}

CASE(mprotect_in_the_middle_of_a_huge_page_takes_that_page_only)
{
	NEEDS(invalidations);
	begin();
	uint8_t *huge = huge_new(), *page = huge + 100 * PAGE_BYTES;

	CHECK_JOB(fill(huge, HUGE_BYTES, PATTERN_OLD), done);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD),
		  done); /* lately, so not yet forgotten */
	CHECK_EQ(mprotect(page, PAGE_BYTES, PROT_READ), 0);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK_JOB(fill(page - PAGE_BYTES, PAGE_BYTES, PATTERN_NEW), done);
	CHECK_JOB(fill(page + PAGE_BYTES, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(page - 2 * PAGE_BYTES, PAGE_BYTES, PATTERN_OLD));
	CHECK(holds(page - PAGE_BYTES, PAGE_BYTES, PATTERN_NEW));
	CHECK(holds(page, PAGE_BYTES, PATTERN_OLD));
	CHECK(holds(page + PAGE_BYTES, PAGE_BYTES, PATTERN_NEW));
	check_refused(1);
}

CASE(fork_of_a_huge_page_leaves_the_child_what_was_there)
{
	NEEDS(invalidations);
	begin();
	uint8_t *huge = huge_new();

	CHECK_JOB(fill(huge, HUGE_BYTES, PATTERN_OLD), done);
	check_fork(huge + 7 * PAGE_BYTES);
	CHECK(holds(huge + 8 * PAGE_BYTES, HUGE_BYTES - 8 * PAGE_BYTES, PATTERN_OLD));
}

CASE(pages_of_hugetlb_are_written_and_forked)
{
	uint8_t *huge = addresses_take(HUGE_BYTES, HUGE_BYTES);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED_NOREPLACE;

	NEEDS(invalidations);
	begin();
	text_write("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "4");
	CHECK(mmap(huge, HUGE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0) == huge);
	CHECK_JOB(fill(huge, HUGE_BYTES, PATTERN_OLD), done);
	check_fork(huge + 7 * PAGE_BYTES);
	CHECK(holds(huge + 8 * PAGE_BYTES, HUGE_BYTES - 8 * PAGE_BYTES, PATTERN_OLD));
	CHECK_EQ(munmap(huge, HUGE_BYTES), 0);
}

int main(void)
{
	return process_main();
}
