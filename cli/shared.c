/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/shared.c - registers that are memory of the machine's own. */
#include "cli/shared.h"

#include <stddef.h>

/* The machine is of this one's byte order: memory is a word of it. */
static uint64_t load(const struct shared *shared, const struct shared_register *reg)
{
	const void *at = shared->bytes + reg->offset;

	return reg->width_bytes == 8 ? __atomic_load_n((const uint64_t *)at, __ATOMIC_SEQ_CST) :
				       __atomic_load_n((const uint32_t *)at, __ATOMIC_SEQ_CST);
}

/* As much of @value as the register has. */
static uint64_t cut(const struct shared_register *reg, uint64_t value)
{
	return reg->width_bytes == 8 ? value : (uint32_t)value;
}

/* @value in the place of @old; false where something else was written meanwhile. */
static bool swap(struct shared *shared, const struct shared_register *reg, uint64_t old,
		 uint64_t value)
{
	void *at = shared->bytes + reg->offset;
	uint32_t low = (uint32_t)old;

	if (reg->width_bytes == 8)
		return __atomic_compare_exchange_n((uint64_t *)at, &old, value, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return __atomic_compare_exchange_n((uint32_t *)at, &low, (uint32_t)value, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

uint32_t shared_take(struct shared *shared)
{
	uint64_t values[SHARED_MAX];
	uint32_t taken = 0;

	/* Backwards: what stands before a register that was written has been, too. */
	for (uint32_t i = shared->count; i-- > 0;)
		values[i] = load(shared, &shared->registers[i]);
	for (uint32_t i = 0; i < shared->count; i++) {
		const struct shared_register *reg = &shared->registers[i];

		if (values[i] == shared->seen[i])
			continue;
		shared->seen[i] = values[i];
		shared->write(shared->context, reg->offset, reg->width_bytes, values[i]);
		taken++;
	}
	return taken;
}

void shared_show(struct shared *shared)
{
	for (uint32_t i = 0; i < shared->count; i++) {
		const struct shared_register *reg = &shared->registers[i];
		uint64_t value = cut(reg, shared->read(shared->context, reg->offset,
						       reg->width_bytes));

		if (value != shared->seen[i] && swap(shared, reg, shared->seen[i], value))
			shared->seen[i] = value;
	}
}

static uint32_t place(const struct shared *shared, uint32_t offset)
{
	uint32_t i = 0;

	while (i < shared->count && shared->registers[i].offset != offset)
		i++;
	return i;
}

uint64_t shared_seen(const struct shared *shared, uint32_t offset)
{
	uint32_t i = place(shared, offset);

	return i < shared->count ? shared->seen[i] : 0;
}

uint64_t shared_now(const struct shared *shared, uint32_t offset)
{
	uint32_t i = place(shared, offset);

	return i < shared->count ? load(shared, &shared->registers[i]) : 0;
}
