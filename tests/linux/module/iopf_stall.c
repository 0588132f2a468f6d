// SPDX-License-Identifier: GPL-2.0
/*
 * iopf_stall.c - the driver of the platform device that stalls: it gives it the page
 * tables of a process, with iommu_sva_bind_device() and nothing else. What the device
 * misses there the kernel serves with the fault handler of a processor.
 */
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "iopf_stall.h"

/* Nobody waits at the gate for longer, so that a program's end is never prevented. */
#define GATE_WAIT	(20 * HZ)

static struct platform_device *stall_device;
static bool gate_shut;
static atomic_t gate_waiting = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(gate_queue);

struct stall_file {
	struct mutex lock;
	struct iommu_sva *bond;		/* or NULL */
};

/* ---- The gate ---------------------------------------------------------------------- */

static vm_fault_t gate_fault(struct vm_fault *fault)
{
	struct page *page;

	atomic_inc(&gate_waiting);
	wait_event_killable_timeout(gate_queue, !READ_ONCE(gate_shut), GATE_WAIT);
	atomic_dec(&gate_waiting);
	page = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
	if (!page)
		return VM_FAULT_OOM;
	fault->page = page;
	return 0;
}

static const struct vm_operations_struct gate_ops = {
	.fault = gate_fault,
};

static int stall_mmap(struct file *file, struct vm_area_struct *area)
{
	area->vm_ops = &gate_ops;
	return 0;
}

static long gate_turn(u32 __user *word)
{
	u32 value;

	if (get_user(value, word))
		return -EFAULT;
	WRITE_ONCE(gate_shut, value != 0);
	if (value == 0)
		wake_up_all(&gate_queue);
	return put_user((u32)atomic_read(&gate_waiting), word);
}

/* ---- The bond ---------------------------------------------------------------------- */

static void unbind(struct stall_file *stall)
{
	if (stall->bond)
		iommu_sva_unbind_device(stall->bond);
	stall->bond = NULL;
}

static long bind(struct stall_file *stall, u32 __user *pasid)
{
	struct iommu_sva *bond;

	if (stall->bond)
		return -EBUSY;
	if (!stall_device)
		return -ENODEV;
	bond = iommu_sva_bind_device(&stall_device->dev, current->mm);
	if (IS_ERR(bond))
		return PTR_ERR(bond);
	stall->bond = bond;
	return put_user(iommu_sva_get_pasid(bond), pasid);
}

static long stall_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct stall_file *stall = file->private_data;
	long result = -ENOTTY;

	if (command == IOPF_STALL_GATE)
		return gate_turn((u32 __user *)argument);
	mutex_lock(&stall->lock);
	if (command == IOPF_STALL_BIND) {
		result = bind(stall, (u32 __user *)argument);
	} else if (command == IOPF_STALL_UNBIND) {
		result = stall->bond ? 0 : -ENOENT;
		unbind(stall);
	}
	mutex_unlock(&stall->lock);
	return result;
}

static int stall_open(struct inode *inode, struct file *file)
{
	struct stall_file *stall = kzalloc(sizeof(*stall), GFP_KERNEL);

	if (!stall)
		return -ENOMEM;
	mutex_init(&stall->lock);
	file->private_data = stall;
	return 0;
}

static int stall_release(struct inode *inode, struct file *file)
{
	struct stall_file *stall = file->private_data;

	unbind(stall);
	kfree(stall);
	return 0;
}

static const struct file_operations stall_operations = {
	.owner = THIS_MODULE,
	.open = stall_open,
	.release = stall_release,
	.unlocked_ioctl = stall_ioctl,
	.mmap = stall_mmap,
};

static struct miscdevice stall_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iopf_stall",
	.fops = &stall_operations,
};

/* ---- The driver -------------------------------------------------------------------- */

static int stall_probe(struct platform_device *device)
{
	int error = misc_register(&stall_misc);

	if (!error)
		stall_device = device;
	return error;
}

static void stall_remove(struct platform_device *device)
{
	misc_deregister(&stall_misc);
	stall_device = NULL;
}

static const struct of_device_id stall_ids[] = {
	{ .compatible = "libiopf,engine" },
	{ }
};
MODULE_DEVICE_TABLE(of, stall_ids);

static struct platform_driver stall_driver = {
	.driver = {
		.name = "iopf_stall",
		.of_match_table = stall_ids,
	},
	.probe = stall_probe,
	.remove = stall_remove,
};
module_platform_driver(stall_driver);

MODULE_DESCRIPTION("a process's page tables for a device that stalls");
MODULE_LICENSE("GPL");
