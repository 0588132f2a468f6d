/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_books.h - what has to be answered, written down at the functions' ends. */
#ifndef TESTS_SIM_BOOKS_H
#define TESTS_SIM_BOOKS_H

#include "sim/world.h"

#include "test.h"

enum { CALM, MARKER, NO_PASID, WILD, FUNCTIONS };
enum { CLASSES = 8 }; /* of PASIDs */

static const uint32_t rids[FUNCTIONS] = { 0x0310, 0x0318, 0x0400, 0x0408 };

/* What has to be answered, as the function sees it. */
struct book {
	uint32_t open[512][CLASSES];
	bool grace; /* reset or removed: what was on its way may come */
	bool raw;   /* it sent what no function should */
};

static struct book books[FUNCTIONS];

static unsigned function_of(const struct model_function *function)
{
	unsigned i = 0;

	while (model_function_rid(function) != rids[i])
		i++;
	return i;
}

static unsigned class_of(unsigned function, uint32_t pasid)
{
	return function == NO_PASID ? 0 : pasid % CLASSES;
}

static void on_request(void *context, struct model_function *from, uint32_t pasid,
		       uint8_t perm, uint64_t payload)
{
	unsigned i = function_of(from);
	struct iopf_request request;

	(void)context;
	if (iopf_pcie_decode_request(payload, rids[i], pasid, perm, &request) == 0 &&
	    (request.flags & (IOPF_LAST | IOPF_STOP)) == IOPF_LAST)
		books[i].open[request.index][class_of(i, pasid)]++;
}

static void on_response(void *context, struct model_function *to, uint32_t pasid,
			uint64_t payload, enum model_verdict verdict)
{
	unsigned i = function_of(to);
	struct book *book = &books[i];
	struct iopf_prg_response response;
	uint32_t *open;

	(void)context;
	CHECK_EQ(iopf_pcie_decode_response(payload, pasid, &response), 0);
	/* The IOMMU's own in an overflow does not know what a function's responses carry. */
	if (book->grace || (i == NO_PASID && pasid != IOPF_PASID_NONE))
		return;
	open = &book->open[response.index][class_of(i, pasid)];
	CHECK(*open > 0);
	--*open;
	CHECK(book->raw || verdict != MODEL_UNEXPECTED);
}

static void on_reset(void *context, struct model_function *function, enum model_reset reset)
{
	struct book *book = &books[function_of(function)];

	(void)context;
	/* What sends raw messages sends them when its paging is off, too. */
	if (reset == MODEL_PRI_DISABLED || reset == MODEL_PRI_ENABLED ||
	    (reset == MODEL_PRI_RESET && book->raw))
		return;
	memset(book->open, 0, sizeof(book->open));
	book->raw = false;
	book->grace |= reset == MODEL_FLR || reset == MODEL_REMOVED;
}

static void on_credits(void *context, struct model_function *function, uint32_t in_use,
		       uint32_t allocation)
{
	(void)context;
	CHECK(books[function_of(function)].raw || in_use <= allocation);
}

#endif
