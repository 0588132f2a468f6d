/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stall.c - a process's own page tables behind an SMMUv3: where a page is missing the
 * device's transaction stalls, the kernel serves it as if the process had touched the
 * page, and says RESUME.
 *
 * The same as in process.c by the other mechanism, on the other architecture. A stall is a
 * page; an answer is retry or abort.
 */
#define _GNU_SOURCE
#define DEVICE_SHARED
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "case.h"
#include "device.h"
#include "module/iopf_stall.h"

#define PATTERN_OLD UINT64_C(0x0102030405060708)
#define PATTERN_NEW UINT64_C(0x1a2b3c4d5e6f7a8b)

enum {
	PAGE_BYTES = 4096,
	HUGE_BYTES = 2 << 20,
	SEVERAL = 16,
};

static struct {
	struct device device;
	int file; /* /dev/iopf_stall, of this process */
	uint32_t pasid;
	uint64_t requests, responses, shown, unexpected, broken; /* as the case began */
	volatile uint32_t *word; /* between a parent and its child */
} self = { .file = -1 };

/* ---- Memory ------------------------------------------------------------------------ */

static uint8_t *pages_new(size_t count)
{
	void *memory = mmap(NULL, count * PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static void set(void *memory, size_t bytes, uint64_t pattern)
{
	uint64_t *word = memory;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		word[i] = pattern;
}

static bool holds(const void *memory, size_t bytes, uint64_t pattern)
{
	const volatile uint64_t *word = memory;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		if (word[i] != pattern)
			return false;
	return true;
}

/* ---- The device -------------------------------------------------------------------- */

static struct device_job fill_of(uint32_t pasid, void *to, size_t bytes, uint64_t pattern)
{
	return (struct device_job){ .destination = (uintptr_t)to,
				    .length = bytes,
				    .pattern = pattern,
				    .control = MODEL_JOB_FILL,
				    .pasid = pasid };
}

static enum model_job_status fill(void *to, size_t bytes, uint64_t pattern)
{
	const struct device_job job = fill_of(self.pasid, to, bytes, pattern);

	return device_run(&self.device, &job);
}

static enum model_job_status copy(void *to, const void *from, size_t bytes)
{
	const struct device_job job = { .source = (uintptr_t)from,
					.destination = (uintptr_t)to,
					.length = bytes,
					.control = MODEL_JOB_COPY,
					.pasid = self.pasid };

	return device_run(&self.device, &job);
}

#define CHECK_JOB(job, name) CHECK_EQ(job, MODEL_JOB_STATUS_##name)

static uint32_t held(void)
{
	return (uint32_t)bench_get(&self.device, BENCH_CREDITS);
}

static uint64_t stalls(void)
{
	return bench_get(&self.device, BENCH_REQUESTS) - self.requests;
}

/* Of these, those that the kernel was shown: the others missed in the host's stage only. */
static uint64_t shown(void)
{
	return bench_get(&self.device, BENCH_SHOWN) - self.shown;
}

/* ---- The bond ---------------------------------------------------------------------- */

static uint32_t gate(uint32_t shut)
{
	return ioctl(self.file, IOPF_STALL_GATE, &shut) == 0 ? shut : UINT32_MAX;
}

/* Returns: 0 or an errno. */
static int stall_bind(void)
{
	self.file = open(IOPF_STALL_PATH, O_RDWR | O_CLOEXEC);
	if (self.file < 0)
		return errno;
	return ioctl(self.file, IOPF_STALL_BIND, &self.pasid) == 0 ? 0 : errno;
}

/* Puts an end to what a case before may have left, and binds the process anew. */
static void begin(void)
{
	if (self.device.bar == NULL)
		CHECK_EQ(device_open_shared(&self.device), 0);
	CHECK_SOON(device_there(&self.device));
	if (self.file >= 0) {
		gate(0);
		close(self.file);
	}
	CHECK_EQ(stall_bind(), 0);
	CHECK_SOON(held() == 0);
	self.requests = bench_get(&self.device, BENCH_REQUESTS);
	self.responses = bench_get(&self.device, BENCH_RESPONSES);
	self.shown = bench_get(&self.device, BENCH_SHOWN);
	self.unexpected = bench_get(&self.device, BENCH_UNEXPECTED);
	self.broken = bench_get(&self.device, BENCH_BROKEN);
}

/* Ends most cases: nothing is stalled, and each stall had one answer. */
static void check_settled(void)
{
	CHECK_SOON(held() == 0);
	CHECK_SOON(bench_get(&self.device, BENCH_RESPONSES) - self.responses == stalls());
	CHECK_EQ(bench_get(&self.device, BENCH_UNEXPECTED), self.unexpected);
	CHECK_EQ(bench_get(&self.device, BENCH_BROKEN), self.broken);
	HOST("%u stalls, %u shown to the kernel, each resumed once", (unsigned)stalls(),
	     (unsigned)shown());
}

/* ---- Children ---------------------------------------------------------------------- */

static pid_t child_start(int (*run)(uint8_t *page), uint8_t *page)
{
	pid_t pid;

	if (self.word == NULL)
		self.word = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	self.word[0] = self.word[1] = 0;
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(run(page));
	}
	return pid;
}

static bool child_over(pid_t pid, int *status)
{
	return waitpid(pid, status, WNOHANG) == pid;
}

#define CHECK_CHILD(pid)                                 \
	do {                                             \
		int status_ = -1;                        \
		CHECK_SOON(child_over(pid, &status_));   \
		CHECK_EQ(status_, 0);                    \
	} while (0)

/* ---- Pages that come --------------------------------------------------------------- */

CASE(a_stall_gives_the_process_the_page_that_it_never_touched)
{
	begin();
	uint8_t *page = pages_new(1);

	NOTE("bound by the kernel, PASID %u", self.pasid);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	CHECK_EQ(stalls(), 1);
	check_settled();
}

CASE(data_go_from_pages_of_the_process_to_pages_nobody_touched)
{
	begin();
	uint8_t *from = pages_new(SEVERAL), *to = pages_new(SEVERAL);

	for (size_t i = 0; i < SEVERAL; i++)
		set(from + i * PAGE_BYTES, PAGE_BYTES, PATTERN_NEW + i);
	CHECK_JOB(copy(to, from, SEVERAL * PAGE_BYTES), done);
	CHECK(memcmp(to, from, SEVERAL * PAGE_BYTES) == 0);
	CHECK(stalls() >= SEVERAL);
	check_settled();
}

CASE(the_zero_page_is_read_and_then_copied_on_write)
{
	begin();
	uint8_t *page = pages_new(1), *to = pages_new(1);

	CHECK_JOB(copy(to, page, PAGE_BYTES), done);
	CHECK(holds(to, PAGE_BYTES, 0));
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	CHECK(holds(to, PAGE_BYTES, 0));
	check_settled();
}

CASE(a_huge_page_is_one_the_device_writes_all_over)
{
	begin();
	uint8_t *area = pages_new(2 * HUGE_BYTES / PAGE_BYTES);
	uint8_t *huge = (uint8_t *)(((uintptr_t)area + HUGE_BYTES - 1) / HUGE_BYTES *
				    HUGE_BYTES);

	CHECK_EQ(madvise(huge, HUGE_BYTES, MADV_HUGEPAGE), 0);
	CHECK_JOB(fill(huge, HUGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(huge, HUGE_BYTES, PATTERN_NEW));
	NOTE("%u of %u stalls were its affair", (unsigned)shown(), (unsigned)stalls());
	/* What the engine had looked for before the first of them was answered. */
	CHECK(shown() <= (device_read(&self.device, MODEL_ENGINE_LIMITS) >> 8 & 0xff));
	check_settled();
}

/* ---- Pages that go ----------------------------------------------------------------- */

static int child_keeps(uint8_t *page)
{
	self.word[1] = 1; /* it is there */
	return CASE_WAIT(self.word[0] == 1, CASE_SOON_MS) &&
			       holds(page, PAGE_BYTES, PATTERN_OLD) ?
		       0 :
		       1;
}

CASE(fork_leaves_the_child_what_was_there_before_the_device_wrote)
{
	begin();
	uint8_t *page = pages_new(1);
	pid_t child;

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	child = child_start(child_keeps, page);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	self.word[0] = 1;
	CHECK_CHILD(child);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	check_settled();
}

CASE(what_is_protected_the_device_cannot_write_any_more)
{
	begin();
	uint8_t *page = pages_new(1);

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(mprotect(page, PAGE_BYTES, PROT_READ), 0);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK(holds(page, PAGE_BYTES, PATTERN_OLD));
	CHECK_EQ(mprotect(page, PAGE_BYTES, PROT_NONE), 0);
	CHECK_JOB(copy(pages_new(1), page, PAGE_BYTES), invalid);
	check_settled();
}

CASE(what_is_unmapped_is_not_the_devices_any_more)
{
	begin();
	uint8_t *page = pages_new(1);

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(munmap(page, PAGE_BYTES), 0);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), invalid);
	check_settled();
}

CASE(what_is_moved_the_device_finds_at_its_new_place_alone)
{
	begin();
	uint8_t *page = pages_new(1), *place = pages_new(1);

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	CHECK(mremap(page, PAGE_BYTES, PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, place) ==
	      place);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK(holds(place, PAGE_BYTES, PATTERN_OLD));
	CHECK_JOB(fill(place, PAGE_BYTES, PATTERN_NEW), done);
	CHECK(holds(place, PAGE_BYTES, PATTERN_NEW));
	check_settled();
}

CASE(what_is_not_needed_any_more_is_zero_for_the_device)
{
	begin();
	uint8_t *page = pages_new(1), *to = pages_new(1);

	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	CHECK_EQ(madvise(page, PAGE_BYTES, MADV_DONTNEED), 0);
	CHECK_JOB(copy(to, page, PAGE_BYTES), done);
	CHECK(holds(to, PAGE_BYTES, 0));
	check_settled();
}

/* ---- Refusals ---------------------------------------------------------------------- */

CASE(what_is_mapped_nowhere_aborts)
{
	static const uint64_t places[] = { 0x7000, UINT64_C(0xffffffc000000000),
					   UINT64_C(0x0123000000000000) };

	begin();
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		enum model_job_status status =
			fill((void *)(uintptr_t)places[i], PAGE_BYTES, PATTERN_NEW);

		NOTE("0x%016" PRIx64 ": %s", places[i],
		     status == MODEL_JOB_STATUS_invalid ? "stalled and was aborted" :
							  "was aborted at once");
		CHECK(status == MODEL_JOB_STATUS_invalid || status == MODEL_JOB_STATUS_error);
	}
	check_settled();
}

CASE(a_pasid_that_nobody_bound_aborts_without_a_stall)
{
	begin();
	const struct device_job job =
		fill_of(self.pasid + 1, pages_new(1), PAGE_BYTES, PATTERN_NEW);

	CHECK_JOB(device_run(&self.device, &job), error);
	CHECK_EQ(stalls(), 0);
	check_settled();
}

/* ---- Stalls that stay -------------------------------------------------------------- */

static uint8_t *slow_pages(size_t count)
{
	void *memory = mmap(NULL, count * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			    self.file, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

CASE(a_stall_waits_as_long_as_the_kernel_does)
{
	begin();
	gate(1);
	uint8_t *page = slow_pages(1);
	const struct device_job job = fill_of(self.pasid, page, PAGE_BYTES, PATTERN_NEW);

	device_start(&self.device, &job);
	CHECK_SOON(gate(1) == 1);
	CHECK_EQ(held(), 1);
	CHECK_JOB(device_job_status(&self.device, 0), running);
	gate(0);
	CHECK_SOON(device_job_status(&self.device, 0) == MODEL_JOB_STATUS_done);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	check_settled();
}

static int child_stalls(uint8_t *page)
{
	(void)page;
	if (stall_bind() != 0)
		return 1;
	uint8_t *slow = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, self.file,
			     0);
	const struct device_job job = fill_of(self.pasid, slow, PAGE_BYTES, PATTERN_NEW);

	device_start(&self.device, &job);
	self.word[1] = 1;
	for (;;)
		pause();
}

CASE(a_process_that_is_killed_leaves_no_stall)
{
	begin();
	gate(1);
	pid_t child = child_start(child_stalls, NULL);
	int status = 0;

	CHECK_SOON(self.word[1] == 1 && held() == 1 && gate(1) == 1);
	CHECK_EQ(kill(child, SIGKILL), 0);
	gate(0); /* the handler itself cannot be killed */
	CHECK_SOON(child_over(child, &status));
	CHECK(WIFSIGNALED(status));
	CHECK_SOON(device_job_status(&self.device, 0) != MODEL_JOB_STATUS_running);
	CHECK_SOON(held() == 0);
	NOTE("its stall ended with status %u of the job",
	     (unsigned)device_job_status(&self.device, 0));
	CHECK_EQ(bench_get(&self.device, BENCH_UNEXPECTED), self.unexpected);
	CHECK_EQ(bench_get(&self.device, BENCH_BROKEN), self.broken);
}

static int child_fills(uint8_t *page)
{
	if (stall_bind() != 0)
		return 1;
	struct device_job job = fill_of(self.pasid, page, SEVERAL * PAGE_BYTES, PATTERN_NEW);

	job.slot = 1;
	return device_run(&self.device, &job) == MODEL_JOB_STATUS_done &&
			       holds(page, SEVERAL * PAGE_BYTES, PATTERN_NEW) ?
		       0 :
		       2;
}

CASE(two_processes_share_the_device_and_not_their_pages)
{
	begin();
	uint8_t *pages = pages_new(SEVERAL); /* at one address in both */
	pid_t child = child_start(child_fills, pages);

	CHECK_JOB(fill(pages, SEVERAL * PAGE_BYTES, PATTERN_OLD), done);
	CHECK_CHILD(child);
	CHECK(holds(pages, SEVERAL * PAGE_BYTES, PATTERN_OLD));
	check_settled();
}

int main(void)
{
	return case_main();
}
