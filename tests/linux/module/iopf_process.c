// SPDX-License-Identifier: GPL-2.0
/*
 * iopf_process.c - the driver of the test function that gives it the page tables of a
 * process: the device walks what the processor walks. See iopf_process.h.
 *
 * Where the kernel lets it, iommu_sva_bind_device() does all: PASID, root of the tables,
 * page requests, invalidations. On x86 the long-term kernels refuse that one call. What
 * lies below it is whole, though, and within a module's reach: the IOMMU driver's
 * domain_alloc_sva() makes a domain around an mm and registers the mmu notifier that
 * turns changes of the tables into invalidations, and iommu_attach_device_pasid() writes
 * the root into the PASID's entry. So nothing of the IOMMU is programmed behind its
 * driver's back. Only the one who serves page requests is ours, since the kernel's is
 * private: bond_serve() looks the address up and calls handle_mm_fault(), and runs where
 * the kernel's runs, in the workqueue that the driver flushes when it drains a PASID.
 *
 * The refusal has its reason: when the kernel frees page tables of its own half, which
 * every process shares, nobody tells the IOMMU of those kernels. In a virtual machine
 * that lives for a few seconds with one trusted device this is no matter. Nowhere else
 * should this module be loaded.
 */
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "iopf_process.h"

#define BINDS_ITSELF	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0))

/* Nobody waits at the gate for longer, so that a program's end is never prevented. */
#define GATE_WAIT	(20 * HZ)

/* What there is one of; lock guards it and all bonds. */
static struct {
	struct mutex lock;
	struct pci_dev *function;	/* or NULL */
	struct list_head bonds;		/* one for each open file */
} process = {
	.lock = __MUTEX_INITIALIZER(process.lock),
	.bonds = LIST_HEAD_INIT(process.bonds),
};

/* How many ranges of one mm change at once: whoever holds its lock, reclaim, compaction. */
#define CHANGE_MAX	8

/* ---- Bonds ------------------------------------------------------------------------- */

/* A process whose page tables the function has. */
struct bond {
	struct list_head node;
	struct iommu_sva *sva;			/* IOPF_PROCESS_BY_KERNEL, or NULL */
	struct iommu_domain *domain;		/* IOPF_PROCESS_BY_DRIVER, or NULL */
	struct iommu_attach_handle attachment;	/* of the domain */
	u32 pasid;
	struct mmu_notifier listeners[2];	/* bond_listens */
	spinlock_t changes_lock;
	struct change {
		unsigned long start, end;
	} changes[CHANGE_MAX];			/* of the mm, under way; end 0: free */
};

#if !BINDS_ITSELF

/* ---- Changes of the tables ----
 *
 * Bonds listen beside the driver's notifier: they know the ranges that are being changed,
 * and let the driver invalidate just these for the device's PASID, each before pages of
 * it can be free, which is when everything is invalidated or when the change ends.
 */

/* As the driver does for pages that were unmapped, a GiB at most at once: it must not ask
 * for more than the IOMMU takes (CAP.MAMV). */
static void bond_forget(struct bond *bond, unsigned long start, unsigned long end)
{
	const struct iommu_ops *ops = bond->domain->owner;
	struct iommu_iotlb_gather gather;
	unsigned long next;

	if (WARN_ON_ONCE(end - start > SZ_1T))
		return;
	for (; start < end; start = next) {
		next = min(end, ALIGN_DOWN(start, SZ_1G) + SZ_1G);
		iommu_iotlb_gather_init(&gather);
		gather.start = start;
		gather.end = next - 1;
		ops->default_domain_ops->iotlb_sync(bond->domain, &gather);
	}
}

/* Makes of the entry that is @from one that is @to. Returns: there was one. */
static bool bond_note(struct bond *bond, struct change from, struct change to)
{
	bool found = false;
	size_t i;

	spin_lock(&bond->changes_lock);
	for (i = 0; i < CHANGE_MAX && !found; i++) {
		found = bond->changes[i].start == from.start &&
			bond->changes[i].end == from.end;
		if (found)
			bond->changes[i] = to;
	}
	spin_unlock(&bond->changes_lock);
	return found;
}

static int bond_change_starts(struct mmu_notifier *listener,
			      const struct mmu_notifier_range *range)
{
	struct bond *bond = container_of(listener, struct bond, listeners[0]);

	WARN_ON_ONCE(!bond_note(bond, (struct change){},
				(struct change){ range->start, range->end }));
	return 0;
}

static void bond_change_ends(struct mmu_notifier *listener,
			     const struct mmu_notifier_range *range)
{
	struct bond *bond = container_of(listener, struct bond, listeners[0]);

	/* One that began before the bond listened has no entry. */
	bond_note(bond, (struct change){ range->start, range->end }, (struct change){});
	bond_forget(bond, range->start, range->end);
}

static void bond_invalidates(struct mmu_notifier *listener, struct mm_struct *mm,
			     unsigned long start, unsigned long end)
{
	struct bond *bond = container_of(listener, struct bond, listeners[1]);
	struct change changes[CHANGE_MAX];
	size_t i;

	if (end != ULONG_MAX)
		return;		/* the driver's own notifier does it */
	spin_lock(&bond->changes_lock);
	memcpy(changes, bond->changes, sizeof(changes));
	spin_unlock(&bond->changes_lock);
	for (i = 0; i < CHANGE_MAX; i++)
		bond_forget(bond, changes[i].start, changes[i].end);
}

/* The kernel wants them apart. */
static const struct mmu_notifier_ops bond_listens[2] = {
	{
		.invalidate_range_start = bond_change_starts,
		.invalidate_range_end = bond_change_ends,
	}, {
		.arch_invalidate_secondary_tlbs = bond_invalidates,
	},
};

static void bond_deafen(struct bond *bond, int count)
{
	while (count-- > 0)
		mmu_notifier_unregister(&bond->listeners[count], bond->domain->mm);
}

static int bond_listen(struct bond *bond)
{
	int error, i;

	spin_lock_init(&bond->changes_lock);
	memset(bond->changes, 0, sizeof(bond->changes));
	for (i = 0; i < 2; i++) {
		bond->listeners[i].ops = &bond_listens[i];
		error = mmu_notifier_register(&bond->listeners[i], bond->domain->mm);
		if (error) {
			bond_deafen(bond, i);
			return error;
		}
	}
	return 0;
}

/* ---- Page requests ---- */

/* What a page request asks for. Returns: the process may have it, and does now. */
static bool bond_fault(struct mm_struct *mm, const struct iommu_fault_page_request *request)
{
	unsigned int flags = FAULT_FLAG_REMOTE | FAULT_FLAG_USER;
	struct vm_area_struct *vma;
	unsigned long wanted = 0;
	bool ok = false;

	if (request->perm & IOMMU_FAULT_PERM_READ)
		wanted |= VM_READ;
	if (request->perm & IOMMU_FAULT_PERM_WRITE) {
		wanted |= VM_WRITE;
		flags |= FAULT_FLAG_WRITE;
	}
	if (request->perm & IOMMU_FAULT_PERM_EXEC) {
		wanted |= VM_EXEC;
		flags |= FAULT_FLAG_INSTRUCTION;
	}
	mmap_read_lock(mm);
	vma = vma_lookup(mm, request->addr);
	if (vma && !(wanted & ~vma->vm_flags))
		ok = !(handle_mm_fault(vma, request->addr, flags, NULL) & VM_FAULT_ERROR);
	mmap_read_unlock(mm);
	return ok;
}

/* Serves a group, page by page; the first that is not to be had ends it. */
static void bond_serve(struct work_struct *work)
{
	struct iopf_group *group = container_of(work, struct iopf_group, work);
	struct mm_struct *mm = group->attach_handle->domain->mm;
	bool alive = mmget_not_zero(mm), ok = alive;
	struct iopf_fault *fault;

	list_for_each_entry(fault, &group->faults, list)
		ok = ok && bond_fault(mm, &fault->fault.prm);
	if (alive)
		mmput(mm);
	iopf_group_response(group, ok ? IOMMU_PAGE_RESP_SUCCESS : IOMMU_PAGE_RESP_INVALID);
	iopf_free_group(group);
}

static int bond_handler(struct iopf_group *group)
{
	INIT_WORK(&group->work, bond_serve);
	return queue_work(group->fault_param->queue->wq, &group->work) ? 0 : -EBUSY;
}

static struct iommu_domain *bond_domain(struct device *dev, struct mm_struct *mm)
{
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;
	struct iommu_domain *domain;

	if (!ops->domain_alloc_sva)
		return ERR_PTR(-EOPNOTSUPP);
	domain = ops->domain_alloc_sva(dev, mm);
	if (IS_ERR(domain))
		return domain;
	mmgrab(mm);		/* iommu_domain_free() drops it */
	domain->type = IOMMU_DOMAIN_SVA;
	domain->owner = ops;
	domain->mm = mm;
	domain->iopf_handler = bond_handler;
	return domain;
}

static int bond_tie(struct bond *bond)
{
	struct device *dev = &process.function->dev;
	struct iommu_domain *domain;
	ioasid_t pasid;
	int error;

	pasid = iommu_alloc_global_pasid(dev);
	if (pasid == IOMMU_PASID_INVALID)
		return -ENOSPC;
	domain = bond_domain(dev, current->mm);
	error = PTR_ERR_OR_ZERO(domain);
	if (error)
		goto free_pasid;
	bond->domain = domain;
	bond->pasid = pasid;
	error = bond_listen(bond);
	if (error)
		goto free_domain;
	error = iommu_attach_device_pasid(domain, dev, pasid, &bond->attachment);
	if (error)
		goto deafen;
	return 0;

deafen:
	bond_deafen(bond, 2);
free_domain:
	iommu_domain_free(domain);
	bond->domain = NULL;
free_pasid:
	iommu_free_global_pasid(pasid);
	return error;
}

static void bond_untie(struct bond *bond)
{
	struct device *dev = &process.function->dev;

	iommu_detach_device_pasid(bond->domain, dev, bond->pasid);
	iopf_queue_flush_dev(dev);	/* nobody serves it any more */
	bond_deafen(bond, 2);
	iommu_domain_free(bond->domain);
	iommu_free_global_pasid(bond->pasid);
}

static void function_page_requests_off(struct device *dev)
{
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_SVA);
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
}

static int function_page_requests_on(struct device *dev)
{
	int error = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF);

	if (error)
		return error;
	error = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA);
	if (error)
		iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
	return error;
}

#else	/* BINDS_ITSELF: the kernel binds on x86 again, and turns page requests on and off itself */

static int bond_tie(struct bond *bond)
{
	return -EOPNOTSUPP;
}

static void bond_untie(struct bond *bond)
{
}

static void function_page_requests_off(struct device *dev)
{
}

static int function_page_requests_on(struct device *dev)
{
	return 0;
}

#endif

static int bond_bind(struct bond *bond, struct iopf_process_bind *bind)
{
	struct iommu_sva *sva;
	int error;

	if (!process.function)
		return -ENODEV;
	if (bond->sva || bond->domain)
		return -EBUSY;
	sva = iommu_sva_bind_device(&process.function->dev, current->mm);
	if (!IS_ERR(sva)) {
		bond->sva = sva;
		bond->pasid = iommu_sva_get_pasid(sva);
	} else {
		error = PTR_ERR(sva);
		if (error == -EOPNOTSUPP)
			error = bond_tie(bond);
		if (error)
			return error;
	}
	bind->pasid = bond->pasid;
	bind->way = bond->sva ? IOPF_PROCESS_BY_KERNEL : IOPF_PROCESS_BY_DRIVER;
	return 0;
}

static int bond_unbind(struct bond *bond)
{
	if (bond->sva)
		iommu_sva_unbind_device(bond->sva);
	else if (bond->domain)
		bond_untie(bond);
	else
		return -ENOENT;
	bond->sva = NULL;
	bond->domain = NULL;
	return 0;
}

/* ---- Slow memory ------------------------------------------------------------------- */

static struct {
	wait_queue_head_t opened;
	bool shut;
	atomic_t waiting;
} gate = {
	.opened = __WAIT_QUEUE_HEAD_INITIALIZER(gate.opened),
};

static vm_fault_t slow_fault(struct vm_fault *fault)
{
	long left;

	atomic_inc(&gate.waiting);
	left = wait_event_timeout(gate.opened, !READ_ONCE(gate.shut), GATE_WAIT);
	atomic_dec(&gate.waiting);
	if (!left)
		return VM_FAULT_SIGBUS;
	fault->page = alloc_page(GFP_USER | __GFP_ZERO);
	return fault->page ? 0 : VM_FAULT_OOM;
}

static const struct vm_operations_struct slow_memory = {
	.fault = slow_fault,
};

static void gate_set(struct iopf_process_gate *state)
{
	WRITE_ONCE(gate.shut, state->shut != 0);
	if (!state->shut)
		wake_up_all(&gate.opened);
	state->waiting = atomic_read(&gate.waiting);
}

/* ---- The file ---------------------------------------------------------------------- */

static int process_open(struct inode *inode, struct file *file)
{
	struct bond *bond = kzalloc(sizeof(*bond), GFP_KERNEL);

	if (!bond)
		return -ENOMEM;
	mutex_lock(&process.lock);
	list_add(&bond->node, &process.bonds);
	mutex_unlock(&process.lock);
	file->private_data = bond;
	return 0;
}

static int process_release(struct inode *inode, struct file *file)
{
	struct bond *bond = file->private_data;

	mutex_lock(&process.lock);
	bond_unbind(bond);
	list_del(&bond->node);
	mutex_unlock(&process.lock);
	kfree(bond);
	return 0;
}

static int process_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &slow_memory;
	return 0;
}

static long process_bind(struct bond *bond, void __user *user)
{
	struct iopf_process_bind bind = {};
	int error;

	mutex_lock(&process.lock);
	error = bond_bind(bond, &bind);
	if (!error && copy_to_user(user, &bind, sizeof(bind))) {
		bond_unbind(bond);
		error = -EFAULT;
	}
	mutex_unlock(&process.lock);
	return error;
}

static long process_unbind(struct bond *bond)
{
	int error;

	mutex_lock(&process.lock);
	error = bond_unbind(bond);
	mutex_unlock(&process.lock);
	return error;
}

static long process_gate(void __user *user)
{
	struct iopf_process_gate state;

	if (copy_from_user(&state, user, sizeof(state)))
		return -EFAULT;
	gate_set(&state);
	return copy_to_user(user, &state, sizeof(state)) ? -EFAULT : 0;
}

static long process_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	struct bond *bond = file->private_data;

	switch (command) {
	case IOPF_PROCESS_BIND:
		return process_bind(bond, user);
	case IOPF_PROCESS_UNBIND:
		return process_unbind(bond);
	case IOPF_PROCESS_GATE:
		return process_gate(user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations process_operations = {
	.owner = THIS_MODULE,
	.open = process_open,
	.release = process_release,
	.mmap = process_mmap,
	.unlocked_ioctl = process_ioctl,
};

static struct miscdevice process_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iopf_process",
	.fops = &process_operations,
};

/* ---- The function ------------------------------------------------------------------ */

static int function_enable(struct pci_dev *pdev)
{
	int error = pci_enable_device_mem(pdev);

	if (error)
		return error;
	pci_set_master(pdev);
	error = function_page_requests_on(&pdev->dev);
	if (error) {
		pci_clear_master(pdev);
		pci_disable_device(pdev);
	}
	return error;
}

static int function_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int error = -EBUSY;		/* one function is enough */

	mutex_lock(&process.lock);
	if (!process.function)
		error = function_enable(pdev);
	if (!error)
		process.function = pdev;
	mutex_unlock(&process.lock);
	return error;
}

static void function_remove(struct pci_dev *pdev)
{
	struct bond *bond;

	mutex_lock(&process.lock);
	list_for_each_entry(bond, &process.bonds, node)
		bond_unbind(bond);
	process.function = NULL;
	function_page_requests_off(&pdev->dev);
	mutex_unlock(&process.lock);
	pci_clear_master(pdev);
	pci_disable_device(pdev);
}

static const struct pci_device_id function_ids[] = {
	{ PCI_DEVICE(0x1234, 0x5a5a) },
	{},
};
MODULE_DEVICE_TABLE(pci, function_ids);

static struct pci_driver function_driver = {
	.name = "iopf_process",
	.id_table = function_ids,
	.probe = function_probe,
	.remove = function_remove,
};

static int __init process_init(void)
{
	int error = pci_register_driver(&function_driver);

	if (error)
		return error;
	error = misc_register(&process_device);
	if (error)
		pci_unregister_driver(&function_driver);
	return error;
}

static void __exit process_exit(void)
{
	misc_deregister(&process_device);
	pci_unregister_driver(&function_driver);
}

module_init(process_init);
module_exit(process_exit);
MODULE_DESCRIPTION("Page tables of processes for the iopf test function");
MODULE_LICENSE("GPL");
