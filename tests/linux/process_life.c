/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_life.c - processes whose page tables the device has: where they end, groups of
 * their pages, several processes at once, bound and unbound, and ended, by themselves or by
 * others, with the device at work in them.
 */
#define _GNU_SOURCE
#include "process.h"

enum { SEVERAL = 16 };

/* ---- Addresses --------------------------------------------------------------------- */

static bool five_levels(void)
{
	FILE *cpus = fopen("/proc/cpuinfo", "re");
	bool found = false;
	char line[4096];

	while (cpus != NULL && !found && fgets(line, sizeof(line), cpus) != NULL)
		found = strncmp(line, "flags", 5) == 0 && strstr(line, " la57") != NULL;
	if (cpus != NULL)
		fclose(cpus);
	return found;
}

/* With four levels no process has an address so high, and the device none there. */
CASE(the_device_reaches_as_high_as_the_process)
{
	void *high = (void *)(UINT64_C(1) << 52);

	begin();
	NOTE("%d levels", five_levels() ? 5 : 4);
	if (five_levels()) {
		map_at(high, PAGE_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		CHECK_JOB(fill(high, PAGE_BYTES, PATTERN_NEW), done);
		CHECK(holds(high, PAGE_BYTES, PATTERN_NEW));
		CHECK_EQ(munmap(high, PAGE_BYTES), 0);
		check_served();
	} else {
		CHECK_JOB(fill(high, PAGE_BYTES, PATTERN_NEW), invalid);
		check_refused(1);
	}
}

/* Neither read nor written; @flags of the jobs. */
static void check_out_of_reach(uint64_t addr, uint64_t flags)
{
	void *there = (void *)addr;
	uint8_t *page = pages_new(1);
	struct device_job jobs[] = {
		job_of(MODEL_JOB_COPY | flags, there, page, PAGE_BYTES, 0),
		job_of(MODEL_JOB_FILL | flags, NULL, there, PAGE_BYTES, PATTERN_NEW),
	};

	set(page, PAGE_BYTES, PATTERN_OLD);
	for (size_t i = 0; i < 2; i++) {
		enum model_job_status status = device_run(&self.device, &jobs[i]);

		HOST("%s 0x%016" PRIx64 ": %s", i == 0 ? "read" : "write", addr,
		     job_status_name(0));
		CHECK(status == MODEL_JOB_STATUS_invalid || flags != 0);
		CHECK(status != MODEL_JOB_STATUS_done);
	}
	CHECK(holds(page, PAGE_BYTES, PATTERN_OLD));
}

CASE(addresses_without_memory_are_refused)
{
	begin();
	check_out_of_reach((uintptr_t)addresses_take(PAGE_BYTES, PAGE_BYTES), 0);
	check_out_of_reach(0, 0);
	check_refused(4);
}

CASE(addresses_that_no_process_has_are_refused)
{
	begin();
	check_out_of_reach(UINT64_C(0x4000000000000000), 0);
	check_out_of_reach(UINT64_C(0x8000000000000000), 0);
	check_settled();
}

/* They are in the process's tables, present, for the kernel alone. */
CASE(addresses_of_the_kernel_are_refused)
{
	uint64_t direct = five_levels() ? UINT64_C(0xff11000000000000) :
					  UINT64_C(0xffff888000000000);

	begin();
	check_out_of_reach(direct + 0x100000, 0);
	check_out_of_reach(UINT64_C(0xffffffff81000000), 0);
	check_out_of_reach(direct + 0x100000, MODEL_JOB_PRIV);
	check_settled();
}

CASE(a_mapping_that_was_never_writable_is_only_read)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	begin();
	uint8_t *text = mmap(addresses_take(PAGE_BYTES, PAGE_BYTES), PAGE_BYTES,
			     PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0);
	uint8_t *to = pages_new(1);

	CHECK(text != MAP_FAILED);
	CHECK_JOB(copy(to, text, PAGE_BYTES), done);
	CHECK(memcmp(to, text, PAGE_BYTES) == 0);
	CHECK_JOB(fill(text, PAGE_BYTES, PATTERN_NEW), invalid);
	CHECK(memcmp(to, text, PAGE_BYTES) == 0);
	close(file);
	check_refused(1);
}

CASE(a_pasid_without_a_process_is_refused)
{
	begin();
	uint8_t *page = pages_new(1);
	struct device_job job =
		job_of(MODEL_JOB_FILL, NULL, page, PAGE_BYTES, PATTERN_NEW);

	job.pasid = self.bond.pasid + 1000;
	CHECK_JOB(device_run(&self.device, &job), invalid);
	CHECK(!resident(page));
	check_settled();
}

/* ---- Groups ------------------------------------------------------------------------ */

/* A group of @count pages from @addr on. Returns: the code that it was answered with. */
static uint32_t group_answer(uint8_t *addr, uint32_t count)
{
	struct device_record record = { .index = 0 };
	uint64_t at = self.log;

	CHECK_EQ(bench_send(&self.device, self.bond.pasid, GROUP_INDEX, (uintptr_t)addr,
			    BENCH_READ | BENCH_WRITE | BENCH_LAST, count),
		 count);
	while (record.index != GROUP_INDEX)
		CHECK(device_wait(&self.device, &at, 1 << BENCH_RESPONSE, &record));
	return record.code;
}

CASE(a_group_of_pages_is_served_and_answered_once)
{
	begin();
	uint8_t *pages = pages_new(SEVERAL);

	CHECK_EQ(group_answer(pages, SEVERAL), 0);
	for (size_t i = 0; i < SEVERAL; i++)
		CHECK(resident(pages + i * PAGE_BYTES));
	CHECK_EQ(answers_of(BENCH_ANSWER).success, 1);
	CHECK_EQ(answers_of(BENCH_RESPONSE).success, 1);
}

CASE(one_bad_page_makes_its_group_invalid)
{
	begin();
	uint8_t *pages = pages_new(4);

	CHECK_EQ(munmap(pages + 2 * PAGE_BYTES, PAGE_BYTES), 0);
	CHECK_EQ(group_answer(pages, 4), 1);
	NOTE("page 0 %d, 1 %d, 3 %d", resident(pages), resident(pages + PAGE_BYTES),
	     resident(pages + 3 * PAGE_BYTES));
	CHECK_EQ(answers_of(BENCH_ANSWER).invalid, 1);
	CHECK_EQ(answers_of(BENCH_RESPONSE).invalid, 1);
}

CASE(the_engine_ends_where_the_bad_page_is)
{
	begin();
	uint8_t *pages = pages_new(8);

	CHECK_EQ(mprotect(pages + 5 * PAGE_BYTES, PAGE_BYTES, PROT_NONE), 0);
	CHECK_JOB(fill(pages, 8 * PAGE_BYTES, PATTERN_NEW), invalid);
	uint64_t done = device_job_read(&self.device, 0, MODEL_JOB_DONE);

	HOST("%" PRIu64 " bytes", done);
	CHECK(done <= 5 * PAGE_BYTES);
	CHECK(holds(pages, done, PATTERN_NEW));
	CHECK(holds(pages + 6 * PAGE_BYTES, 2 * PAGE_BYTES, 0));
	check_refused(1);
}

/* ---- Processes --------------------------------------------------------------------- */

/* A process of its own: what it shares with its parent by fork stays the parent's. */
static int child_binds(void)
{
	struct iopf_process_bind bond;
	int file = open(IOPF_PROCESS_PATH, O_RDWR | O_CLOEXEC);

	if (file < 0 || ioctl(file, IOPF_PROCESS_BIND, &bond) != 0)
		return 1;
	self.words->pasid = bond.pasid;
	self.words->step = 1;
	if (!told(2))
		return 2;
	return holds(self.words->addr, PAGE_BYTES * SEVERAL, PATTERN_OLD) ? 0 : 3;
}

CASE(two_processes_have_the_same_addresses_and_pages_of_their_own)
{
	begin();
	size_t bytes = SEVERAL * PAGE_BYTES;
	uint8_t *pages = self.words->addr = pages_new(SEVERAL);
	pid_t child = child_start(child_binds);

	CHECK_SOON(self.words->step == 1);
	CHECK(self.words->pasid != self.bond.pasid);
	struct device_job mine = job_of(MODEL_JOB_FILL, NULL, pages, bytes, PATTERN_NEW);
	struct device_job theirs =
		job_of(MODEL_JOB_FILL, NULL, pages, bytes, PATTERN_OLD);

	theirs.pasid = self.words->pasid;
	theirs.slot = 1;
	device_start(&self.device, &mine);
	device_start(&self.device, &theirs);
	CHECK_SOON(job_over(0) && job_over(1));
	CHECK_JOB(device_job_status(&self.device, 0), done);
	CHECK_JOB(device_job_status(&self.device, 1), done);
	self.words->step = 2;
	CHECK_CHILD(child);
	CHECK(holds(pages, bytes, PATTERN_NEW));
	check_served();
}

/* Once by the same PASID or by another: that is the kernel's matter. */
CASE(a_process_is_bound_twice_and_keeps_one)
{
	NEEDS(invalidations);
	begin();
	uint8_t *page = pages_new(1);
	uint32_t first = self.bond.pasid;
	int file = self.file;

	CHECK(process_bind());
	NOTE("PASIDs %u and %u", first, self.bond.pasid);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), done);
	close(file);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_NEW), done);
	CHECK_EQ(mprotect(page, PAGE_BYTES, PROT_READ), 0);
	CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD), invalid);
	CHECK(holds(page, PAGE_BYTES, PATTERN_NEW));
	check_refused(1);
}

CASE(a_process_is_bound_again_and_its_pasid_is_dead_in_between)
{
	NEEDS(invalidations);
	begin();
	uint8_t *page = pages_new(1);

	for (uint64_t round = 0; round < 3; round++) {
		CHECK_JOB(fill(page, PAGE_BYTES, PATTERN_OLD + round), done);
		CHECK_EQ(ioctl(self.file, IOPF_PROCESS_UNBIND), 0);
		CHECK(fill(page, PAGE_BYTES, PATTERN_NEW) != MODEL_JOB_STATUS_done);
		CHECK(holds(page, PAGE_BYTES, PATTERN_OLD + round));
		CHECK_EQ(ioctl(self.file, IOPF_PROCESS_BIND, &self.bond), 0);
	}
	check_settled();
}

/* ---- The end, with requests open --------------------------------------------------- */

/* Its parent could not fork any more once a request is being served: that is under the
 * lock that a fork needs. */
static int child_unbinds(void)
{
	bool ok = told(1) && ioctl(self.file, IOPF_PROCESS_UNBIND) == 0;

	self.words->ended = 1;
	return ok ? 0 : 1;
}

/* The kernel has begun to take the process's PASID away. */
static bool pasid_goes(uint32_t pasid, uint64_t *at)
{
	struct device_record record;

	while (device_next(&self.device, at, 1 << BENCH_OTHER, &record))
		if (record.code == BENCH_PASID_COMMAND && record.pasid == pasid)
			return true;
	return false;
}

/* From here on the log has all that is put into the queue. */
static uint64_t log_all(void)
{
	bench_set(&self.device, BENCH_LOG_KINDS, BENCH_KINDS_USUAL | 1 << BENCH_OTHER);
	return device_log_end(&self.device);
}

static uint64_t drains(void)
{
	return bench_get(&self.device, BENCH_DRAINS);
}

/* Let go of what keeps @child from ending: it ends as @wanted, and the job that had asked
 * ends without a byte. */
static void check_end(pid_t child, int wanted)
{
	int status = -1;

	CHECK(!self.words->ended);
	(void)bench_command(&self.device, BENCH_COMMAND_LET_GO);
	gate(false);
	CHECK_SOON(child_over(child, &status));
	CHECK_EQ(status, wanted);
	CHECK_SOON(job_over(0));
	HOST("the job: %s", job_status_name(0));
	CHECK(device_job_status(&self.device, 0) != MODEL_JOB_STATUS_done);
	CHECK_EQ(device_job_read(&self.device, 0, MODEL_JOB_DONE), 0);
	check_settled();
}

CASE(unbind_waits_for_a_request_that_is_being_served)
{
	begin();
	uint8_t *slow = pages_of_file(self.file, 1, MAP_SHARED);
	struct device_job job =
		job_of(MODEL_JOB_FILL, NULL, slow, PAGE_BYTES, PATTERN_NEW);
	pid_t child = child_start(child_unbinds);
	uint64_t seen, drained = drains();

	gate(true);
	device_start(&self.device, &job);
	CHECK_SOON(gate(true) == 1);
	seen = log_all();
	self.words->step = 1;
	CHECK_SOON(pasid_goes(job.pasid, &seen));
	CHECK_SOON(child_rests(child));
	check_end(child, 0);
	CHECK(drains() > drained);
	CHECK(holds(slow, PAGE_BYTES, 0));
}

CASE(unbind_waits_for_a_request_that_lies_in_the_queue)
{
	begin();
	uint8_t *page = pages_new(1);
	struct device_job job =
		job_of(MODEL_JOB_FILL, NULL, page, PAGE_BYTES, PATTERN_NEW);
	pid_t child = child_start(child_unbinds);
	uint64_t seen, drained = drains();

	CHECK_EQ(bench_command(&self.device, BENCH_COMMAND_HOLD), 0);
	device_start(&self.device, &job);
	CHECK_SOON(bench_get(&self.device, BENCH_HELD) > 0);
	seen = log_all();
	self.words->step = 1;
	CHECK_SOON(pasid_goes(job.pasid, &seen));
	CHECK_SOON(child_rests(child));
	check_end(child, 0);
	CHECK(drains() > drained);
	CHECK(holds(page, PAGE_BYTES, 0));
}

/* Binds, has slow memory, and waits to be killed. The memory is of the parent's file: it
 * must not keep the child's own open. */
static int child_lives(void)
{
	struct iopf_process_bind bond;
	int file = open(IOPF_PROCESS_PATH, O_RDWR | O_CLOEXEC);
	uint8_t *slow = mmap(self.words->addr, PAGE_BYTES, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED_NOREPLACE, self.file, 0);

	if (slow == MAP_FAILED || ioctl(file, IOPF_PROCESS_BIND, &bond) != 0)
		return 1;
	self.words->pasid = bond.pasid;
	self.words->step = 1;
	for (;;)
		pause();
}

static pid_t child_bound(struct device_job *job)
{
	pid_t child;

	self.words->addr = addresses_take(PAGE_BYTES, PAGE_BYTES);
	child = child_start(child_lives);
	CHECK_SOON(self.words->step == 1);
	*job = job_of(MODEL_JOB_FILL, NULL, self.words->addr, PAGE_BYTES, PATTERN_NEW);
	job->pasid = self.words->pasid;
	return child;
}

CASE(a_process_is_killed_while_a_request_of_it_is_being_served)
{
	struct device_job job;
	uint64_t seen;

	begin();
	pid_t child = child_bound(&job);

	gate(true);
	device_start(&self.device, &job);
	CHECK_SOON(gate(true) == 1);
	seen = log_all();
	kill(child, SIGKILL);
	CHECK_SOON(pasid_goes(job.pasid, &seen));
	CHECK_SOON(child_rests(child));
	check_end(child, SIGKILL);
}

CASE(a_process_is_killed_while_a_request_of_it_lies_in_the_queue)
{
	struct device_job job;
	uint64_t seen;

	begin();
	pid_t child = child_bound(&job);

	CHECK_EQ(bench_command(&self.device, BENCH_COMMAND_HOLD), 0);
	device_start(&self.device, &job);
	CHECK_SOON(bench_get(&self.device, BENCH_HELD) > 0);
	seen = log_all();
	kill(child, SIGKILL);
	CHECK_SOON(pasid_goes(job.pasid, &seen));
	CHECK_SOON(child_rests(child));
	check_end(child, SIGKILL);
	CHECK(answers_of(BENCH_ANSWER).invalid >= 1);
}

enum { MANY = 4096 };

/* Has all of its pages itself, so that the device is not stopped by one. */
static int child_is_worked_in(void)
{
	struct iopf_process_bind bond;
	int file = open(IOPF_PROCESS_PATH, O_RDWR | O_CLOEXEC);

	if (file < 0 || ioctl(file, IOPF_PROCESS_BIND, &bond) != 0)
		return 1;
	for (size_t i = 0; i < MANY; i++)
		set(self.words->addr + i * PAGE_BYTES, sizeof(uint64_t), 0);
	self.words->pasid = bond.pasid;
	self.words->step = 1;
	return told(2) ? 0 : 1;
}

/* The pages are a file's: they outlive the process, and show what was done to them. */
static void check_work_in_a_child(int file)
{
	uint8_t *pages = self.words->addr = pages_of_file(file, MANY, MAP_SHARED);
	struct device_job job;
	uint64_t done;
	pid_t child;

	self.words->step = 0;
	child = child_start(child_is_worked_in);
	CHECK_SOON(self.words->step == 1);
	job = job_of(MODEL_JOB_FILL, NULL, pages, MANY * PAGE_BYTES, PATTERN_NEW);
	job.pasid = self.words->pasid;
	device_start(&self.device, &job);
	CHECK_SOON(device_job_read(&self.device, 0, MODEL_JOB_DONE) > 0);
	self.words->step = 2;
	CHECK_CHILD(child);
	CHECK_SOON(job_over(0));
	done = device_job_read(&self.device, 0, MODEL_JOB_DONE);
	HOST("%s after %" PRIu64 " bytes", job_status_name(0), done);
	CHECK(holds(pages, done, PATTERN_NEW));
	CHECK(holds(pages + done, MANY * PAGE_BYTES - done, 0));
}

CASE(processes_end_while_the_device_works_in_them)
{
	begin();
	for (uint32_t round = 0; round < 4; round++) {
		int file = memfd_create("file", MFD_CLOEXEC);

		CHECK_EQ(ftruncate(file, MANY * PAGE_BYTES), 0);
		check_work_in_a_child(file);
		close(file);
	}
	check_settled();
}

/* ---- The kernel's own mind --------------------------------------------------------- */

CASE(the_kernel_complains_of_nothing)
{
	static const char *const words[] = {
		"BUG:",    "WARNING:",           "Oops",       "Bad page",
		"Bad rss", "general protection", "refcount_t:"
	};
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char line[8192];
	ssize_t length;

	CHECK(log >= 0);
	while ((length = read(log, line, sizeof(line) - 1)) > 0) {
		line[length] = '\0';
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strstr(line, words[i]) != NULL)
				case_fail(__FILE__, __LINE__, "it says: %s", line);
	}
	close(log);
}

int main(void)
{
	return process_main();
}
