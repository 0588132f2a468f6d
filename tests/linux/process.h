/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process.h - a process and the device that has its page tables, for the cases in
 * process.c and process_life.c: memory, jobs, what was answered, children.
 *
 * No address is used twice as long as the program runs: a translation that the device
 * should have forgotten harms the case that is about it, and no other.
 */
#ifndef LINUX_PROCESS_H
#define LINUX_PROCESS_H

#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "case.h"
#include "device.h"
#include "module/iopf_process.h"

#define FUNCTION "0001:00:01.0"
#define DEVICES  "/sys/bus/pci/devices/" FUNCTION
#define DRIVER   "iopf_process"

#define PATTERN_OLD UINT64_C(0x0102030405060708)
#define PATTERN_NEW UINT64_C(0x1a2b3c4d5e6f7a8b)

enum {
	PAGE_BYTES = 4096,
	HUGE_BYTES = 2 << 20,
	CHILD_MAX = 4,
	GROUP_INDEX = 500,       /* of raw requests: the engine counts from 0 */
	BENCH_PASID_COMMAND = 3, /* code of a BENCH_OTHER record */
};

/* What a parent and its children say to each other. */
struct process_words {
	volatile uint32_t step, pasid, ended;
	volatile int32_t error;
	uint8_t *volatile addr;
};

static struct {
	struct device device;
	int file; /* /dev/iopf_process, of this process */
	struct iopf_process_bind bond;
	uint8_t *free;               /* addresses from here on were never used */
	struct process_words *words; /* in shared memory */
	pid_t children[CHILD_MAX];
	uint64_t log, unexpected, broken; /* as the case began */
} self = { .file = -1, .free = (uint8_t *)0x200000000000 };

/* ---- Memory ------------------------------------------------------------------------ */

static inline uint8_t *addresses_take(size_t bytes, size_t alignment)
{
	uintptr_t at = ((uintptr_t)self.free + alignment - 1) / alignment * alignment;

	self.free = (uint8_t *)(at + bytes + PAGE_BYTES); /* neighbours never merge */
	return (uint8_t *)at;
}

static inline uint8_t *map_at(void *addr, size_t bytes, int flags, int file)
{
	uint8_t *memory = mmap(addr, bytes, PROT_READ | PROT_WRITE,
			       flags | MAP_FIXED_NOREPLACE, file, 0);

	CHECK(memory == addr);
	return memory;
}

/* Memory of the process's own that nobody has touched. */
static inline uint8_t *pages_new(size_t count)
{
	size_t bytes = count * PAGE_BYTES;

	return map_at(addresses_take(bytes, PAGE_BYTES), bytes,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static inline uint8_t *pages_of_file(int file, size_t count, int flags)
{
	size_t bytes = count * PAGE_BYTES;

	return map_at(addresses_take(bytes, PAGE_BYTES), bytes, flags, file);
}

static inline bool resident(void *page)
{
	unsigned char in = 0;

	return mincore(page, PAGE_BYTES, &in) == 0 && (in & 1) != 0;
}

static inline void set(void *memory, size_t bytes, uint64_t pattern)
{
	uint64_t *word = memory;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		word[i] = pattern;
}

static inline bool holds(const void *memory, size_t bytes, uint64_t pattern)
{
	const volatile uint64_t *word = memory;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		if (word[i] != pattern)
			return false;
	return true;
}

static inline bool file_holds(int file, uint64_t pattern)
{
	uint64_t words[PAGE_BYTES / sizeof(uint64_t)];

	return pread(file, words, sizeof(words), 0) == sizeof(words) &&
	       holds(words, sizeof(words), pattern);
}

static inline int text_write(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	int error = file < 0 || write(file, text, strlen(text)) < 0 ? -errno : 0;

	if (file >= 0)
		close(file);
	return error;
}

/* What /proc says of the mapping that begins at @addr, by the line's name. */
static inline uint64_t memory_kib(const void *addr, const char *name)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	size_t length = strlen(name);
	unsigned long kib = 0, start;
	bool here = false;
	char line[512], more;

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%*x %c", &start, &more) == 2)
			here = start == (uintptr_t)addr;
		else if (here && strncmp(line, name, length) == 0 && line[length] == ':')
			(void)sscanf(line + length, ": %lu", &kib);
	}
	if (maps != NULL)
		fclose(maps);
	return kib;
}

/* ---- The device in this process -------------------------------------------------- */

static inline struct device_job job_of(uint64_t operation, const void *from, void *to,
				       size_t bytes, uint64_t pattern)
{
	return (struct device_job){
		.source = (uintptr_t)from,
		.destination = (uintptr_t)to,
		.length = bytes,
		.pattern = pattern,
		.control = operation,
		.pasid = self.bond.pasid,
	};
}

static inline enum model_job_status fill(void *to, size_t bytes, uint64_t pattern)
{
	struct device_job job = job_of(MODEL_JOB_FILL, NULL, to, bytes, pattern);

	return device_run(&self.device, &job);
}

static inline enum model_job_status copy(void *to, const void *from, size_t bytes)
{
	struct device_job job = job_of(MODEL_JOB_COPY, from, to, bytes, 0);

	return device_run(&self.device, &job);
}

static inline enum model_job_status compare(void *one, void *other, size_t bytes)
{
	struct device_job job = job_of(MODEL_JOB_COMPARE, one, other, bytes, 0);

	return device_run(&self.device, &job);
}

/* The device reads the same bytes there. */
static inline bool device_finds(void *one, void *other, size_t bytes)
{
	return compare(one, other, bytes) == MODEL_JOB_STATUS_done &&
	       device_job_read(&self.device, 0, MODEL_JOB_RESULT) == UINT64_MAX;
}

#define JOB_STATUS_NAME(name, text) #name,
static inline const char *job_status_name(uint32_t slot)
{
	static const char *const names[] = { MODEL_JOB_STATUSES(JOB_STATUS_NAME) };
	uint32_t status = device_job_status(&self.device, slot);

	return status < MODEL_JOB_STATUS_COUNT ? names[status] : "nothing";
}

static inline bool job_over(uint32_t slot)
{
	return device_job_status(&self.device, slot) != MODEL_JOB_STATUS_running;
}

#define CHECK_JOB(job, name) CHECK_EQ(job, MODEL_JOB_STATUS_##name)

/* ---- What was answered since the case began -------------------------------------- */

struct answers {
	uint32_t success, invalid, failure;
};

/* @kind BENCH_ANSWER: by the kernel; BENCH_RESPONSE: as the function received it. */
static inline struct answers answers_of(enum bench_kind kind)
{
	struct answers answers = { 0 };
	struct device_record record;
	uint64_t at = self.log;

	while (device_next(&self.device, &at, 1u << kind, &record)) {
		answers.success += record.code == 0;
		answers.invalid += record.code == 1;
		answers.failure += record.code > 1;
	}
	return answers;
}

/* Ends most cases: whatever the process was told, the device owes and waits for nothing,
 * and neither side had to say that page requests failed. */
static inline void check_settled(void)
{
	CHECK_SOON((uint32_t)bench_get(&self.device, BENCH_CREDITS) == 0);
	CHECK_EQ(bench_get(&self.device, BENCH_STATUS) &
			 (BENCH_STATUS_RF | BENCH_STATUS_UPRGI | BENCH_STATUS_OVERFLOW),
		 0);
	CHECK_EQ(answers_of(BENCH_ANSWER).failure, 0);
	CHECK_EQ(answers_of(BENCH_RESPONSE).failure, 0);
	CHECK_EQ(bench_get(&self.device, BENCH_UNEXPECTED), self.unexpected);
	CHECK_EQ(bench_get(&self.device, BENCH_BROKEN), self.broken);
}

/* No page was missing for good: every group was answered with success. */
static inline void check_served(void)
{
	struct answers answers = answers_of(BENCH_ANSWER);

	CHECK(answers.success > 0);
	CHECK_EQ(answers.invalid, 0);
	CHECK_EQ(answers_of(BENCH_RESPONSE).invalid, 0);
	check_settled();
}

/* The kernel refused @count groups at least, and the device was told so. */
static inline void check_refused(uint32_t count)
{
	CHECK(answers_of(BENCH_ANSWER).invalid >= count);
	CHECK(answers_of(BENCH_RESPONSE).invalid >= count);
	check_settled();
}

/* ---- Children ---------------------------------------------------------------------- */

/* What a child leaves is a status: 0 where all was well. It never checks: a check would
 * jump back into its parent's cases. */
static inline pid_t child_start(int (*run)(void))
{
	size_t slot = 0;
	pid_t pid;

	while (slot < CHILD_MAX && self.children[slot] != 0)
		slot++;
	CHECK(slot < CHILD_MAX);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(run());
	}
	self.children[slot] = pid;
	return pid;
}

static inline bool child_over(pid_t pid, int *status)
{
	if (waitpid(pid, status, WNOHANG) != pid)
		return false;
	for (size_t i = 0; i < CHILD_MAX; i++)
		if (self.children[i] == pid)
			self.children[i] = 0;
	return true;
}

/* It sleeps where nothing wakes it but what it waits for, or has ended: it goes no further
 * without somebody. */
static inline bool child_rests(pid_t pid)
{
	char path[32], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'D' || state == 'Z';
}

#define CHECK_CHILD(pid)                               \
	do {                                           \
		int status_ = -1;                      \
		CHECK_SOON(child_over(pid, &status_)); \
		CHECK_EQ(status_, 0);                  \
	} while (0)

static inline void children_end(void)
{
	for (size_t i = 0; i < CHILD_MAX; i++) {
		if (self.children[i] == 0)
			continue;
		kill(self.children[i], SIGKILL);
		waitpid(self.children[i], NULL, 0);
		self.children[i] = 0;
	}
}

/* A child waits for its parent's word. */
static inline bool told(uint32_t step)
{
	return CASE_WAIT(self.words->step >= step, CASE_SOON_MS);
}

/* ---- The bond ------------------------------------------------------------------------ */

static inline uint32_t gate(bool shut)
{
	struct iopf_process_gate state = { .shut = shut };

	return ioctl(self.file, IOPF_PROCESS_GATE, &state) == 0 ? state.waiting :
								  UINT32_MAX;
}

static inline bool process_bind(void)
{
	self.file = open(IOPF_PROCESS_PATH, O_RDWR | O_CLOEXEC);
	return self.file >= 0 && ioctl(self.file, IOPF_PROCESS_BIND, &self.bond) == 0;
}

/* Puts an end to what a case before may have left, and binds the process anew. */
static inline void begin(void)
{
	(void)bench_command(&self.device, BENCH_COMMAND_LET_GO);
	if (self.file >= 0)
		gate(false);
	children_end();
	for (uint32_t slot = 0; slot < 2; slot++)
		device_write(&self.device, device_job_at(slot, MODEL_JOB_CONTROL),
			     MODEL_JOB_ABORT);
	if (self.file >= 0)
		close(self.file);
	CHECK(process_bind());
	memset(self.words, 0, sizeof(*self.words));
	bench_set(&self.device, BENCH_LOG_KINDS, BENCH_KINDS_USUAL);
	CHECK_SOON((uint32_t)bench_get(&self.device, BENCH_CREDITS) == 0);
	self.log = device_log_end(&self.device);
	self.unexpected = bench_get(&self.device, BENCH_UNEXPECTED);
	self.broken = bench_get(&self.device, BENCH_BROKEN);
}

/* ---- The function's driver --------------------------------------------------------- */

/* Another driver of ours may have the function. NULL: whichever takes it first. */
static inline int driver_set(const char *name)
{
	(void)text_write(DEVICES "/driver/unbind", FUNCTION);
	(void)text_write(DEVICES "/driver_override", name != NULL ? name : "\n");
	return text_write("/sys/bus/pci/drivers_probe", FUNCTION);
}

/* Plays the cases with the function, and leaves it to others. Returns: what main() does. */
static inline int process_main(void)
{
	int failed;

	self.words = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (self.words == MAP_FAILED || driver_set(DRIVER) != 0 ||
	    device_open(&self.device, FUNCTION) != 0 || !device_there(&self.device)) {
		printf("case: the function is there: FAILED it is not at " FUNCTION "\n");
		return 1;
	}
	failed = case_main();
	children_end();
	if (self.file >= 0)
		close(self.file);
	device_unmap(&self.device);
	(void)driver_set(NULL);
	return failed;
}

#endif
