/* SPDX-License-Identifier: BSD-3-Clause */
/* model/master.c - a platform device: transactions that an SMMU may hold. */
#include "model/master.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 4096u

enum { USE_MAX = 64, STOP_MAX = 16 };

enum slot_state { SLOT_FREE, SLOT_SENT, SLOT_HELD };

struct slot {
	struct model_transaction transaction;
	uint8_t state;   /* enum slot_state */
	bool claimed;    /* somebody waits for it, */
	uint32_t cookie; /* under this name */
	bool orphan;     /* from before a reset */
	uint8_t buffer[PAGE_BYTES];
};

/* What a client was told that it may access. */
struct use {
	uint64_t page;
	uint32_t pasid;
	uint8_t perm;
	bool used;
};

struct model_master {
	struct model_master_options options;
	const struct model_client *client;
	struct slot *slots;
	struct use uses[USE_MAX];
	/* The group that is open, if one is: it is closed by its only page. */
	bool open;
	uint32_t open_pasid, open_cookie;
	uint32_t stopping[STOP_MAX]; /* PASIDs */
	uint32_t stopping_count;
	bool gone;
	struct model_master_state counts; /* its counters only */
};

/* ---- Create -------------------------------------------------------------------- */

int model_master_create(const struct model_master_options *options,
			struct model_master **master)
{
	struct model_master *new;

	if (options->transactions < 1 ||
	    options->transactions > MODEL_MASTER_TRANSACTION_MAX ||
	    options->pasid_width > 20)
		return -EINVAL;
	new = calloc(1, sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	new->slots = calloc(options->transactions, sizeof(*new->slots));
	if (new->slots == NULL) {
		free(new);
		return -ENOMEM;
	}
	new->options = *options;
	*master = new;
	return 0;
}

void model_master_destroy(struct model_master *master)
{
	if (master == NULL)
		return;
	free(master->slots);
	free(master);
}

void model_master_set_client(struct model_master *master,
			     const struct model_client *client)
{
	master->client = client;
}

static void client_tell(const struct model_master *master, uint32_t cookie,
			enum model_outcome outcome)
{
	if (master->client != NULL)
		master->client->answered(master->client->context, cookie, outcome);
}

/* ---- Stopping a PASID ---------------------------------------------------------- */

static bool any_held(const struct model_master *master, uint32_t pasid)
{
	for (uint32_t n = 0; n < master->options.transactions; n++)
		if (master->slots[n].state == SLOT_HELD &&
		    master->slots[n].transaction.pasid == pasid)
			return true;
	return false;
}

bool model_master_stopping(const struct model_master *master, uint32_t pasid)
{
	for (uint32_t n = 0; n < master->stopping_count; n++)
		if (master->stopping[n] == pasid)
			return true;
	return false;
}

int model_master_stop(struct model_master *master, uint32_t pasid)
{
	if (master->gone)
		return -ENODEV;
	if (!any_held(master, pasid))
		return 0;
	if (!model_master_stopping(master, pasid)) {
		if (master->stopping_count == STOP_MAX)
			return -ENOSPC;
		master->stopping[master->stopping_count++] = pasid;
	}
	return -EAGAIN;
}

static void stops_step(struct model_master *master)
{
	for (uint32_t n = 0; n < master->stopping_count;)
		if (any_held(master, master->stopping[n]))
			n++;
		else
			master->stopping[n] = master->stopping[--master->stopping_count];
}

/* ---- Transactions -------------------------------------------------------------- */

static int may_send(const struct model_master *master, uint32_t pasid)
{
	if (master->gone)
		return -ENODEV;
	if (pasid != IOPF_PASID_NONE && pasid >> master->options.pasid_width != 0)
		return -EACCES;
	return model_master_stopping(master, pasid) ? -EAGAIN : 0;
}

static struct slot *slot_free(const struct model_master *master)
{
	for (uint32_t n = 0; n < master->options.transactions; n++)
		if (master->slots[n].state == SLOT_FREE)
			return &master->slots[n];
	return NULL;
}

/* One that is held for the same access, and that nobody waits for. */
static struct slot *slot_unclaimed(const struct model_master *master, uint32_t pasid,
				   uint64_t page, uint8_t perm)
{
	for (uint32_t n = 0; n < master->options.transactions; n++) {
		struct slot *slot = &master->slots[n];
		const struct model_transaction *sent = &slot->transaction;

		if (slot->state == SLOT_HELD && !slot->claimed && !slot->orphan &&
		    sent->pasid == pasid && sent->addr / PAGE_BYTES == page / PAGE_BYTES &&
		    sent->perm == perm)
			return slot;
	}
	return NULL;
}

/* Send what @slot has been filled with. Returns: as struct model_upstream.transact. */
static int slot_send(struct model_master *master, struct slot *slot)
{
	const struct model_upstream *upstream = &master->options.upstream;
	int result;

	slot->state = SLOT_SENT;
	slot->claimed = slot->orphan = false;
	master->counts.transactions++;
	result = upstream->transact(upstream->context, &slot->transaction);
	slot->state = result == -EINPROGRESS ? SLOT_HELD : SLOT_FREE;
	master->counts.stalls += result == -EINPROGRESS;
	master->counts.aborted += result == -EFAULT;
	return result;
}

/* Try the page at @addr. Returns: as struct model_upstream.transact, or -EAGAIN. */
static int touch(struct model_master *master, uint32_t pasid, uint64_t addr, uint8_t perm,
		 struct slot **slot)
{
	*slot = slot_free(master);
	if (*slot == NULL)
		return -EAGAIN;
	(*slot)->transaction = (struct model_transaction){
		.addr = addr,
		.rid = master->options.rid,
		.pasid = pasid,
		.perm = perm,
	};
	return slot_send(master, *slot);
}

void model_master_released(struct model_master *master,
			   const struct model_transaction *transaction, int result)
{
	struct slot *slot = master->slots;
	struct slot *end = slot + master->options.transactions;

	while (slot < end && &slot->transaction != transaction)
		slot++;
	assert(slot < end && slot->state == SLOT_HELD);
	slot->state = SLOT_FREE;
	master->counts.aborted += result != 0;
	stops_step(master);
	if (slot->claimed)
		client_tell(master, slot->cookie,
			    result == 0 ? MODEL_OUTCOME_SUCCESS : MODEL_OUTCOME_INVALID);
}

/* ---- Accesses ------------------------------------------------------------------ */

static int use_take(struct model_master *master, uint32_t pasid, uint64_t page,
		    uint8_t perm, uint32_t *use)
{
	for (uint32_t n = 0; n < USE_MAX; n++) {
		if (master->uses[n].used)
			continue;
		master->uses[n] = (struct use){ page, pasid, perm, true };
		*use = n;
		return 0;
	}
	return -EAGAIN;
}

int model_master_translate(struct model_master *master, uint32_t pasid, uint64_t addr,
			   uint8_t perm, uint32_t *use)
{
	uint64_t page = addr & ~(uint64_t)(PAGE_BYTES - 1);
	int result = may_send(master, pasid);
	struct slot *slot;

	if (result != 0)
		return result;
	if (slot_unclaimed(master, pasid, page, perm) != NULL)
		return -EFAULT;
	result = touch(master, pasid, page, perm, &slot);
	if (result == 0)
		return use_take(master, pasid, page, perm, use);
	return result == -EINPROGRESS ? -EFAULT : result == -EFAULT ? -EIO : result;
}

bool model_master_usable(const struct model_master *master, uint32_t use)
{
	return !master->gone && use < USE_MAX && master->uses[use].used;
}

void model_master_release(struct model_master *master, uint32_t use)
{
	assert(use < USE_MAX && master->uses[use].used);
	master->uses[use].used = false;
}

int model_master_access(struct model_master *master, uint32_t use, uint32_t offset,
			void *buffer, uint32_t size_bytes, bool write)
{
	const struct use *at = &master->uses[use];
	struct slot *slot = slot_free(master);
	int result;

	if (!model_master_usable(master, use) || slot == NULL ||
	    may_send(master, at->pasid) != 0)
		return -ESTALE;
	if (!(at->perm & (write ? IOPF_WRITE : IOPF_READ)) || offset >= PAGE_BYTES ||
	    size_bytes > PAGE_BYTES - offset)
		return -EACCES;
	if (write)
		memcpy(slot->buffer, buffer, size_bytes);
	slot->transaction = (struct model_transaction){
		.addr = at->page + offset,
		.buffer = slot->buffer,
		.rid = master->options.rid,
		.pasid = at->pasid,
		.size_bytes = size_bytes,
		.perm = at->perm,
	};
	result = slot_send(master, slot);
	if (result == 0 && !write)
		memcpy(buffer, slot->buffer, size_bytes);
	return result == -EINPROGRESS ? -ESTALE : result == -EFAULT ? -EIO : result;
}

/* ---- A stall as a group of one page -------------------------------------------- */

int model_master_group_room(const struct model_master *master, uint32_t pasid)
{
	int result = may_send(master, pasid);

	if (result != 0)
		return result;
	return master->open ? -EAGAIN : 1;
}

int model_master_group_open(struct model_master *master, uint32_t pasid, uint32_t cookie)
{
	int room = model_master_group_room(master, pasid);

	if (room < 0)
		return room;
	master->open = true;
	master->open_pasid = pasid;
	master->open_cookie = cookie;
	return 0;
}

/* What was held for the page may have been let go since it was tried. */
int model_master_group_add(struct model_master *master, uint32_t group, uint64_t addr,
			   uint8_t perm, bool last)
{
	uint32_t pasid = master->open_pasid, cookie = master->open_cookie;
	struct slot *slot;
	int result = -EINPROGRESS;

	(void)last;
	if (group != 0 || !master->open)
		return -ENOENT;
	if (addr % PAGE_BYTES != 0 || !(perm & (IOPF_READ | IOPF_WRITE)))
		return -EINVAL;
	slot = slot_unclaimed(master, pasid, addr, perm);
	if (slot == NULL)
		result = touch(master, pasid, addr, perm, &slot);
	if (result == -EAGAIN)
		return -EAGAIN;
	master->open = false;
	if (result == -EINPROGRESS) {
		slot->claimed = true;
		slot->cookie = cookie;
		return 1;
	}
	client_tell(master, cookie,
		    result == 0 ? MODEL_OUTCOME_SUCCESS : MODEL_OUTCOME_INVALID);
	return 1;
}

int model_master_group_close(struct model_master *master, uint32_t group)
{
	if (group != 0 || !master->open)
		return -ENOENT;
	master->open = false;
	client_tell(master, master->open_cookie, MODEL_OUTCOME_STOPPED);
	return 0;
}

void model_master_interrupt(struct model_master *master)
{
	const struct model_master_options *options = &master->options;

	if (options->interrupt && !master->gone)
		options->upstream.interrupt(options->upstream.context, options->rid,
					    options->interrupt_addr,
					    options->interrupt_data);
}

bool model_master_decodes(const struct model_master *master)
{
	return !master->gone;
}

/* ---- What happens to it -------------------------------------------------------- */

/* The bytes of a transaction that is held are gone with the work it was for: let go, it
 * moves none. */
static void forget(struct model_master *master)
{
	master->stopping_count = 0;
	for (uint32_t n = 0; n < master->options.transactions; n++) {
		struct slot *slot = &master->slots[n];
		bool claimed = slot->claimed;

		if (slot->state != SLOT_HELD || slot->orphan)
			continue;
		slot->orphan = true;
		slot->claimed = false;
		slot->transaction.size_bytes = 0;
		if (claimed)
			client_tell(master, slot->cookie, MODEL_OUTCOME_LOST);
	}
	if (master->open)
		client_tell(master, master->open_cookie, MODEL_OUTCOME_LOST);
	master->open = false;
	if (master->client != NULL)
		master->client->reset(master->client->context);
}

void model_master_reset(struct model_master *master)
{
	if (!master->gone)
		forget(master);
}

void model_master_remove(struct model_master *master)
{
	if (master->gone)
		return;
	master->gone = true;
	forget(master);
}

bool model_master_quiet(const struct model_master *master)
{
	for (uint32_t n = 0; n < master->options.transactions; n++)
		if (master->slots[n].state != SLOT_FREE)
			return false;
	return true;
}

/* ---- What can be seen of it ---------------------------------------------------- */

void model_master_state(const struct model_master *master,
			struct model_master_state *state)
{
	*state = master->counts;
	state->rid = master->options.rid;
	state->gone = master->gone;
	for (uint32_t n = 0; n < master->options.transactions; n++) {
		const struct slot *slot = &master->slots[n];

		state->held += slot->state == SLOT_HELD;
		state->orphans += slot->state == SLOT_HELD && slot->orphan;
	}
}

uint32_t model_master_rid(const struct model_master *master)
{
	return master->options.rid;
}
