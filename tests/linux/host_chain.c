/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: the whole chain: examples/vmm.c, its guest's process with the first-level
 * tables, the kernel between, and the engine copying through faults below.
 */
#include "host.h"

#include <dirent.h>

enum { RESPONSES = 4096 };

/* A VMM that was started, and what it says. */
struct chain {
	pid_t vmm;
	char file[32];   /* its standard output */
	uint64_t log[HOST_FUNCTIONS];
	uint64_t responses; /* of the first function, when it was started */
};

/* Where the functions' logs end; requests are kept in them, too. */
static void logs_begin(struct chain *chain)
{
	host_open(HOST_FUNCTIONS);
	for (uint32_t i = 0; i < HOST_FUNCTIONS; i++) {
		bench_set(&functions[i].device, BENCH_LOG_KINDS,
			  BENCH_KINDS_USUAL | 1 << BENCH_REQUEST);
		chain->log[i] = device_log_end(&functions[i].device);
	}
	chain->responses = bench_get(&f->device, BENCH_RESPONSES);
	host_close();
}

static pid_t vmms[2]; /* that were started and not waited for */

/* A case that does not hold may leave one behind. */
static void vmms_end(void)
{
	for (unsigned i = 0; i < 2; i++) {
		if (vmms[i] > 0 && kill(vmms[i], SIGKILL) == 0)
			waitpid(vmms[i], NULL, 0);
		vmms[i] = 0;
	}
}

static pid_t vmm_start(const char *file, const char *name, const char *rounds)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)!freopen(file, "w", stdout);
		execl("/bin/vmm", "vmm", "-v", name, rounds, (char *)NULL);
		_exit(127);
	}
	CHECK(pid > 0);
	vmms[vmms[0] > 0] = pid;
	return pid;
}

static void chain_start(struct chain *chain, const char *rounds)
{
	*chain = (struct chain){ .file = "/tmp/vmm" };
	vmms_end();
	logs_begin(chain);
	chain->vmm = vmm_start(chain->file, f->name, rounds);
}

static bool is_over(pid_t pid, int *status)
{
	bool over = waitpid(pid, status, WNOHANG) == pid;

	for (unsigned i = 0; i < 2; i++)
		vmms[i] = over && vmms[i] == pid ? 0 : vmms[i];
	return over;
}

static int chain_wait(pid_t pid)
{
	int status = -1;

	if (!CASE_WAIT(is_over(pid, &status), 30000))
		case_fail(__FILE__, __LINE__, "the VMM does not come to its end");
	return status;
}

/* The child of @parent, or 0. */
static pid_t child_of(pid_t parent)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char path[300];
		int of = 0;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") :
									    NULL;
		if (file == NULL)
			continue;
		if (fscanf(file, "%*d %*s %*c %d", &of) == 1 && of == parent)
			found = atoi(entry->d_name);
		fclose(file);
	}
	if (directory != NULL)
		closedir(directory);
	return found;
}

/* What the VMM's ledger says that it responded. Returns: how many. */
static uint32_t responses_of(const char *path, struct said *list)
{
	FILE *file = fopen(path, "r");
	char word[16];
	uint32_t count = 0;
	unsigned pasid;

	CHECK(file != NULL);
	while (fscanf(file, "response pasid %x pages %*u %15s\n", &pasid, word) == 2) {
		CHECK(count < RESPONSES);
		list[count++] = (struct said){ .pasid = pasid,
					       .code = strcmp(word, "success") == 0 ?
							       IOPF_SUCCESS :
							       IOPF_INVALID };
	}
	CHECK(feof(file));
	fclose(file);
	return count;
}

/* In the order in which they left; in between, what the kernel answered that the VMM had
 * not read. Indices are the function's own affair: it tells what it did not wait for. */
static void compare(struct function *function, uint64_t at, const char *path)
{
	static struct said list[RESPONSES];
	uint32_t count = responses_of(path, list), i = 0, by_kernel = 0;
	struct device_record record;

	while (device_next(&function->device, &at, 1 << BENCH_RESPONSE, &record)) {
		bool same = i < count && record.pasid == list[i].pasid &&
			    record.code == (list[i].code == IOPF_SUCCESS ? 0 : 1);

		CHECK_EQ(record.verdict, 0);
		CHECK(same || record.code == 1);
		i += same;
		by_kernel += !same;
	}
	CHECK_EQ(i, count);
	CHECK(count > 0);
	HOST("%u responses left the ledger and came to the function, in this order; %u groups "
	     "were answered by the kernel, unread",
	     count, by_kernel);
}

/*
 * What became of the groups that were asked for. What finds its PASID attached to nothing
 * the kernel answers page by page (`a_group_that_nobody_takes_is_answered_page_by_page`):
 * a function may get as many invalids as it had asked for pages, and no success.
 */
struct ends {
	uint32_t asked, pages, answered;
	uint32_t unexpected; /* responses to nothing that the function waited for: */
	uint32_t late;       /* of them, after it had been reset, */
	uint32_t success;    /* and before that, other than invalid */
};

static struct ends ends_of(struct function *function, uint64_t at)
{
	const uint32_t kinds = 1 << BENCH_REQUEST | 1 << BENCH_RESPONSE | 1 << BENCH_RESET;
	struct device_record record;
	struct ends ends = { 0 };
	bool asked = false; /* since the last reset */

	while (device_next(&function->device, &at, kinds, &record)) {
		bool last = record.kind == BENCH_REQUEST && record.what & BENCH_LAST;
		bool unexpected = record.kind == BENCH_RESPONSE && record.verdict != 0;

		asked = (asked || last) && record.kind != BENCH_RESET;
		ends.asked += last;
		ends.pages += record.kind == BENCH_REQUEST;
		ends.success += unexpected && asked && record.code != 1;
		ends.answered += record.kind == BENCH_RESPONSE;
		ends.unexpected += unexpected;
		ends.late += unexpected && !asked;
	}
	return ends;
}

static void check_ends(const struct ends *ends)
{
	CHECK_EQ(ends->success, 0);
	CHECK(ends->answered <= ends->pages);
	CHECK(ends->unexpected - ends->late <= ends->pages - ends->asked);
}

/* Until the engine has been served a few times; its registers are there while it works. */
static void until_busy(const struct chain *chain)
{
	struct device device = { NULL };

	CHECK_SOON(child_of(chain->vmm) != 0);
	CHECK_EQ(device_map(&device, device_attribute(f->name, "resource0"), 0), 0);
	CHECK_SOON(bench_get(&device, BENCH_RESPONSES) - chain->responses > 20);
	device_unmap(&device);
}

CASE(a_guest_copies_through_faults)
{
	struct chain chain;
	int status;

	chain_start(&chain, "6");
	status = chain_wait(chain.vmm);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	host_open(1);
	compare(f, chain.log[0], chain.file);
	host_close();
}

CASE(two_vmms_have_a_function_each)
{
	struct chain chain;
	pid_t other;

	chain_start(&chain, "3");
	other = vmm_start("/tmp/other", functions[1].name, "3");
	CHECK_EQ(chain_wait(chain.vmm), 0);
	CHECK_EQ(chain_wait(other), 0);
	host_open(HOST_FUNCTIONS);
	compare(f, chain.log[0], chain.file);
	compare(&functions[1], chain.log[1], "/tmp/other");
	host_close();
}

/* And the function works for the next one. */
static void works_again(void)
{
	struct chain chain;

	chain_start(&chain, "1");
	CHECK_EQ(chain_wait(chain.vmm), 0);
	host_open(1);
	compare(f, chain.log[0], chain.file);
	host_close();
}

CASE(a_vmm_that_is_killed_owes_nothing)
{
	struct chain chain;
	struct ends ends;
	uint64_t at;

	chain_start(&chain, "0");
	at = chain.log[0];
	until_busy(&chain);
	kill(chain.vmm, SIGKILL);
	CHECK(WIFSIGNALED(chain_wait(chain.vmm)));
	host_open(1);
	ends = ends_of(f, at);
	NOTE("resets the function, then answers what it had open: of %u responses to %u groups "
	     "%u came after the reset", ends.answered, ends.asked, ends.late);
	check_ends(&ends);
	CHECK_EQ(bench_get(&f->device, BENCH_CREDITS) & UINT32_MAX, 0);
	host_close();
	works_again();
}

CASE(a_guest_that_is_killed_leaves_a_vmm_that_ends_everything)
{
	struct chain chain;
	struct ends ends;
	uint64_t at;
	pid_t guest;
	int status;

	chain_start(&chain, "0");
	at = chain.log[0];
	until_busy(&chain);
	guest = child_of(chain.vmm);
	CHECK(guest > 0);
	kill(guest, SIGKILL);
	status = chain_wait(chain.vmm);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 1);
	host_open(1);
	ends = ends_of(f, at);
	HOST("%u groups, %u responses, none of them after the reset: detached before", ends.asked,
	     ends.answered);
	check_ends(&ends);
	CHECK_EQ(ends.late, 0);
	host_close();
	works_again();
}

int main(void)
{
	return case_main();
}
