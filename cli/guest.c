/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/guest.c - `iopf guest`: the process of one guest. */
#include "cli/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "queue/hardware.h"

/* ---- Command line ------------------------------------------------------------------ */

struct guest_options {
	const char *character, *family;
	uint64_t memory, port, file, bytes, seed, levels, stalls, pasids;
};

#define MEMBER(name)     offsetof(struct guest_options, name)
#define DESCRIPTOR(name) MEMBER(name), 0, 1 << 20, OPTION_NUMBER

static const struct option options[] = {
	{ "character", "NAME", "how it behaves; iopf run --help lists them",
	  MEMBER(character), 0, 0, OPTION_TEXT },
	{ "family", "NAME", "of its IOMMU", MEMBER(family), 0, 0, OPTION_TEXT },
	{ "memory", "FD", "its memory, made and sealed by the host", DESCRIPTOR(memory) },
	{ "port", "FD", "its end of the doorbell", DESCRIPTOR(port) },
	{ "file", "FD", "the file that its device moves", DESCRIPTOR(file) },
	{ "bytes", "N", "how long the file is", MEMBER(bytes), 1, LAYOUT_FILE_MAX,
	  OPTION_NUMBER },
	{ "seed", "N", "the beginning of its chance", MEMBER(seed), 0, UINT64_MAX,
	  OPTION_NUMBER },
	{ "stalls", "0|1", "how its device pages, as it is shown", MEMBER(stalls), 0, 1,
	  OPTION_NUMBER },
	{ "pasids", "0|1", "whether its device can have them; default 1", MEMBER(pasids), 0,
	  1, OPTION_NUMBER },
	{ "levels", "N", "of its page tables", MEMBER(levels), 3, 5, OPTION_NUMBER },
};

static const struct option_table table = {
	.usage = "guest --character NAME --memory FD --port FD --file FD --bytes N",
	.about = "One guest: a process that owns its memory and the page tables in it, and\n"
		 "pages for its device. 'iopf run' starts it and hands it the descriptors;\n"
		 "by itself it is of no use.",
	.options = options,
	.count = CLI_COUNT(options),
};

/* ---- What the host handed over ----------------------------------------------------- */

static bool is_port(int descriptor)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET;
}

/* Sealed, so that it cannot shrink under whoever maps it, and as large as agreed. */
static bool is_memory(int descriptor, const struct layout *layout)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct stat status;
	int set = fcntl(descriptor, F_GET_SEALS);

	return set >= 0 && (set & seals) == seals && fstat(descriptor, &status) == 0 &&
	       (uint64_t)status.st_size == layout->size_bytes;
}

/* There is a virtual IOMMU of that name. */
static bool family_there(const char *name)
{
	const struct hardware_family *family =
		name != NULL ? hardware_family_find(name) : NULL;

	return family != NULL && family->guest_mechanisms != 0;
}

static bool descriptors_fit(const struct guest_options *given, const struct layout *layout)
{
	const char *missing = NULL;

	if (given->character == NULL ||
	    character_find(given->character) == CHARACTER_COUNT)
		missing = "--character NAME";
	else if (!family_there(given->family))
		missing = "--family NAME, one that there is";
	else if (given->bytes == 0)
		missing = "--bytes N, the length of the file";
	else if (!is_port((int)given->port))
		missing = "--port FD, a sequenced-packet socket to the host";
	else if (!is_memory((int)given->memory, layout))
		missing = "--memory FD, a sealed memory file of the size for these bytes";
	if (missing == NULL)
		return true;
	cli_error("guest: lacks %s; it is a guest's process, started by 'iopf run'",
		  missing);
	return false;
}

static bool file_read(const struct guest *guest, int descriptor)
{
	unsigned char *to = guest->memory + (guest->layout.source - LAYOUT_BASE);
	uint64_t done = 0;

	while (done < guest->layout.file_bytes) {
		ssize_t got = pread(descriptor, to + done, guest->layout.file_bytes - done,
				    (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			cli_error("guest: --file: %" PRIu64 " bytes of %" PRIu64
				  " were there",
				  done, guest->layout.file_bytes);
			return false;
		}
		done += (uint64_t)got;
	}
	return true;
}

/* ---- The agent --------------------------------------------------------------------- */

static int register_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	struct guest *guest = context;

	*value = port_read(&guest->port, PORT_read, offset, width);
	return guest->port.gone ? -EIO : 0;
}

static int register_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	struct guest *guest = context;

	port_write(&guest->port, PORT_write, offset, width, value);
	return guest->port.gone ? -EIO : 0;
}

static const struct iopf_register_ops registers = { .read = register_read,
						    .write = register_write };

static struct iopf_agent_options agent_options(struct guest *guest)
{
	static const uint32_t rids[] = { LAYOUT_RID };

	return (struct iopf_agent_options){
		.size_bytes = sizeof(struct iopf_agent_options),
		.family = guest->family,
		.mechanisms = &guest->mechanism,
		.rid_count = CLI_COUNT(rids),
		.rids = rids,
		.memory = guest->space,
		.base = LAYOUT_BASE,
		.region_bytes = guest->layout.region_bytes,
		.levels = guest->levels,
		.pasid_max = LAYOUT_SPACE_MAX,
		.pasid_bits = 16,
		.command_order = 2,
		.request_order = 1,
		.interrupt_addr = PORT_INTERRUPT_ADDR,
		.interrupt_data = PORT_VECTOR_REQUESTS,
		.registers = &registers,
		.register_context = guest,
		.ops = &guest->ops,
		.context = guest,
	};
}

int guest_build(struct guest *guest)
{
	const struct iopf_agent_options wanted = agent_options(guest);

	if (guest->agent_memory == NULL) {
		guest->agent_bytes = (iopf_agent_size_bytes(&wanted) + 63) & ~(size_t)63;
		guest->agent_memory = aligned_alloc(64, guest->agent_bytes);
	}
	if (guest->agent_memory == NULL)
		return -ENOMEM;
	return iopf_agent_create(&wanted, guest->agent_memory, guest->agent_bytes,
				 &guest->agent);
}

/*
 * Registers are messages: what one of them set going may be done at the next look. A host
 * that is gone hangs up; the limit is for one that says nothing, and long beside what 64
 * guests take to start on a machine that is busy with other things.
 */
static int until_done(struct guest *guest, int (*step)(struct iopf_agent *agent))
{
	const uint64_t pause_ns = 50000, patience_ns = 20000000000;
	uint64_t end_ns = guest->give_up_ns;
	int error;

	if (end_ns == 0)
		end_ns = cli_now_ns() + patience_ns;
	while ((error = step(guest->agent)) == -EAGAIN) {
		if (cli_now_ns() > end_ns)
			return -ETIMEDOUT;
		port_wait(&guest->port, pause_ns);
	}
	return error;
}

int guest_start(struct guest *guest)
{
	return until_done(guest, iopf_agent_start);
}

void guest_stop(struct guest *guest)
{
	(void)until_done(guest, iopf_agent_stop);
}

/* ---- The process ------------------------------------------------------------------- */

static const struct guest_behaviour *const behaviours[] = {
	[CHARACTER_honest] = &guest_honest, [CHARACTER_slow] = &guest_slow,
	[CHARACTER_silent] = &guest_silent, [CHARACTER_liar] = &guest_liar,
	[CHARACTER_hostile] = &guest_hostile, [CHARACTER_killed] = &guest_killed,
	[CHARACTER_noisy] = &guest_noisy,
};

static bool memory_map(struct guest *guest)
{
	void *memory = mmap(NULL, guest->layout.size_bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED, guest->memory_descriptor, 0);

	if (memory == MAP_FAILED) {
		cli_error("guest: --memory: %s", strerror(errno));
		return false;
	}
	guest->memory = memory;
	guest->segment = (struct iopf_segment){ LAYOUT_BASE, guest->layout.size_bytes,
						memory };
	guest->space = (struct iopf_memory){ &guest->segment, 1 };
	return true;
}

static int guest_run(struct guest *guest)
{
	const struct port_message bye = { .kind = PORT_bye };
	int error = guest_build(guest);

	if (error == 0)
		error = guest_start(guest);
	if (error == 0)
		guest->behaviour->work(guest);
	else if (!guest->port.stop)
		cli_error("guest: its virtual IOMMU does not start: %s", strerror(-error));
	guest_stop(guest);
	port_send(&guest->port, &bye);
	return error == 0 ? CLI_OK : CLI_NO;
}

int cli_guest(int argc, char **argv)
{
	struct guest_options given = { .family = hardware_families[0]->wire->name,
				       .levels = 4,
				       .pasids = 1 };
	struct guest *guest;
	int code = options_read(&table, &given, argc, argv);
	struct layout layout = layout_of(given.bytes);

	if (code != OPTION_GO_ON)
		return code;
	if (!descriptors_fit(&given, &layout))
		return CLI_USAGE;
	guest = calloc(1, sizeof(*guest));
	if (guest == NULL)
		return CLI_MISSING;
	guest->port.descriptor = (int)given.port;
	guest->memory_descriptor = (int)given.memory;
	guest->layout = layout;
	guest->levels = (uint32_t)given.levels;
	guest->family = given.family;
	guest->mechanism = given.stalls ? IOPF_STALLS : IOPF_PRI;
	guest->pasids = given.pasids;
	guest->chance = given.seed;
	guest->behaviour = behaviours[character_find(given.character)];
	guest->ops.fault = guest->behaviour->fault;
	code = CLI_USAGE;
	if (memory_map(guest) && file_read(guest, (int)given.file)) {
		guest->file_crc = crc32c(
			0, guest->memory + (layout.source - LAYOUT_BASE), layout.file_bytes);
		code = guest_run(guest);
	}
	free(guest->agent_memory);
	free(guest);
	return code;
}
