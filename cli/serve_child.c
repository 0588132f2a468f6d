/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve_child.c - the program that is served: its memory, its sockets, its process. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/serve.h"

/* ---- Memory and sockets ------------------------------------------------------------ */

/* Whoever has the descriptor cannot change its size any more, nor undo that. */
static int memory_seal(int descriptor, uint64_t size_bytes)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	if (ftruncate(descriptor, (off_t)size_bytes) != 0 ||
	    fcntl(descriptor, F_ADD_SEALS, seals) != 0)
		return -errno;
	return 0;
}

static int memory_create(struct serve *serve)
{
	uint64_t size_bytes = serve->options.memory_mib << 20;
	void *memory;
	int error;

	serve->memory_descriptor =
		memfd_create("iopf-serve", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (serve->memory_descriptor < 0)
		return -errno;
	error = memory_seal(serve->memory_descriptor, size_bytes);
	if (error != 0)
		return error;
	memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      serve->memory_descriptor, 0);
	if (memory == MAP_FAILED)
		return -errno;
	serve->segment =
		(struct iopf_segment){ serve->machine->memory_base, size_bytes, memory };
	serve->memory = (struct iopf_memory){ &serve->segment, 1 };
	return 0;
}

/* Returns: our end, with @other for the program; or a negative errno. */
static int ends_create(int *other)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	*other = ends[1];
	return ends[0];
}

/* A machine without a window has nothing that could be proxied. */
static int sockets_create(struct serve *serve)
{
	bool window = serve->machine->register_read != NULL;
	int proxy = window ? ends_create(&serve->proxy_other) : -1;
	int qtest = ends_create(&serve->qtest_other);

	if (proxy >= 0)
		proxy_create(&serve->proxy, proxy, SERVE_WINDOW_BYTES, &serve_window_ops,
			     serve);
	if (qtest >= 0)
		qtest_create(&serve->qtest, qtest);
	if (window && proxy < 0)
		return proxy;
	return qtest < 0 ? qtest : 0;
}

int serve_child_prepare(struct serve *serve)
{
	int error = memory_create(serve);

	if (error != 0) {
		cli_error("no memory of %" PRIu64 " MiB for the program: %s",
			  serve->options.memory_mib, strerror(-error));
		return CLI_MISSING;
	}
	error = sockets_create(serve);
	if (error != 0) {
		cli_error("no sockets for the program: %s", strerror(-error));
		return CLI_MISSING;
	}
	return CLI_OK;
}

/* ---- Its command line -------------------------------------------------------------- */

/* @word with every @name@ in it replaced, of those that there are. NULL: no memory. */
static char *word_make(const struct serve *serve, const char *word)
{
	const struct {
		const char *name, *before;
		int descriptor;
	} names[] = {
		{ "@memory@", "/proc/self/fd/", serve->memory_descriptor },
		{ "@proxy@", "", serve->proxy_other },
		{ "@qtest@", "", serve->qtest_other },
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	while (*word != '\0') {
		size_t i = 0;

		while (i < CLI_COUNT(names) &&
		       (names[i].descriptor < 0 ||
			strncmp(word, names[i].name, strlen(names[i].name)) != 0))
			i++;
		if (i == CLI_COUNT(names)) {
			fputc(*word++, out);
			continue;
		}
		fprintf(out, "%s%d", names[i].before, names[i].descriptor);
		word += strlen(names[i].name);
	}
	return fclose(out) == 0 ? text : NULL;
}

/* ---- In the child ------------------------------------------------------------------ */

static void keep(int descriptor)
{
	if (descriptor >= 0)
		(void)fcntl(descriptor, F_SETFD, 0);
}

/* It dies with us. Its end of @failed closes when the program runs; before that, it
 * tells what went wrong. */
static void child_run(struct serve *serve, pid_t parent, int failed)
{
	char *words[SERVE_WORD_MAX + 1] = { NULL };
	sigset_t none;
	int error = 0;

	assert(serve->options.word_count > 0); /* there is a program */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CLI_MISSING);
	keep(serve->memory_descriptor);
	keep(serve->proxy_other);
	keep(serve->qtest_other);
	for (size_t i = 0; i < serve->options.word_count && error == 0; i++) {
		words[i] = word_make(serve, serve->options.words[i]);
		error = words[i] == NULL ? ENOMEM : 0;
	}
	if (error == 0) {
		execvp(words[0], words);
		error = errno;
	}
	(void)!write(failed, &error, sizeof(error));
	_exit(CLI_MISSING);
}

/* ---- In the parent ----------------------------------------------------------------- */

static void descriptor_close(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

/* Returns: 0: the program runs; or why it does not. */
static int child_started(int failed)
{
	int error = 0;
	ssize_t got;

	do
		got = read(failed, &error, sizeof(error));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(error) ? -error : 0;
}

static int child_fork(struct serve *serve)
{
	pid_t parent = getpid();
	int failed[2], error;

	if (pipe2(failed, O_CLOEXEC) != 0)
		return -errno;
	serve->pid = fork();
	if (serve->pid == 0)
		child_run(serve, parent, failed[1]);
	error = serve->pid < 0 ? -errno : 0;
	close(failed[1]);
	if (serve->pid > 0) {
		serve->process = (int)syscall(SYS_pidfd_open, serve->pid, 0);
		error = serve->process < 0 ? -errno : child_started(failed[0]);
	} else {
		serve->pid = 0;
	}
	close(failed[0]);
	return error;
}

int serve_child_start(struct serve *serve)
{
	int error = child_fork(serve);

	descriptor_close(&serve->proxy_other);
	descriptor_close(&serve->qtest_other);
	descriptor_close(&serve->memory_descriptor);
	if (error == 0)
		return CLI_OK;
	cli_error("%s: %s", serve->options.words[0], strerror(-error));
	return CLI_MISSING;
}

void serve_child_stop(struct serve *serve)
{
	if (serve->pid > 0)
		kill(serve->pid, SIGTERM);
	serve->stopped = true;
}

void serve_child_kill(struct serve *serve)
{
	if (serve->pid > 0)
		kill(serve->pid, SIGKILL);
	serve->killed = true;
}

void serve_child_reap(struct serve *serve)
{
	if (serve->pid == 0)
		return;
	while (waitpid(serve->pid, &serve->exit_status, 0) < 0 && errno == EINTR)
		;
	serve->pid = 0;
	serve->ended = true;
}

void serve_child_close(struct serve *serve)
{
	if (serve->pid > 0) {
		serve_child_kill(serve);
		serve_child_reap(serve);
	}
	proxy_destroy(&serve->proxy);
	qtest_destroy(&serve->qtest);
	descriptor_close(&serve->process);
	descriptor_close(&serve->proxy_other);
	descriptor_close(&serve->qtest_other);
	descriptor_close(&serve->memory_descriptor);
	if (serve->segment.memory != NULL)
		munmap(serve->segment.memory, serve->segment.size_bytes);
	serve->segment.memory = NULL;
}
