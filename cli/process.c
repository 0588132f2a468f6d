/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/process.c - a guest's memory, and the process that owns it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/port.h"
#include "cli/run.h"

/* ---- Memory ------------------------------------------------------------------------ */

/* Whoever has the descriptor cannot change its size any more, nor undo that. */
static int memory_seal(int descriptor, uint64_t size_bytes)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	if (ftruncate(descriptor, (off_t)size_bytes) != 0 ||
	    fcntl(descriptor, F_ADD_SEALS, seals) != 0)
		return -errno;
	return 0;
}

int process_memory(struct run_guest *guest)
{
	uint64_t size_bytes = guest->run->layout.size_bytes;
	void *memory = MAP_FAILED;

	guest->memory_descriptor =
		memfd_create("iopf-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (guest->memory_descriptor >= 0 &&
	    memory_seal(guest->memory_descriptor, size_bytes) == 0)
		memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			      guest->memory_descriptor, 0);
	if (memory == MAP_FAILED) {
		cli_error("%s: no memory of %" PRIu64 " MiB for it: %s", guest->name,
			  size_bytes >> 20, strerror(errno));
		return CLI_MISSING;
	}
	guest->memory = memory;
	guest->segment = (struct iopf_segment){ LAYOUT_BASE, size_bytes, memory };
	return CLI_OK;
}

/* ---- In the child ------------------------------------------------------------------ */

static void keep(int descriptor)
{
	(void)fcntl(descriptor, F_SETFD, 0);
}

/*
 * What @descriptor is open on, opened anew: flags that a guest sets are its own. Two
 * processes that inherit one share them, and the host writes to its standard error.
 */
static void open_anew(int descriptor, int flags)
{
	char path[32];
	int anew;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	anew = open(path, flags | O_CLOEXEC);
	if (anew < 0)
		anew = open("/dev/null", flags | O_CLOEXEC);
	if (anew < 0 || dup2(anew, descriptor) < 0)
		_exit(CLI_MISSING);
}

static void descriptors_prepare(const struct run_guest *guest, int port)
{
	(void)syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
	open_anew(STDERR_FILENO, O_WRONLY | O_APPEND);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	keep(open("/dev/null", O_RDWR));
	keep(dup(STDIN_FILENO));
	open_anew(guest->run->file, O_RDONLY);
	keep(guest->run->file);
	keep(guest->memory_descriptor);
	keep(port);
}

/* Nothing of the host's is left but what a guest is to have; it dies with the host, and
 * only the host is told to stop by a terminal. */
static void child_prepare(const struct run_guest *guest, int port, pid_t host)
{
	sigset_t none;

	sigemptyset(&none);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != host)
		_exit(CLI_MISSING);
	signal(SIGINT, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
	descriptors_prepare(guest, port);
}

static void child_exec(const struct run_guest *guest, int port)
{
	enum { NUMBER_MAX = 24 };
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "--memory", (uint64_t)guest->memory_descriptor },
		{ "--port", (uint64_t)port },
		{ "--file", (uint64_t)guest->run->file },
		{ "--bytes", guest->run->layout.file_bytes },
		{ "--seed", guest->run->options.seed + guest->number },
		{ "--levels", guest->levels },
		{ "--pasids", guest->combination->pasids },
		{ "--stalls", guest->combination->shown == IOPF_STALLS },
	};
	char text[CLI_COUNT(numbers)][NUMBER_MAX];
	const char *words[7 + 2 * CLI_COUNT(numbers)] = {
		"iopf",	    "guest",
		"--character", character_name(guest->character),
		"--family",    guest->combination->guest,
	};
	size_t count = 6;

	for (size_t i = 0; i < CLI_COUNT(numbers); i++) {
		snprintf(text[i], NUMBER_MAX, "%" PRIu64, numbers[i].value);
		words[count++] = numbers[i].name;
		words[count++] = text[i];
	}
	words[count] = NULL;
	/* execv() does not write through them; its type is older than const. */
	execv("/proc/self/exe", (char *const *)(uintptr_t)words);
	_exit(127);
}

/* ---- In the host ------------------------------------------------------------------- */

static void descriptor_close(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

int process_start(struct run_guest *guest)
{
	int port = -1, error = port_create(&guest->port, &port);
	pid_t host = getpid();

	if (error == 0) {
		guest->pid = fork();
		error = guest->pid < 0 ? -errno : 0;
	}
	if (error == 0 && guest->pid == 0) {
		child_prepare(guest, port, host);
		child_exec(guest, port);
	}
	if (port >= 0)
		close(port);
	if (error == 0) {
		guest->life = RUN_LIFE_ALIVE;
		guest->process = (int)syscall(SYS_pidfd_open, guest->pid, 0);
		error = guest->process < 0 ? -errno : 0;
	}
	if (error == 0) {
		/* It is the guest's from here on; the host has it mapped. */
		descriptor_close(&guest->memory_descriptor);
		return CLI_OK;
	}
	cli_error("%s: no process for it: %s", guest->name, strerror(-error));
	return CLI_MISSING;
}

void process_kill(struct run_guest *guest)
{
	if (guest->life != RUN_LIFE_ALIVE)
		return;
	kill(guest->pid, SIGKILL);
	guest->life = RUN_LIFE_DYING;
}

void process_reap(struct run_guest *guest)
{
	if (guest->life == RUN_LIFE_NONE || guest->life == RUN_LIFE_DEAD)
		return;
	while (waitpid(guest->pid, &guest->exit_status, 0) < 0 && errno == EINTR)
		;
	guest->life = RUN_LIFE_DEAD;
}

void process_close(struct run_guest *guest)
{
	process_kill(guest);
	process_reap(guest);
	descriptor_close(&guest->port);
	descriptor_close(&guest->process);
	descriptor_close(&guest->memory_descriptor);
	if (guest->memory != NULL)
		munmap(guest->memory, guest->run->layout.size_bytes);
	guest->memory = NULL;
}
