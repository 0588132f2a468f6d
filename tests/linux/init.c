/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * init.c - first process of a guest: mounts, modules, programs, verdict.
 *
 * Everything in /modules is loaded, then everything in /programs run, each in the order of
 * names. What they print goes to the second serial port, where the kernel prints nothing.
 * The verdict leaves through the port of isa-debug-exit: QEMU ends with 2 * value + 1. (Not
 * through /dev/port, which distributions' kernels lack.) Where there are no such ports, our
 * device takes it, and the machine restarts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* QEMU that fails by itself ends with 1: no value of these. */
enum verdict {
	VERDICT_PORT = 0xf4,
	VERDICT_YES = 0x10,
	VERDICT_NO = 0x11,
};

static unsigned failed;

#ifdef __x86_64__
#include <sys/io.h>

#define WORDS_PORT "/dev/ttyS1" /* the first is the kernel's */

static void say_verdict(unsigned char verdict)
{
	if (ioperm(VERDICT_PORT, 1, 1) == 0)
		outb(verdict, VERDICT_PORT);
}
#else
#define DEVICE_SHARED
#include "device.h"

#define WORDS_PORT "/dev/ttyS0" /* the kernel's is one of another kind */

/* No port: the device has a register for it. */
static void say_verdict(unsigned char verdict)
{
	struct device device = { NULL };

	if (device_open_shared(&device) == 0)
		bench_set(&device, BENCH_VERDICT, verdict);
}
#endif

static void mount_all(void)
{
	static const struct {
		const char *type, *where;
	} places[] = {
		{ "proc", "/proc" },	     { "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },	     { "tmpfs", "/tmp" },
		{ "debugfs", "/sys/kernel/debug" },
	};

	for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
		mkdir(places[i].where, 0755);
		mount("none", places[i].where, places[i].type, 0, NULL);
	}
}

/* Lines end as they were written, and the kernel's console stays its own. */
static void open_port(void)
{
	int port = open(WORDS_PORT, O_RDWR | O_NOCTTY);
	struct termios mode;

	if (port < 0)
		return;
	if (tcgetattr(port, &mode) == 0) {
		cfmakeraw(&mode);
		tcsetattr(port, TCSANOW, &mode);
	}
	dup2(port, 0);
	dup2(port, 1);
	dup2(port, 2);
	close(port);
}

/* Calls @use for each file of @where, in the order of names. */
static void for_each_file(const char *where, void (*use)(const char *path))
{
	struct dirent **files;
	int count = scandir(where, &files, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[512];

		snprintf(path, sizeof path, "%s/%s", where, files[i]->d_name);
		if (files[i]->d_type == DT_REG)
			use(path);
		free(files[i]);
	}
}

static void load(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (syscall(SYS_finit_module, file, "", 0) != 0) {
		printf("case: %s: FAILED %s\n", path, strerror(errno));
		failed++;
	}
	close(file);
}

/* A program that fails says so itself; one that is killed cannot. */
static void run(const char *path)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = -1;
	if (status != 0)
		failed++;
	if (!WIFEXITED(status))
		printf("case: %s: FAILED ended by signal %d\n", path, WTERMSIG(status));
	else if (WEXITSTATUS(status) > 1)
		printf("case: %s: FAILED exit code %d\n", path, WEXITSTATUS(status));
}

int main(void)
{
	struct utsname name;

	mount_all();
	open_port();
	setvbuf(stdout, NULL, _IOLBF, 0);
	uname(&name);
	printf("init: %s\n", name.release);
	for_each_file("/modules", load);
	for_each_file("/programs", run);
	printf("init: %u failed\n", failed);
	tcdrain(1);
	say_verdict(failed == 0 ? VERDICT_YES : VERDICT_NO);
	reboot(RB_AUTOBOOT);
	return 1;
}
