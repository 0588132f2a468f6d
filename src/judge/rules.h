/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge/rules.h - the rules, and what the judge knows of each family. Adding a family is
 * a row in family.c.
 *
 * A rule's identifier never means anything else. Sources: [PCIe] PCI Express Base
 * Specification 6.x, [VT-d] Intel Virtualization Technology for Directed I/O, [SMMUv3] Arm
 * IHI 0070, [SMMUv2] Arm IHI 0062, [AMD] AMD I/O Virtualization Technology, [RISC-V] RISC-V
 * IOMMU Architecture; [iommufd] the user interface of Linux; [libiopf] what this library
 * promises, ARCHITECTURE.md.
 */
#ifndef JUDGE_RULES_H
#define JUDGE_RULES_H

#include "iopf/judge.h"

#define RULE_F (1U << IOPF_AT_FUNCTION)
#define RULE_Q (1U << IOPF_AT_QUEUE)
#define RULE_G (1U << IOPF_AT_GUEST)
#define RULE_K (1U << IOPF_AT_KERNEL)

#define RULE_PRI    (1U << IOPF_PRI)
#define RULE_STALLS (1U << IOPF_STALLS)
#define RULE_BOTH   (RULE_PRI | RULE_STALLS)

/* X(name, id, party, at, mechanisms, text, source) */
/* clang-format off */
#define JUDGE_RULES(X) \
	X(PRI_ONE_RESPONSE, "PRI-ONE-RESPONSE", HOST, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "A group gets one response, and no second one.", \
	  "PCIe 10.4.2: one PRG Response for a page request group") \
	X(PRI_RESPONSE_DUE, "PRI-RESPONSE-DUE", HOST, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "A group whose last request was sent gets a response.", \
	  "PCIe 10.4.2: the host must respond to every group") \
	X(PRI_RESPONSE_EARLY, "PRI-RESPONSE-EARLY", HOST, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "Before the last request of a group nothing but a failure is said about it.", \
	  "PCIe 10.4.1: a response follows the request with Last set") \
	X(PRI_RESPONSE_MARKER, "PRI-RESPONSE-MARKER", HOST, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "A stop marker gets no response.", \
	  "PCIe 10.4.1.2: stop markers are not answered") \
	X(PRI_RESPONSE_ASKED, "PRI-RESPONSE-ASKED", HOST, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "A response is for a group that was asked.", \
	  "PCIe 10.4.2.1: any other is an unexpected PRG index at the function") \
	X(PRI_RESPONSE_CREDITS, "PRI-RESPONSE-CREDITS", HOST, RULE_Q, RULE_BOTH, \
	  "A response gives back the credits of all requests of its group.", \
	  "PCIe 10.4.2: the requests of a group are outstanding until its response") \
	X(PRI_CODE, "PRI-CODE", HOST, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "A response carries a code that its family has.", \
	  "PCIe 10.4.2: 0 success, 1 invalid, 15 failure; SMMUv3 4.5 CMD_PRI_RESP: 3 is illegal") \
	X(PRI_PASID_REQUIRED, "PRI-PASID-REQUIRED", HOST, RULE_F | RULE_Q, RULE_PRI, \
	  "Where responses need the PASID, one to a request with a PASID carries it.", \
	  "PCIe 10.5.2.3: PRG Response PASID Required is 1") \
	X(PRI_PASID_SUPERFLUOUS, "PRI-PASID-SUPERFLUOUS", HOST, RULE_F | RULE_Q, RULE_PRI, \
	  "Where responses need no PASID, or the request had none, they carry none.", \
	  "PCIe 10.5.2.3: PRG Response PASID Required is 0") \
	X(PRI_PASID_SAME, "PRI-PASID-SAME", HOST, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "The PASID of a response is that of its group.", \
	  "PCIe 10.4.2: a function may match PRG index and PASID") \
	X(PRI_CREDITS, "PRI-CREDITS", DEVICE, RULE_F | RULE_Q, RULE_PRI, \
	  "No more requests are outstanding than were allocated.", \
	  "PCIe 10.5.2.5: Outstanding Page Request Allocation; 10.4.1: each request counts") \
	X(PRI_INDEX_FREE, "PRI-INDEX-FREE", DEVICE, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "An index is not used again while its group waits for a response.", \
	  "PCIe 10.4.1: a PRG index is outstanding until the response") \
	X(PRI_INDEX_RANGE, "PRI-INDEX-RANGE", DEVICE, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "A PRG index has 9 bits.", \
	  "PCIe 10.4.1: Page Request Message, PRG Index") \
	X(PRI_GROUP_PASID, "PRI-GROUP-PASID", DEVICE, RULE_F | RULE_Q, RULE_PRI, \
	  "The requests of a group have the same PASID, or none.", \
	  "PCIe 10.4.1: otherwise the result is undefined") \
	X(PRI_ENABLED, "PRI-ENABLED", DEVICE, RULE_F, RULE_PRI, \
	  "A function that is disabled and has stopped asks nothing.", \
	  "PCIe 10.5.2.3: Stopped; 10.5.2.2: Enable") \
	X(PRI_FAILED, "PRI-FAILED", DEVICE, RULE_F, RULE_PRI, \
	  "After a response failure a function asks nothing until it is enabled again.", \
	  "PCIe 10.4.2: Response Failure disables the page request interface") \
	X(PRI_EXECUTE, "PRI-EXECUTE", DEVICE, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "A request to execute is one to read, too.", \
	  "PCIe 10.4.1: R is set where Execute Requested is") \
	X(PRI_PASID_RIGHTS, "PRI-PASID-RIGHTS", DEVICE, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "Execute and privileged are asked with a PASID alone.", \
	  "PCIe 6.20.2: both are bits of the PASID prefix") \
	X(PRI_PAGE, "PRI-PAGE", DEVICE, RULE_F | RULE_Q | RULE_G, RULE_PRI, \
	  "A page request names a page: a multiple of 4096.", \
	  "PCIe 10.4.1: Page Address [63:12]") \
	X(PRI_STOP_PASID, "PRI-STOP-PASID", DEVICE, RULE_F | RULE_Q, RULE_PRI, \
	  "A stop marker has a PASID.", \
	  "PCIe 10.4.1.2: otherwise the result is undefined") \
	X(PRI_STOP_PARTIAL, "PRI-STOP-PARTIAL", DEVICE, RULE_F, RULE_PRI, \
	  "No group of a PASID is without its last request when its stop marker is sent.", \
	  "PCIe 10.4.1.2: open groups are finished before the marker") \
	X(PRI_ENABLE_STOPPED, "PRI-ENABLE-STOPPED", HOST, RULE_F, RULE_PRI, \
	  "Paging is enabled when nothing is outstanding: Stopped was read, or it was reset.", \
	  "PCIe 10.5.2.3: setting Enable while Stopped is 0 has no defined result") \
	X(PRI_ALLOCATION, "PRI-ALLOCATION", HOST, RULE_F, RULE_PRI, \
	  "The allocation does not change while paging is enabled.", \
	  "PCIe 10.5.2.5: otherwise the result is undefined") \
	X(PRI_RESET_DISABLED, "PRI-RESET-DISABLED", HOST, RULE_F, RULE_PRI, \
	  "The page request interface is reset while it is disabled.", \
	  "PCIe 10.5.2.2: Reset has an effect where Enable is 0 alone") \
	X(PRI_REMOVED, "PRI-REMOVED", DEVICE, RULE_F, RULE_BOTH, \
	  "Nothing comes from a function that is gone.", \
	  "PCIe 6.7.3: surprise removal") \
	X(AUTO_CODE, "AUTO-CODE", IOMMU, RULE_F, RULE_PRI, \
	  "What an IOMMU answers by itself is a code that its family gives by itself.", \
	  "SMMUv3 8.1, 8.2; VT-d, page request overflow; RISC-V, page-request queue") \
	X(AUTO_LAST, "AUTO-LAST", IOMMU, RULE_F, RULE_PRI, \
	  "An IOMMU answers by itself a last request alone; where it is off, any.", \
	  "SMMUv3 8.1, 8.2; VT-d, page request overflow; RISC-V, page-request queue") \
	X(AUTO_PASID, "AUTO-PASID", IOMMU, RULE_F, RULE_PRI, \
	  "A failure that an SMMUv3 sends by itself carries no PASID.", \
	  "SMMUv3 8.1: PASID of automatic responses") \
	X(AUTO_STALL, "AUTO-STALL", IOMMU, RULE_F, RULE_STALLS, \
	  "A stalled transaction is never answered by the IOMMU itself.", \
	  "SMMUv3 7.2: stall records wait for room, and are never thrown away") \
	X(LINK_REQUEST, "LINK-REQUEST", IOMMU, RULE_Q, RULE_BOTH, \
	  "What the queue shows, its function has sent, and once.", \
	  "PCIe 10.4.1; SMMUv3 7.3.13: a record is a request that was made") \
	X(LINK_PAGES, "LINK-PAGES", IOMMU, RULE_Q, RULE_BOTH, \
	  "A group in the queue has the pages and the rights that its function asked for.", \
	  "PCIe 10.4.1; SMMUv3 7.3.13: a record is a request that was made") \
	X(LINK_RESPONSE, "LINK-RESPONSE", IOMMU, RULE_F, RULE_BOTH, \
	  "A response reaches its function as it left the queue, and what the queue has shown " \
	  "is answered through it.", \
	  "PCIe 10.4.2: the response names the group and the code") \
	X(STALL_ONE_RESUME, "STALL-ONE-RESUME", HOST, RULE_F | RULE_Q | RULE_G, RULE_STALLS, \
	  "A stalled transaction is resumed once.", \
	  "SMMUv3 4.7.1: a second CMD_RESUME may reach whoever has the tag then") \
	X(STALL_RESUME_ASKED, "STALL-RESUME-ASKED", HOST, RULE_F | RULE_Q | RULE_G, RULE_STALLS, \
	  "What is resumed was seen to be stalled.", \
	  "SMMUv3 4.7.1: only tags of visible event records; SMMUv2 RESUME: a fault is there") \
	X(STALL_RESUME_DUE, "STALL-RESUME-DUE", HOST, RULE_F | RULE_Q | RULE_G, RULE_STALLS, \
	  "A stalled transaction is resumed, or terminated with its stream.", \
	  "SMMUv3 3.12.2: a stall holds its resources until software ends it") \
	X(STALL_TAG_FREE, "STALL-TAG-FREE", IOMMU, RULE_F | RULE_Q | RULE_G, RULE_STALLS, \
	  "A tag is not given to a second transaction of its stream while the first is stalled.", \
	  "SMMUv3 3.12.2: stream and STAG name a stalled transaction") \
	X(STALL_POOL, "STALL-POOL", IOMMU, RULE_F, RULE_STALLS, \
	  "No more transactions are stalled at once than the IOMMU has room for.", \
	  "SMMUv3 6.3: IDR5.STALL_MAX; SMMUv2: one fault a context bank") \
	X(STALL_LAST, "STALL-LAST", IOMMU, RULE_F | RULE_Q | RULE_G, RULE_STALLS, \
	  "A stalled transaction is a group of its own.", \
	  "SMMUv3 7.3.13: each record with Stall set is acknowledged by itself") \
	X(STALL_CODE, "STALL-CODE", HOST, RULE_F | RULE_Q | RULE_G, RULE_STALLS, \
	  "A stalled transaction is retried or aborted: there is no failure of an interface.", \
	  "SMMUv3 4.7.1: CMD_RESUME; SMMUv2: RESUME") \
	X(STALL_TERMINATED, "STALL-TERMINATED", HOST, RULE_Q, RULE_STALLS, \
	  "What was terminated with its stream is not resumed.", \
	  "SMMUv3 4.7.2: CMD_STALL_TERM frees its tags") \
	X(STALL_END, "STALL-END", IOMMU, RULE_F, RULE_STALLS, \
	  "A stalled transaction ends by its own resume, or with its whole stream.", \
	  "SMMUv3 4.7.2: CMD_STALL_TERM, or translation switched off") \
	X(FAMILY_MECHANISM, "FAMILY-MECHANISM", IOMMU, RULE_F | RULE_Q, RULE_BOTH, \
	  "A function pages in a way that its IOMMU has.", \
	  "VT-d, AMD, RISC-V: no stalls; SMMUv2: no page requests") \
	X(FAMILY_PASID, "FAMILY-PASID", IOMMU, RULE_F | RULE_Q, RULE_BOTH, \
	  "A request has a PASID where its family has PASIDs alone.", \
	  "SMMUv2: a context bank is an address space, there are no PASIDs") \
	X(DETACH_ANSWERED, "DETACH-ANSWERED", HOST, RULE_Q, RULE_BOTH, \
	  "When an address space was taken away, what was open in it has its response.", \
	  "PCIe 10.4.1.2: a function may wait for all responses of a PASID; libiopf I5") \
	X(DISABLE_ANSWERED, "DISABLE-ANSWERED", HOST, RULE_Q, RULE_PRI, \
	  "When paging was switched off, every group has its response.", \
	  "PCIe 10.5.2.3: otherwise Stopped is never set; libiopf I5") \
	X(RESET_SILENT, "RESET-SILENT", HOST, RULE_Q, RULE_BOTH, \
	  "After a reset no response leaves for what was asked before it.", \
	  "PCIe 10.4.2.1: the function has forgotten the question, or asks another one") \
	X(REMOVE_SILENT, "REMOVE-SILENT", HOST, RULE_Q, RULE_BOTH, \
	  "No response leaves for a function that is gone.", \
	  "libiopf I5; PCIe 10.4.2.1: another one may stand in its place") \
	X(ATTACH_FREE, "ATTACH-FREE", HOST, RULE_G, RULE_BOTH, \
	  "An address space is given to an owner when nobody has it.", \
	  "libiopf I9") \
	X(ATTACH_DRAINED, "ATTACH-DRAINED", HOST, RULE_G, RULE_BOTH, \
	  "A PASID is used again when nothing of its time before is open or on its way.", \
	  "PCIe 10.4.1.2; VT-d 7.10; libiopf I9") \
	X(SHOW_OWNER, "SHOW-OWNER", HOST, RULE_G, RULE_BOTH, \
	  "A group is shown to whoever has its address space.", \
	  "libiopf I3") \
	X(SHOW_TIME, "SHOW-TIME", HOST, RULE_G, RULE_BOTH, \
	  "What was asked in an owner's time is not shown in another's.", \
	  "PCIe 10.4.1.2: requests before a marker are of the old use; libiopf I9") \
	X(SHOW_OPEN, "SHOW-OPEN", HOST, RULE_G, RULE_BOTH, \
	  "What is shown is open: its last request came, no response left.", \
	  "libiopf I3") \
	X(SHOW_ONCE, "SHOW-ONCE", HOST, RULE_G, RULE_BOTH, \
	  "A group is shown once.", \
	  "libiopf I2") \
	X(SHOW_PAGES, "SHOW-PAGES", HOST, RULE_G, RULE_BOTH, \
	  "A group is shown with all of its pages.", \
	  "PCIe 10.4.2: success says that every page is there") \
	X(ANSWER_SHOWN, "ANSWER-SHOWN", HOST, RULE_G, RULE_BOTH, \
	  "An answer is taken for a group that was shown.", \
	  "libiopf I3") \
	X(ANSWER_OWNER, "ANSWER-OWNER", HOST, RULE_G, RULE_BOTH, \
	  "An answer is taken from whoever was shown the group.", \
	  "libiopf I3") \
	X(ANSWER_ONCE, "ANSWER-ONCE", HOST, RULE_G, RULE_BOTH, \
	  "One answer is taken for a group, and none after its response.", \
	  "libiopf I2, I3") \
	X(RESPONSE_ANSWER, "RESPONSE-ANSWER", HOST, RULE_Q, RULE_BOTH, \
	  "What leaves in its owner's name, its owner has said.", \
	  "libiopf I3") \
	X(RESPONSE_ENDING, "RESPONSE-ENDING", HOST, RULE_Q, RULE_BOTH, \
	  "What the host ends by itself gets the code of that ending, and no failure.", \
	  "libiopf I3, I8") \
	X(INVALIDATE_WAIT, "INVALIDATE-WAIT", IOMMU, RULE_Q | RULE_G, RULE_BOTH, \
	  "A wait completes when the invalidations that stand before it have.", \
	  "VT-d, invalidation wait; SMMUv3 4.7.3 CMD_SYNC; AMD COMPLETION_WAIT; RISC-V IOFENCE.C") \
	X(INVALIDATE_ASKED, "INVALIDATE-ASKED", IOMMU, RULE_Q | RULE_G, RULE_BOTH, \
	  "An invalidation completes that was begun, and once.", \
	  "PCIe 10.3.1: a completion names its request") \
	X(WAIT_ASKED, "WAIT-ASKED", IOMMU, RULE_Q | RULE_G, RULE_BOTH, \
	  "A wait completes that was begun, and once.", \
	  "VT-d, invalidation wait; SMMUv3 4.7.3 CMD_SYNC; AMD COMPLETION_WAIT; RISC-V IOFENCE.C") \
	X(KERNEL_COOKIE_ZERO, "KERNEL-COOKIE-ZERO", IOMMU, RULE_K, RULE_BOTH, \
	  "A group has a cookie that is not 0.", \
	  "iommufd: struct iommu_hwpt_pgfault, cookie") \
	X(KERNEL_COOKIE_FREE, "KERNEL-COOKIE-FREE", IOMMU, RULE_K, RULE_BOTH, \
	  "A cookie is not given to a second group while the first is unanswered.", \
	  "iommufd: struct iommu_hwpt_pgfault, cookie") \
	X(KERNEL_GROUP_WHOLE, "KERNEL-GROUP-WHOLE", IOMMU, RULE_K, RULE_BOTH, \
	  "A group is read whole: its last message comes before those of another.", \
	  "iommufd: read of a fault descriptor") \
	X(KERNEL_COOKIE_READ, "KERNEL-COOKIE-READ", HOST, RULE_K, RULE_BOTH, \
	  "A cookie that is written was read.", \
	  "iommufd: write of a fault descriptor, EINVAL") \
	X(KERNEL_COOKIE_WHOLE, "KERNEL-COOKIE-WHOLE", HOST, RULE_K, RULE_BOTH, \
	  "A cookie is written when the last message of its group was read.", \
	  "iommufd: one response for a group") \
	X(KERNEL_COOKIE_ONCE, "KERNEL-COOKIE-ONCE", HOST, RULE_K, RULE_BOTH, \
	  "A cookie is written once.", \
	  "iommufd: write of a fault descriptor; the number is given out again at once") \
	X(KERNEL_COOKIE_DETACHED, "KERNEL-COOKIE-DETACHED", HOST, RULE_K, RULE_BOTH, \
	  "After a detach its cookies are not written: the kernel has answered them.", \
	  "iommufd: detach and replace answer what is open") \
	X(KERNEL_CODE, "KERNEL-CODE", HOST, RULE_K, RULE_BOTH, \
	  "A response says success or invalid.", \
	  "iommufd: enum iommu_hwpt_pgfault_response_code") \
	X(KERNEL_DUE, "KERNEL-DUE", HOST, RULE_K, RULE_BOTH, \
	  "A cookie that was read is written, or its device detached.", \
	  "iommufd: nobody else answers a group that was read") \
	X(TIME_ORDER, "TIME-ORDER", RECORD, RULE_F | RULE_Q | RULE_G | RULE_K, RULE_BOTH, \
	  "Time does not run backwards.", \
	  "docs/formats.md, the event language") \
	X(PAUSE_ONCE, "PAUSE-ONCE", RECORD, RULE_F | RULE_Q | RULE_G, RULE_BOTH, \
	  "A pause is begun once, and ended where it was begun.", \
	  "docs/formats.md, the event language") \
	X(PAUSE_CLOSED, "PAUSE-CLOSED", RECORD, RULE_F | RULE_Q | RULE_G, RULE_BOTH, \
	  "A pause that was begun is ended.", \
	  "docs/formats.md, the event language") \
	X(PAUSE_SILENT, "PAUSE-SILENT", HOST, RULE_Q | RULE_G, RULE_BOTH, \
	  "Nothing comes out of a source, or from an owner, that is paused.", \
	  "docs/formats.md, the event language")
/* clang-format on */
#define JUDGE_RULE_ENUM(name, id, party, at, mechanisms, text, source) RULE_##name,
enum judge_rule { JUDGE_RULES(JUDGE_RULE_ENUM) RULE_COUNT };

/* What a family answers without software: none, or it is not known. */
#define FAMILY_OWN(code)    (1U << IOPF_##code)
#define FAMILY_OWN_UNKNOWN 0x80U

struct judge_family {
	const char *name;
	uint8_t mechanisms; /* 1 << enum iopf_mechanism */
	uint8_t own;        /* 1 << enum iopf_code, or FAMILY_OWN_UNKNOWN */
	bool own_any;       /* a failure of its own is for any request, not lasts alone */
	bool own_bare;      /* and carries no PASID */
	bool no_pasids;
};

/* From 0; NULL behind the last. */
const struct judge_family *judge_family(uint32_t number);
/* By name; -1: the judge has no row of it. */
int judge_family_find(const char *name);

#endif
