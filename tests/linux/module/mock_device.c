// SPDX-License-Identifier: GPL-2.0
/*
 * mock_device.c - the other side of iommufd's mock devices.
 *
 * Their driver makes requests of one page only, and forgets what it is answered. So this
 * reports requests for them, of groups of any size, and looks on where they are answered:
 * see iopf_mock.h. It needs a kernel with IOMMUFD_TEST and KPROBES, and changes nothing there.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/kfifo.h>
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "iopf_mock.h"

#define MOCK_NAME	"iommufd_mock"
#define MOCK_ANSWERS	16384

static struct {
	struct mutex lock;		/* of readers */
	spinlock_t answered;		/* of devices that are answered */
	bool lost;
	const struct bus_type *bus;	/* known once a device was made */
	u32 newest;
} mock = {
	.lock = __MUTEX_INITIALIZER(mock.lock),
	.answered = __SPIN_LOCK_UNLOCKED(mock.answered),
};

static DEFINE_KFIFO(mock_answers, struct iopf_mock_answer, MOCK_ANSWERS);

static u32 mock_number(struct device *dev)
{
	u32 number = U32_MAX;

	if (dev_name(dev))
		sscanf(dev_name(dev), MOCK_NAME "%u", &number);
	return number;
}

/* ---- What the mock driver is called for ------------------------------------------------ */

/* void (struct device *, struct iopf_fault *, struct iommu_page_response *) */
static int mock_on_answer(struct kprobe *probe, struct pt_regs *regs)
{
	struct device *dev = (struct device *)regs_get_kernel_argument(regs, 0);
	const struct iommu_page_response *response =
		(const struct iommu_page_response *)regs_get_kernel_argument(regs, 2);
	struct iopf_mock_answer answer = {
		.device = mock_number(dev),
		.pasid = response->pasid,
		.group = response->grpid,
		.code = response->code,
	};

	if (!kfifo_in_spinlocked(&mock_answers, &answer, 1, &mock.answered))
		WRITE_ONCE(mock.lost, true);
	return 0;
}

/* struct iommu_device *(struct device *): for every device, of whatever bus. */
static int mock_on_probe(struct kprobe *probe, struct pt_regs *regs)
{
	struct device *dev = (struct device *)regs_get_kernel_argument(regs, 0);
	u32 number = mock_number(dev);

	if (number != U32_MAX) {
		WRITE_ONCE(mock.bus, dev->bus);
		WRITE_ONCE(mock.newest, number);
	}
	return 0;
}

static struct kprobe mock_answer_probe = {
	.symbol_name = "mock_domain_page_response",
	.pre_handler = mock_on_answer,
};

static struct kprobe mock_probe_probe = {
	.symbol_name = "mock_probe_device",
	.pre_handler = mock_on_probe,
};

static struct kprobe *mock_probes[] = { &mock_answer_probe, &mock_probe_probe };

/* ---- What programs say ----------------------------------------------------------------- */

static struct device *mock_device(u32 number)
{
	const struct bus_type *bus = READ_ONCE(mock.bus);
	char name[32];

	snprintf(name, sizeof(name), MOCK_NAME "%u", number);
	return bus ? bus_find_device_by_name(bus, NULL, name) : NULL;
}

static long mock_request(struct iopf_mock_request __user *to)
{
	struct iopf_mock_request request;
	struct iopf_fault fault = {};
	struct device *dev;

	if (copy_from_user(&request, to, sizeof(request)))
		return -EFAULT;
	dev = mock_device(request.device);
	if (!dev)
		return -ENODEV;
	fault.fault.type = IOMMU_FAULT_PAGE_REQ;
	fault.fault.prm.flags = request.flags;
	fault.fault.prm.pasid = request.pasid;
	fault.fault.prm.grpid = request.group;
	fault.fault.prm.perm = request.perm;
	fault.fault.prm.addr = request.addr;
	request.result = iommu_report_device_fault(dev, &fault);
	put_device(dev);
	return copy_to_user(to, &request, sizeof(request)) ? -EFAULT : 0;
}

static long mock_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	switch (command) {
	case IOPF_MOCK_REQUEST:
		return mock_request((void __user *)argument);
	case IOPF_MOCK_NEWEST:
		if (!READ_ONCE(mock.bus))
			return -ENODEV;
		return put_user(READ_ONCE(mock.newest), (u32 __user *)argument);
	default:
		return -ENOTTY;
	}
}

static ssize_t mock_read(struct file *file, char __user *to, size_t size, loff_t *offset)
{
	unsigned int copied;
	int error;

	if (xchg(&mock.lost, false))
		return -EOVERFLOW;
	mutex_lock(&mock.lock);
	error = kfifo_to_user(&mock_answers, to, size, &copied);
	mutex_unlock(&mock.lock);
	return error ? error : copied;
}

static const struct file_operations mock_operations = {
	.owner = THIS_MODULE,
	.read = mock_read,
	.unlocked_ioctl = mock_ioctl,
};

static struct miscdevice mock_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iopf_mock",
	.fops = &mock_operations,
};

static int __init mock_init(void)
{
	int error = register_kprobes(mock_probes, ARRAY_SIZE(mock_probes));

	if (error)
		return error;
	error = misc_register(&mock_misc);
	if (error)
		unregister_kprobes(mock_probes, ARRAY_SIZE(mock_probes));
	return error;
}

static void __exit mock_exit(void)
{
	misc_deregister(&mock_misc);
	unregister_kprobes(mock_probes, ARRAY_SIZE(mock_probes));
}

module_init(mock_init);
module_exit(mock_exit);
MODULE_DESCRIPTION("The other side of iommufd's mock devices");
MODULE_LICENSE("GPL");
