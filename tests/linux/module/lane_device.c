// SPDX-License-Identifier: GPL-2.0
/*
 * lane_device.c - the driver of the test function in the guest: gives PASIDs address
 * spaces, serves their page requests, and does to them what drivers do, well and badly,
 * when a program says so. See iopf_lane.h.
 *
 * One function at a time. lane.lock guards it and the table of spaces, and every ioctl
 * holds it; a fault handler and its worker never take it, so that a detach may wait for
 * them.
 */
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#include "iopf_lane.h"
#include "lane_space.h"

#define LANE_SPACES	32
#define LANE_KEEPER	0xffff

static struct {
	struct mutex lock;
	struct pci_dev *pdev;
	struct lane_space *spaces[LANE_SPACES];
	struct lane_space *keeper;
	struct workqueue_struct *workqueue;
} lane = {
	.lock = __MUTEX_INITIALIZER(lane.lock),
};

/* ---- The function ------------------------------------------------------------------ */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)

/* Drivers switch page requests on and off. */
static int lane_features_on(struct device *dev)
{
	int error = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF);

	if (error)
		return error;
	error = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA);
	if (error)
		iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
	return error;
}

static int lane_features_off(struct device *dev)
{
	int error = iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_SVA);

	return error ? error : iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
}

static int lane_start_paging(struct device *dev)
{
	return lane_features_on(dev);
}

static void lane_stop_paging(struct device *dev)
{
	lane_features_off(dev);
}

static int lane_switch(struct device *dev, bool on)
{
	return on ? lane_features_on(dev) : lane_features_off(dev);
}

/* The kernel leaves groups open over a reset, and so do we. */
static void lane_pause(bool pause)
{
}

#else

/* The kernel's fault queue has the function from the first domain with a handler on until
 * the last one is detached, which frees the groups that are open. A space of nobody's
 * keeps it there. */
static int lane_start_paging(struct device *dev)
{
	return lane_space_open(dev, lane.workqueue, LANE_KEEPER, true, &lane.keeper);
}

static void lane_stop_paging(struct device *dev)
{
	lane_space_close(lane.keeper, false);
	lane.keeper = NULL;
}

static int lane_switch(struct device *dev, bool on)
{
	return -EOPNOTSUPP;
}

/* A reset takes all domains away for its time: nothing may be open. */
static void lane_pause(bool pause)
{
	unsigned int i;

	for (i = 0; i < LANE_SPACES; i++)
		if (lane.spaces[i])
			lane_space_pause(lane.spaces[i], pause);
}

#endif

/* The slot of the space of this PASID; of an empty one without; NULL: there is none. */
static struct lane_space **lane_slot(u32 pasid, bool used)
{
	unsigned int i;

	for (i = 0; i < LANE_SPACES; i++) {
		struct lane_space *space = lane.spaces[i];

		if (used ? space && lane_space_pasid(space) == pasid : !space)
			return &lane.spaces[i];
	}
	return NULL;
}

static void lane_close(struct lane_space **slot, bool late)
{
	lane_space_close(*slot, late);
	*slot = NULL;
}

/* ---- Ioctls, with lane.lock held and a function there ------------------------------ */

union lane_argument {
	u32 pasid;		/* the first of each that names a space */
	struct iopf_lane_attach attach;
	struct iopf_lane_detach detach;
	struct iopf_lane_allow allow;
	struct iopf_lane_hold hold;
	struct iopf_lane_answer answer;
	struct iopf_lane_unmap unmap;
	struct iopf_lane_copy copy;
	struct iopf_lane_phys phys;
	struct iopf_lane_state state;
	struct iopf_lane_feature feature;
	struct iopf_lane_lost lost;
};

static bool lane_are_pages(u64 iova, u64 length)
{
	return length && PAGE_ALIGNED(iova | length) && iova <= U64_MAX - length;
}

static int lane_attach(struct lane_space **unused, union lane_argument *argument)
{
	const struct iopf_lane_attach *attach = &argument->attach;
	struct lane_space **slot = lane_slot(attach->pasid, false);

	if (attach->flags & ~IOPF_LANE_NO_HANDLER)
		return -EINVAL;
	if (lane_slot(attach->pasid, true))
		return -EEXIST;
	if (!slot)
		return -ENOSPC;
	return lane_space_open(&lane.pdev->dev, lane.workqueue, attach->pasid,
			       !(attach->flags & IOPF_LANE_NO_HANDLER), slot);
}

static int lane_detach(struct lane_space **slot, union lane_argument *argument)
{
	if (argument->detach.flags & ~IOPF_LANE_LATE)
		return -EINVAL;
	lane_close(slot, argument->detach.flags & IOPF_LANE_LATE);
	return 0;
}

static int lane_allow(struct lane_space **slot, union lane_argument *argument)
{
	const struct iopf_lane_allow *allow = &argument->allow;

	if (!lane_are_pages(allow->iova, allow->length) ||
	    (allow->perm != IOPF_LANE_READ_ONLY && allow->perm != IOPF_LANE_READ_WRITE))
		return -EINVAL;
	return lane_space_allow(*slot, allow);
}

static int lane_hold(struct lane_space **slot, union lane_argument *argument)
{
	lane_space_hold(*slot, argument->hold.hold);
	return 0;
}

static int lane_answer(struct lane_space **slot, union lane_argument *argument)
{
	struct iopf_lane_answer *answer = &argument->answer;

	if (answer->code > IOMMU_PAGE_RESP_FAILURE)
		return -EINVAL;
	answer->groups = lane_space_answer(*slot, answer->code);
	return 0;
}

static int lane_unmap(struct lane_space **slot, union lane_argument *argument)
{
	struct iopf_lane_unmap *unmap = &argument->unmap;

	if (!lane_are_pages(unmap->iova, unmap->length) || unmap->flags & ~IOPF_LANE_KEEP)
		return -EINVAL;
	unmap->pages = lane_space_unmap(*slot, unmap->iova, unmap->length,
					unmap->flags & IOPF_LANE_KEEP);
	return 0;
}

static int lane_copy(struct lane_space **slot, const struct iopf_lane_copy *copy, bool write)
{
	if (copy->iova > U64_MAX - copy->length)
		return -EINVAL;
	return lane_space_copy(*slot, copy, write);
}

static int lane_read(struct lane_space **slot, union lane_argument *argument)
{
	return lane_copy(slot, &argument->copy, false);
}

static int lane_write(struct lane_space **slot, union lane_argument *argument)
{
	return lane_copy(slot, &argument->copy, true);
}

static int lane_phys(struct lane_space **slot, union lane_argument *argument)
{
	argument->phys.phys = lane_space_phys(*slot, argument->phys.iova);
	return 0;
}

static int lane_state(struct lane_space **slot, union lane_argument *argument)
{
	lane_space_state(*slot, &argument->state);
	return 0;
}

static bool lane_is_used(void)
{
	unsigned int i;

	for (i = 0; i < LANE_SPACES; i++)
		if (lane.spaces[i])
			return true;
	return false;
}

/* The kernel frees the groups that are open when page requests are switched off; here a
 * space may hold them. */
static int lane_feature(struct lane_space **unused, union lane_argument *argument)
{
	if (lane_is_used())
		return -EBUSY;
	return lane_switch(&lane.pdev->dev, argument->feature.on);
}

/* Without lane.lock: a reset calls the driver, with the function's own lock held. */
static int lane_reset(struct lane_space **unused, union lane_argument *argument)
{
	struct pci_dev *pdev = pci_dev_get(lane.pdev);
	int error;

	mutex_unlock(&lane.lock);
	error = pci_reset_function(pdev);
	pci_dev_put(pdev);
	mutex_lock(&lane.lock);
	return error;
}

static int lane_lost(struct lane_space **unused, union lane_argument *argument)
{
	lane_space_lost(&argument->lost);
	return 0;
}

static const struct lane_command {
	unsigned int number;
	bool of_space;
	int (*run)(struct lane_space **slot, union lane_argument *argument);
} lane_commands[] = {
	{ IOPF_LANE_ATTACH, false, lane_attach },
	{ IOPF_LANE_DETACH, true, lane_detach },
	{ IOPF_LANE_ALLOW, true, lane_allow },
	{ IOPF_LANE_HOLD, true, lane_hold },
	{ IOPF_LANE_ANSWER, true, lane_answer },
	{ IOPF_LANE_UNMAP, true, lane_unmap },
	{ IOPF_LANE_READ, true, lane_read },
	{ IOPF_LANE_WRITE, true, lane_write },
	{ IOPF_LANE_PHYS, true, lane_phys },
	{ IOPF_LANE_STATE, true, lane_state },
	{ IOPF_LANE_FEATURE, false, lane_feature },
	{ IOPF_LANE_RESET, false, lane_reset },
	{ IOPF_LANE_LOST, false, lane_lost },
};

static int lane_run(const struct lane_command *command, union lane_argument *argument)
{
	struct lane_space **slot = NULL;

	if (!lane.pdev)
		return -ENODEV;
	if (command->of_space)
		slot = lane_slot(argument->pasid, true);
	if (command->of_space && !slot)
		return -ENOENT;
	return command->run(slot, argument);
}

static long lane_ioctl(struct file *file, unsigned int number, unsigned long address)
{
	const struct lane_command *command = &lane_commands[_IOC_NR(number)];
	void __user *user = (void __user *)address;
	union lane_argument argument = {};
	int error;

	if (_IOC_NR(number) >= ARRAY_SIZE(lane_commands) || command->number != number)
		return -ENOTTY;
	if (_IOC_DIR(number) & _IOC_WRITE &&
	    copy_from_user(&argument, user, _IOC_SIZE(number)))
		return -EFAULT;
	mutex_lock(&lane.lock);
	error = lane_run(command, &argument);
	mutex_unlock(&lane.lock);
	if (!error && _IOC_DIR(number) & _IOC_READ &&
	    copy_to_user(user, &argument, _IOC_SIZE(number)))
		return -EFAULT;
	return error;
}

static const struct file_operations lane_file_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = lane_ioctl,
};

static struct miscdevice lane_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iopf_lane",
	.fops = &lane_file_operations,
	.mode = 0600,
};

/* ---- Coming and going -------------------------------------------------------------- */

static int lane_start(struct pci_dev *pdev)
{
	int error = pcim_enable_device(pdev);

	if (error)
		return error;
	pci_set_master(pdev);
	error = lane_start_paging(&pdev->dev);
	if (error)
		return dev_err_probe(&pdev->dev, error, "no page requests\n");
	error = misc_register(&lane_misc);
	if (error)
		lane_stop_paging(&pdev->dev);
	return error;
}

static int lane_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int error = -EBUSY;

	mutex_lock(&lane.lock);
	if (!lane.pdev)
		error = lane_start(pdev);
	if (!error)
		lane.pdev = pdev;
	mutex_unlock(&lane.lock);
	return error;
}

static void lane_remove(struct pci_dev *pdev)
{
	unsigned int i;

	misc_deregister(&lane_misc);
	mutex_lock(&lane.lock);
	for (i = 0; i < LANE_SPACES; i++)
		if (lane.spaces[i])
			lane_close(&lane.spaces[i], false);
	lane_stop_paging(&pdev->dev);
	lane.pdev = NULL;
	mutex_unlock(&lane.lock);
}

static void lane_reset_prepare(struct pci_dev *pdev)
{
	mutex_lock(&lane.lock);
	lane_pause(true);
	mutex_unlock(&lane.lock);
}

static void lane_reset_done(struct pci_dev *pdev)
{
	mutex_lock(&lane.lock);
	lane_pause(false);
	mutex_unlock(&lane.lock);
}

static const struct pci_error_handlers lane_error_handlers = {
	.reset_prepare = lane_reset_prepare,
	.reset_done = lane_reset_done,
};

static const struct pci_device_id lane_ids[] = {
	{ PCI_DEVICE(0x1234, 0x5a5a) },
	{ }
};
MODULE_DEVICE_TABLE(pci, lane_ids);

static struct pci_driver lane_driver = {
	.name = "iopf_lane",
	.id_table = lane_ids,
	.probe = lane_probe,
	.remove = lane_remove,
	.err_handler = &lane_error_handlers,
};

static int __init lane_init(void)
{
	int error;

	lane.workqueue = alloc_workqueue("iopf_lane", WQ_UNBOUND, 0);
	if (!lane.workqueue)
		return -ENOMEM;
	error = pci_register_driver(&lane_driver);
	if (error)
		destroy_workqueue(lane.workqueue);
	return error;
}

static void __exit lane_exit(void)
{
	struct iopf_lane_lost lost;

	pci_unregister_driver(&lane_driver);
	destroy_workqueue(lane.workqueue);
	lane_space_lost(&lost);
}

module_init(lane_init);
module_exit(lane_exit);
MODULE_DESCRIPTION("Address spaces with page requests for the libiopf test function");
MODULE_LICENSE("GPL");
