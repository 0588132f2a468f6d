/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what else Linux needs of the hardware below it: interrupts of a function,
 * faults that nobody recovers from, dirty bits, large pages, and functions that leave. */
#include "host.h"

#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#define ADDR UINT64_C(0x5000000)
#define PAGE UINT64_C(4096)

static uint64_t first_page(void)
{
	return HOST_TABLE_PAGES * PAGE;
}

static struct device_job fill_of(uint64_t addr, uint64_t length, uint32_t pasid)
{
	return (struct device_job){ .destination = addr, .length = length, .pattern = 7,
				    .control = MODEL_JOB_FILL, .pasid = pasid };
}

/* ---- Interrupts ---------------------------------------------------------------------- */

/* The function's MSI as a descriptor. */
static int interrupt_open(struct function *function)
{
	struct {
		struct vfio_irq_set set;
		int event;
	} request = {
		.set = { .argsz = sizeof(request),
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			 .index = VFIO_PCI_MSI_IRQ_INDEX,
			 .count = 1 },
		.event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
	};

	CHECK(request.event >= 0);
	CHECK_EQ(ioctl(function->vfio.descriptor, VFIO_DEVICE_SET_IRQS, &request), 0);
	return request.event;
}

static bool has_rung(int event)
{
	uint64_t count;

	return read(event, &count, sizeof(count)) == sizeof(count);
}

CASE(a_function_interrupts)
{
	struct device_job job = fill_of(ADDR, PAGE, 5);
	int event;

	host_open(1);
	host_attach(f, 5);
	host_map(f, 5, ADDR, first_page());
	event = interrupt_open(f);
	CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_done);
	CHECK(!has_rung(event));
	job.control |= MODEL_JOB_INTERRUPT;
	CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_done);
	CHECK_SOON(has_rung(event));
	CHECK(!has_rung(event));
	close(event);
	host_end();
}

/* ---- Faults -------------------------------------------------------------------------- */

/* The kernel's log, from its end on. */
static int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	CHECK(log >= 0 && lseek(log, 0, SEEK_END) >= 0);
	return log;
}

/* The first line from here on that has @word. */
static bool log_find(int log, const char *word, char *line, size_t size_bytes)
{
	ssize_t length;

	while ((length = read(log, line, size_bytes - 1)) > 0) {
		line[length] = 0;
		line[strcspn(line, "\n")] = 0;
		if (strstr(line, word) != NULL)
			return true;
	}
	return false;
}

/* A bit that is reserved in the topmost entry: no page that may come, but an error. */
static void spoil(struct function *function, uint32_t pasid, uint64_t addr)
{
	uint64_t *root = (void *)(host.memory + space_of(function, pasid)->root);

	root[addr >> 39 & 511] |= 0x80;
}

CASE(a_table_that_makes_no_sense_is_a_fault_that_nobody_recovers_from)
{
	struct device_job job = fill_of(ADDR, PAGE, 5);
	char line[1024];
	int log;

	host_open(1);
	host_attach(f, 5);
	host_map(f, 5, ADDR, first_page());
	spoil(f, 5, ADDR);
	log = log_open();
	for (int i = 0; i < 20; i++) /* more than the IOMMU records at once */
		CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_error);
	CHECK_SOON(log_find(log, "fault addr", line, sizeof(line)));
	NOTE("%s", strchr(line, ';') + 1);
	CHECK(strstr(line, "[0001:00:01.0]") != NULL);
	CHECK(strstr(line, "0x5000000") != NULL);
	close(log);
	host_end();
}

/* ---- Dirty bits, large pages ----------------------------------------------------------- */

/* A second level of its own for requests without a PASID: addresses are guest-physical. */
static uint32_t plain_table(struct function *function, uint32_t flags)
{
	struct iommu_hwpt_alloc table = { .size = sizeof(table), .flags = flags,
					  .dev_id = function->vfio.id,
					  .pt_id = host.iommu.ioas };

	CHECK_EQ(ioctl(host.iommu.descriptor, IOMMU_HWPT_ALLOC, &table), 0);
	return table.out_hwpt_id;
}

static void table_destroy(uint32_t table)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = table };

	CHECK_EQ(ioctl(host.iommu.descriptor, IOMMU_DESTROY, &destroy), 0);
}

static void dirty_track(uint32_t table, bool on)
{
	struct iommu_hwpt_set_dirty_tracking set = {
		.size = sizeof(set),
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = table,
	};

	CHECK_EQ(ioctl(host.iommu.descriptor, IOMMU_HWPT_SET_DIRTY_TRACKING, &set), 0);
}

/* Of the 64 pages from @addr on, those that were written since the last look. */
static uint64_t dirty_pages(uint32_t table, uint64_t addr)
{
	uint64_t bits = 0;
	struct iommu_hwpt_get_dirty_bitmap get = { .size = sizeof(get), .hwpt_id = table,
						   .iova = addr, .length = 64 * PAGE,
						   .page_size = PAGE,
						   .data = (uintptr_t)&bits };

	CHECK_EQ(ioctl(host.iommu.descriptor, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	return bits;
}

CASE(what_a_function_writes_is_dirty)
{
	struct device_job job;
	uint32_t table;

	host_open(1);
	table = plain_table(f, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	CHECK_EQ(vmm_device_attach(&f->vfio, NONE, table), 0);
	dirty_track(table, true);
	CHECK_EQ(dirty_pages(table, first_page()), 0);
	job = fill_of(first_page() + 3 * PAGE, 2 * PAGE, DEVICE_NO_PASID);
	CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_done);
	CHECK_EQ(host.memory[first_page() + 3 * PAGE], 7);
	CHECK_EQ(dirty_pages(table, first_page()), 3 << 3);
	/* Read and cleared: what is cached is written again, and seen again. */
	CHECK_EQ(dirty_pages(table, first_page()), 0);
	job = fill_of(first_page() + 4 * PAGE, PAGE, DEVICE_NO_PASID);
	CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_done);
	CHECK_EQ(dirty_pages(table, first_page()), 1 << 4);
	dirty_track(table, false);
	CHECK_EQ(vmm_device_detach(&f->vfio, NONE), 0);
	table_destroy(table);
	host_end();
}

/* A first level of @levels with one entry: the 2 MiB at @addr are those from @gpa on. */
static uint64_t large_table(uint32_t levels, uint64_t addr, uint64_t gpa)
{
	enum { PRESENT = 1, WRITE = 2, USER = 4, LARGE = 0x80, LEAF_SHIFT = 21 };
	uint64_t root = table_page(), table = root;

	for (uint32_t shift = 12 + 9 * (levels - 1); shift > LEAF_SHIFT; shift -= 9) {
		uint64_t *entries = (void *)(host.memory + table);

		table = table_page();
		entries[addr >> shift & 511] = table | PRESENT | WRITE | USER;
	}
	((uint64_t *)(void *)(host.memory + table))[addr >> LEAF_SHIFT & 511] =
		gpa | PRESENT | WRITE | USER | LARGE;
	return root;
}

CASE(a_table_of_five_levels_and_a_large_page)
{
	const uint64_t addr = (UINT64_C(0x123) << 45) & ~((UINT64_C(1) << 21) - 1);
	struct iopf_address_space wanted = { .levels = 5 };
	struct device_job job = fill_of(addr + PAGE, 64 * PAGE, 9);
	uint32_t table;

	host_open(1);
	wanted.root = large_table(5, addr, first_page());
	CHECK_EQ(vmm_table_create(&f->vfio, &wanted, &table), 0);
	CHECK_EQ(vmm_device_attach(&f->vfio, 9, table), 0);
	CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_done);
	CHECK_EQ(host.memory[first_page() + PAGE], 7);
	CHECK_EQ(host.memory[first_page() + 64 * PAGE + 8], 7);
	CHECK_EQ(host.memory[first_page() + 65 * PAGE], 0);
	CHECK_EQ(vmm_device_detach(&f->vfio, 9), 0);
	CHECK_EQ(vmm_table_destroy(&f->vfio, table), 0);
	host_end();
}

/* ---- Functions that leave -------------------------------------------------------------- */

static void tell(const char *path)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(file >= 0 && write(file, "1", 1) == 1);
	close(file);
}

CASE(a_function_is_taken_out_and_found_again)
{
	host_open(2);
	host_attach(f, 5);
	host_attach(&functions[1], 5);
	host_end();
	tell("/sys/bus/pci/devices/0001:00:02.0/remove");
	CHECK(access("/sys/bus/pci/devices/0001:00:02.0", F_OK) != 0);
	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 1, ADDR, RW | LAST, 1);
	EXPECT(5, 1, IOPF_SUCCESS);
	host_end();
	tell("/sys/bus/pci/rescan");
	host_open(2);
	host_attach(&functions[1], 5);
	ask(&functions[1], 5, 2, ADDR, RW | LAST, 2);
	EXPECT(5, 2, IOPF_INVALID);
	host_end();
}

int main(void)
{
	return case_main();
}
