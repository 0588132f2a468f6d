/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/pci_machine.c - a function of this machine: its space through libpci, and what the
 * kernel says in sysfs of the IOMMU above it and of who drives it. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/pci.h"

enum {
	ACS_CONTROL = 0x06,
	ACS_REDIRECTS = 1 << 2 | 1 << 4, /* peer-to-peer requests; upstream forwarding */
};

/* ---- sysfs -------------------------------------------------------------------------- */

/* "SYSFS/bus/pci/devices/ID" and what is behind it. */
static void device_path(const struct pci_machine *machine, uint64_t id, const char *more,
			char *path)
{
	char name[PCI_NAME_BYTES];

	snprintf(path, PATH_MAX, "%s/bus/pci/devices/%s%s", machine->sysfs,
		 pci_id_name(id, name), more);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* The last word of what the link leads to; empty: there is no link. */
static void link_name(const char *path, char *name, size_t size_bytes)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	name[0] = '\0';
	if (length <= 0)
		return;
	target[length] = '\0';
	slash = strrchr(target, '/');
	slash = slash != NULL ? slash + 1 : target;
	snprintf(name, size_bytes, "%.*s", (int)size_bytes - 1, slash);
}

/* The first line; empty: there is no such file. */
static void first_line(const char *path, char *line, size_t size_bytes)
{
	FILE *file = fopen(path, "r");

	line[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(line, (int)size_bytes, file) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static bool has_entries(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool any = false;

	if (directory == NULL)
		return false;
	while (!any && (entry = readdir(directory)) != NULL)
		any = entry->d_name[0] != '.';
	closedir(directory);
	return any;
}

/* What the IOMMU's driver says of its features, where it does. */
static uint64_t features_of(const struct pci_machine *machine)
{
	static const char *const files[] = { "intel-iommu/ecap", "amd-iommu/features" };
	char path[PATH_MAX], line[64];

	for (size_t i = 0; i < CLI_COUNT(files); i++) {
		snprintf(path, sizeof(path), "%s/class/iommu/%s/%s", machine->sysfs,
			 machine->iommu, files[i]);
		first_line(path, line, sizeof(line));
		if (line[0] != '\0')
			return strtoull(line, NULL, 16);
	}
	return 0;
}

static int check_there(const struct pci_machine *machine, uint64_t id)
{
	char path[PATH_MAX], name[PCI_NAME_BYTES];

	device_path(machine, id, "", path);
	if (is_there(path))
		return CLI_OK;
	cli_error("%s: no such function under %s/bus/pci/devices; lspci -D lists them",
		  pci_id_name(id, name), machine->sysfs);
	return CLI_MISSING;
}

/* What PASIDs need of the port @id (PCIe 6.x, 6.20; 7.7.11: requests are redirected to the
 * root, and what it may not pass on goes up). */
static void look_at_port(struct pci_machine *machine, uint64_t id)
{
	static struct pci_space space;
	struct pci_map map;
	uint32_t redirects;

	if (pci_machine_space(machine, id, &space) != CLI_OK ||
	    !pci_map_read(&space, NULL, &map) || map.express == 0 ||
	    space.size_bytes < CONFIG_BYTES)
		return;
	if ((pci_get(&space, map.express + EXPRESS_DEVICE_CAP2, 4) & PCI_PREFIXES) == 0)
		machine->no_prefixes = id;
	redirects = map.acs != 0 ? pci_get(&space, map.acs + ACS_CONTROL, 2) : 0;
	if ((redirects & ACS_REDIRECTS) != ACS_REDIRECTS)
		machine->no_redirect = id;
}

/* The ports above stand in the name of its place in the tree. */
static void look_at_ports(struct pci_machine *machine, uint64_t id)
{
	char path[PATH_MAX], place[PATH_MAX], *rest = NULL;
	uint64_t port;

	machine->no_prefixes = machine->no_redirect = PCI_NO_ID;
	device_path(machine, id, "", path);
	if (realpath(path, place) == NULL)
		return;
	for (const char *word = strtok_r(place, "/", &rest); word != NULL;
	     word = strtok_r(NULL, "/", &rest))
		if (pci_id_read(word, &port) && port != id)
			look_at_port(machine, port);
}

int pci_machine_read(struct pci_machine *machine, uint64_t id)
{
	char path[PATH_MAX], physical[PCI_NAME_BYTES];
	int code = check_there(machine, id);

	if (code != CLI_OK)
		return code;
	device_path(machine, id, "/physfn", path);
	link_name(path, physical, sizeof(physical));
	if (!pci_id_read(physical, &machine->physical))
		machine->physical = PCI_NO_ID;
	device_path(machine, id, "/iommu_group", path);
	link_name(path, machine->group, sizeof(machine->group));
	device_path(machine, id, "/iommu", path);
	link_name(path, machine->iommu, sizeof(machine->iommu));
	device_path(machine, id, "/driver", path);
	link_name(path, machine->driver, sizeof(machine->driver));
	device_path(machine, id, "/vfio-dev", path);
	machine->vfio_device = has_entries(path);
	device_path(machine, id, "/iommu_group/type", path);
	first_line(path, machine->group_type, sizeof(machine->group_type));
	snprintf(path, sizeof(path), "%s/kernel/iommu_groups", machine->sysfs);
	machine->groups = has_entries(path);
	snprintf(path, sizeof(path), "%s/iommu", machine->dev);
	machine->iommufd = is_there(path);
	machine->features = features_of(machine);
	look_at_ports(machine, id);
	return CLI_OK;
}

/* ---- The space ---------------------------------------------------------------------- */

#if IOPF_LIBPCI
#include <pci/pci.h>

/* Where libpci goes when it gives up: its function for errors may not return. */
static jmp_buf gave_up;

static void on_error(char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void on_error(char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("iopf: libpci: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	longjmp(gave_up, 1);
}

static void on_message(char *format, ...) __attribute__((format(printf, 1, 2)));
static void on_message(char *format, ...)
{
	(void)format; /* what it means for the reader is said here */
}

/* As much as the kernel gives: who is not root gets the first 64 bytes. */
static void read_most(struct pci_access *access, uint64_t id, struct pci_space *space)
{
	static const int sizes[] = { CONFIG_BYTES, 256, 64 };
	struct pci_dev *device =
		pci_get_dev(access, (int)(id >> 16), (int)(id >> 8 & 0xff),
			    (int)(id >> 3 & 0x1f), (int)(id & 7));

	for (size_t i = 0; i < CLI_COUNT(sizes) && space->size_bytes == 0; i++)
		if (pci_read_block(device, 0, space->bytes, sizes[i]))
			space->size_bytes = (uint32_t)sizes[i];
	pci_free_dev(device);
}

static void read_space(const struct pci_machine *machine, uint64_t id,
		       struct pci_space *space)
{
	static char parameter[] = "sysfs.path";
	struct pci_access *access = pci_alloc();
	char path[PATH_MAX];

	access->method = PCI_ACCESS_SYS_BUS_PCI;
	access->error = on_error;
	access->warning = on_message;
	access->debug = on_message;
	snprintf(path, sizeof(path), "%s/bus/pci", machine->sysfs);
	pci_set_param(access, parameter, path);
	if (setjmp(gave_up) != 0)
		return; /* what it had is the process's to clean up: it ends now */
	pci_init(access);
	read_most(access, id, space);
	pci_cleanup(access);
}

int pci_machine_space(const struct pci_machine *machine, uint64_t id,
		      struct pci_space *space)
{
	char name[PCI_NAME_BYTES];
	int code = check_there(machine, id);

	*space = (struct pci_space){ .id = id };
	if (code != CLI_OK)
		return code;
	read_space(machine, id, space);
	if (space->size_bytes != 0)
		return CLI_OK;
	cli_error("%s: its configuration space cannot be read", pci_id_name(id, name));
	return CLI_MISSING;
}
#else
int pci_machine_space(const struct pci_machine *machine, uint64_t id,
		      struct pci_space *space)
{
	char name[PCI_NAME_BYTES];

	(void)machine;
	(void)space;
	cli_error("%s: built without libpci; lspci -xxxx -s %s | iopf pci - reads a dump",
		  pci_id_name(id, name), name);
	return CLI_MISSING;
}
#endif
