/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vmm.c - a VMM on Linux's own interfaces: a function behind vfio-pci pages for a guest that
 * owns the first-level tables. Usage: vmm [-v] 0001:00:01.0 [ROUNDS]
 *
 * The way of a fault: the kernel's fault queue, the ledger, the guest's virtual VT-d; its
 * answer, the ledger, the kernel. The loop needs one descriptor and one deadline.
 */
#include <errno.h>
#include <iopf/kernel.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "vmm_guest.h"
#include "vmm_kernel.h"

struct vmm {
	struct vmm_iommu iommu;
	struct vmm_device device;
	void *memory;       /* the guest's */
	volatile void *bar; /* of its function */
	struct iopf_kernel *kernel;
	int socket; /* register accesses and interrupts */
	pid_t guest;
};

/* ---- What the guest's structures and commands make the kernel do ------------------ */

static int attach(void *context, uint32_t device, uint32_t pasid,
		  const struct iopf_address_space *space, uint32_t *table)
{
	const struct vmm *vmm = context;
	int error = vmm_table_create(&vmm->device, space, table);

	(void)device; /* there is one */
	if (error != 0)
		return error;
	error = vmm_device_attach(&vmm->device, pasid, *table);
	if (error != 0)
		vmm_table_destroy(&vmm->device, *table);
	return error;
}

static void detach(void *context, uint32_t device, uint32_t pasid, uint32_t table)
{
	const struct vmm *vmm = context;

	(void)device;
	(void)vmm_device_detach(&vmm->device, pasid);
	(void)vmm_table_destroy(&vmm->device, table);
}

static int invalidate(void *context, uint32_t table, uint64_t addr, uint64_t size_bytes)
{
	const struct vmm *vmm = context;

	return vmm_table_invalidate(&vmm->device, table, addr, size_bytes);
}

static int reset(void *context, uint32_t device)
{
	(void)device;
	return vmm_device_reset(&((const struct vmm *)context)->device);
}

static void interrupt(void *context, uint64_t addr, uint32_t data)
{
	const struct vmm_message message = { .kind = VMM_INTERRUPT, .offset = data, .value = addr };

	(void)send(((const struct vmm *)context)->socket, &message, sizeof(message),
		   MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Each response as it leaves, for who wants to see them. */
static void note(void *context, const struct iopf_note *note)
{
	(void)context;
	if (note->kind == IOPF_NOTE_RESPONSE)
		printf("response pasid %x pages %u %s\n", note->pasid,
		       note->response->request_count,
		       iopf_code_name((enum iopf_code)note->code));
}

static int kernel_create(struct vmm *vmm, bool verbose)
{
	static const struct iopf_kernel_ops ops = { .attach = attach, .detach = detach,
						    .invalidate = invalidate,
						    .reset = reset, .interrupt = interrupt };
	static struct iopf_segment segment;
	const struct iopf_kernel_function function = { .device = vmm->device.id,
						       .guest_rid = VMM_GUEST_RID,
						       .allocation = 512,
						       .pasid_in_response = true };
	const struct iopf_kernel_options options = {
		.size_bytes = sizeof(options), .instance = 1,
		.function_count = 1, .functions = &function, .group_pages = 512,
		.memory = { &segment, 1 }, .pasid_max = 16, .levels = 4,
		.policy = IOPF_POLICY_DEFAULT,
		.io = &iopf_iommufd_system, .io_context = &vmm->iommu.queue,
		.ops = &ops, .note = verbose ? note : NULL, .context = vmm,
	};
	size_t size_bytes = (iopf_kernel_size_bytes(&options) + 63) / 64 * 64;
	void *memory = aligned_alloc(64, size_bytes);

	segment = (struct iopf_segment){ VMM_GUEST_BASE, VMM_GUEST_BYTES, vmm->memory };
	return memory == NULL ? -ENOMEM :
				iopf_kernel_create(&options, memory, size_bytes, &vmm->kernel);
}

/* ---- The loop --------------------------------------------------------------------- */

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Register accesses, some of those that are there. False: the guest is gone. */
static bool guest_serve(struct vmm *vmm)
{
	struct vmm_message m;

	for (unsigned i = 0; i < 64; i++) {
		ssize_t got = recv(vmm->socket, &m, sizeof(m), MSG_DONTWAIT);

		if (got != sizeof(m))
			return got < 0 && errno == EAGAIN;
		if (m.kind == VMM_RESET)
			iopf_kernel_reset_function(vmm->kernel, vmm->device.id, clock_ns());
		if (m.kind == VMM_WRITE)
			iopf_kernel_write(vmm->kernel, m.offset, m.width_bytes, m.value);
		if (m.kind != VMM_READ)
			continue;
		m.value = iopf_kernel_read(vmm->kernel, m.offset, m.width_bytes);
		m.kind = VMM_REPLY;
		(void)send(vmm->socket, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	return true;
}

static int loop(struct vmm *vmm)
{
	int status = 0, done = 0;

	while (done >= 0) {
		struct pollfd ready[] = { { .fd = vmm->iommu.queue, .events = POLLIN },
					  { .fd = vmm->socket, .events = POLLIN } };
		uint64_t now_ns = clock_ns(), next_ns = iopf_kernel_next_ns(vmm->kernel);
		uint64_t wait_ms = next_ns <= now_ns ? 0 : (next_ns - now_ns) / 1000000 + 1;

		poll(ready, 2, wait_ms < 1000 ? (int)wait_ms : 1000);
		if (!guest_serve(vmm))
			break;
		done = iopf_kernel_run(vmm->kernel, 256, clock_ns());
	}
	while (iopf_kernel_guest_gone(vmm->kernel, clock_ns()) == -EAGAIN)
		;
	kill(vmm->guest, SIGKILL); /* it may be the descriptor that is broken */
	waitpid(vmm->guest, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	char **words = argv + (verbose ? 2 : 1);
	unsigned rounds = words[0] != NULL && words[1] != NULL ? (unsigned)atoi(words[1]) : 3;
	struct vmm vmm = { 0 };
	int error;

	if (words[0] == NULL)
		return fprintf(stderr, "usage: vmm [-v] 0001:00:01.0 [ROUNDS]\n"), 2;
	vmm.memory = mmap(NULL, VMM_GUEST_BYTES, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	error = vmm.memory == MAP_FAILED ? -errno :
		vmm_iommu_open(&vmm.iommu, VMM_GUEST_BASE, vmm.memory, VMM_GUEST_BYTES);
	if (error == 0)
		error = vmm_device_open(&vmm.device, &vmm.iommu, words[0]);
	if (error == 0)
		error = vmm_device_block(&vmm.device); /* until the guest attaches something */
	if (error == 0)
		error = kernel_create(&vmm, verbose);
	vmm.bar = error == 0 ? vmm_device_bar(&vmm.device) : NULL;
	vmm.guest = vmm.bar == NULL ? -1 :
		vmm_guest_start(vmm.memory, vmm.bar, rounds, &vmm.socket);
	if (vmm.guest < 0)
		return fprintf(stderr, "vmm: %s: %s\n", words[0],
			       strerror(error != 0 ? -error : errno)), 3;
	return loop(&vmm);
}
