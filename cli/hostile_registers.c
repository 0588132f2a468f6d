/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/hostile_registers.c - what a hostile guest does to its virtual IOMMU's registers.
 *
 * The acts know what registers are for (queue/driver.h, enum driver_role), not whose they
 * are: a family to come is attacked as its row says.
 */
#include "cli/cli.h"
#include "cli/hostile.h"
#include "queue/driver.h"

/* ---- Indices ----------------------------------------------------------------------- */

static uint32_t index_write(struct hostile *hostile, uint32_t offset, uint64_t value)
{
	hostile_write(hostile, offset, hostile->driver->family->index_bytes, value);
	hostile_turns(hostile, 1);
	return 1;
}

/* Each value into the one, then into the other. */
static uint32_t indices_write(struct hostile *hostile, const struct driver_indices *at,
			      const uint64_t *values, size_t count)
{
	uint32_t done = 0;

	for (size_t i = 0; i < count; i++) {
		done += index_write(hostile, at->cons, values[i]);
		done += index_write(hostile, at->prod, values[i]);
	}
	return done;
}

/* Whatever an act does, the device goes on asking before and after it. */
static void begin(struct hostile *hostile)
{
	struct iopf_request request;

	(void)hostile_hold(hostile, &request);
}

static void end(struct hostile *hostile, enum hostile_act act, uint32_t count)
{
	begin(hostile);
	hostile_did(hostile, act, count, true);
}

/* Published before they were written, in the middle of one where a register holds bytes,
 * beyond the queue; and again where commands are shorter, if they can be. */
void hostile_truncated(struct hostile *hostile)
{
	static const uint64_t halves[] = { 1, 3, 0x7ff, 0, 1, 7 };
	const struct driver_family *family = hostile->driver->family;
	const struct driver_place *place = &family->places[DRIVER_COMMANDS];
	uint32_t half = family->convention.byte_offsets ? 16 : 1, count = 0;

	begin(hostile);
	for (size_t i = 0; i < CLI_COUNT(halves); i++) {
		if (halves[i] == 0)
			hostile_write(hostile, place->offset, place->width,
				      hostile->driver->command.addr >> place->addr_shift);
		count += index_write(hostile, family->command.prod, halves[i] * half);
	}
	end(hostile, HOSTILE_truncated, count);
}

void hostile_command_index(struct hostile *hostile)
{
	static const uint64_t values[] = { 0x7ffe0,	    0xfffff,	UINT64_MAX,
					   0x4000,	    0x40,	UINT64_C(1) << 31,
					   UINT64_C(1) << 63, 0x7f000000, 7 };

	begin(hostile);
	end(hostile, HOSTILE_command_index,
	    indices_write(hostile, &hostile->driver->family->command, values,
			  CLI_COUNT(values)));
}

/* Also running away: as if everything that may ever come were taken already. */
void hostile_request_index(struct hostile *hostile)
{
	static const uint64_t values[] = { 0x7ffe0, 0xfffff, UINT64_MAX, 0x20, 0x40,
					   UINT64_C(1) << 31, 0x11, 0x1fe0, 1, 0 };
	const struct driver_family *family = hostile->driver->family;
	uint32_t count = 0;

	begin(hostile);
	count += indices_write(hostile, &family->request, values, CLI_COUNT(values));
	if (family->places[DRIVER_EVENTS].width != 0)
		count += indices_write(hostile, &family->event, values,
				       CLI_COUNT(values));
	end(hostile, HOSTILE_request_index, count);
}

/* ---- Bases ------------------------------------------------------------------------- */

/* What is set beside an address. */
enum beside {
	BESIDE_NOTHING,
	BESIDE_USUAL, /* as a driver does */
	BESIDE_ALL,   /* the largest size; every bit of a mode */
	BESIDE_OTHER, /* what a driver does not set */
};

static uint64_t beside(const struct driver_place *place, enum beside what)
{
	const uint64_t bits[] = { [BESIDE_NOTHING] = 0,
				  [BESIDE_USUAL] = place->flags,
				  [BESIDE_ALL] = place->flags | place->size,
				  [BESIDE_OTHER] = place->size & ~place->flags };

	return bits[what];
}

enum { BASES = 7 };

/* Out of memory, at its very end, over the agent's own structures, nowhere. */
static uint64_t base_value(const struct guest *guest, const struct driver_place *place,
			   unsigned number)
{
	const uint64_t last = LAYOUT_BASE + guest->layout.size_bytes - LAYOUT_PAGE;
	const struct {
		uint64_t addr;
		enum beside beside;
	} values[BASES] = {
		{ 0, BESIDE_USUAL },	       { UINT64_MAX, BESIDE_USUAL },
		{ last, BESIDE_ALL },	       { UINT64_C(1) << 40, BESIDE_USUAL },
		{ LAYOUT_BASE, BESIDE_NOTHING }, { LAYOUT_BASE + LAYOUT_PAGE, BESIDE_OTHER },
		{ LAYOUT_BASE, BESIDE_USUAL },
	};

	return (values[number].addr >> place->addr_shift & place->addr) |
	       beside(place, values[number].beside);
}

static void place_switch(struct hostile *hostile, const struct driver_place *place, bool on)
{
	uint64_t shown;

	if (place->bits == 0)
		return;
	shown = port_read(&hostile->guest->port, PORT_read, place->shows,
			  place->control_width);
	hostile_write(hostile, place->control, place->control_width,
		      on ? shown | place->bits : shown & ~place->bits);
	hostile_turns(hostile, 1);
}

/* Once while it is in force, once while it is not; then something is published there. */
static uint32_t place_write(struct hostile *hostile, const struct driver_place *place,
			    uint64_t value, const struct driver_indices *at)
{
	hostile_write(hostile, place->offset, place->width, value);
	place_switch(hostile, place, false);
	hostile_write(hostile, place->offset, place->width, value);
	place_switch(hostile, place, true);
	if (at != NULL)
		(void)index_write(hostile, at->prod, 0x40);
	return 2;
}

static uint32_t bases_write(struct hostile *hostile, enum driver_role role,
			    const struct driver_indices *at)
{
	const struct driver_place *place = &hostile->driver->family->places[role];
	uint32_t count = 0;

	if (place->width == 0)
		return 0;
	for (unsigned i = 0; i < BASES; i++)
		count += place_write(hostile, place, base_value(hostile->guest, place, i),
				     at);
	return count + place_write(hostile, place, UINT64_MAX, at);
}

void hostile_command_base(struct hostile *hostile)
{
	begin(hostile);
	end(hostile, HOSTILE_command_base,
	    bases_write(hostile, DRIVER_COMMANDS, &hostile->driver->family->command));
}

void hostile_request_base(struct hostile *hostile)
{
	uint32_t count;

	begin(hostile);
	count = bases_write(hostile, DRIVER_REQUESTS, NULL);
	end(hostile, HOSTILE_request_base,
	    count + bases_write(hostile, DRIVER_EVENTS, NULL));
}

/* Formats that are not, sizes beyond everything, an IOMMU that goes off and on; the shape
 * of the table while it lies well, and while it does not. */
void hostile_root_anywhere(struct hostile *hostile)
{
	uint32_t count;

	begin(hostile);
	count = bases_write(hostile, DRIVER_ROOT_CONFIG, NULL);
	count += bases_write(hostile, DRIVER_ROOT, NULL);
	end(hostile, HOSTILE_root_anywhere,
	    count + bases_write(hostile, DRIVER_ROOT_CONFIG, NULL));
}

/* ---- Everything else --------------------------------------------------------------- */

void hostile_doorbell_storm(struct hostile *hostile)
{
	const struct driver_family *family = hostile->driver->family;
	const struct {
		uint32_t offset, width;
	} bells[] = {
		{ family->command.prod, family->index_bytes },
		{ family->request.cons, family->index_bytes },
		{ family->event.cons, family->index_bytes },
		{ family->status, 4 },
	};
	enum { STORM = 4000 };

	for (uint32_t i = 0; i < STORM && !hostile->guest->port.stop; i++)
		hostile_write(hostile, bells[i % CLI_COUNT(bells)].offset,
			      bells[i % CLI_COUNT(bells)].width, 0);
	hostile_did(hostile, HOSTILE_doorbell_storm, STORM, true);
}

static uint32_t access_make(struct hostile *hostile, uint32_t offset, uint32_t width)
{
	struct port *port = &hostile->guest->port;

	(void)port_read(port, PORT_read, offset, width);
	port_write(port, PORT_write, offset, width, UINT64_MAX);
	(void)port_read(port, PORT_device_read, offset, width);
	port_write(port, PORT_device_write, offset, width, UINT64_MAX);
	return 4;
}

void hostile_register_width(struct hostile *hostile)
{
	static const uint32_t widths[] = { 0, 1, 2, 16, 255 };
	const struct driver_family *family = hostile->driver->family;
	uint32_t count = 0;

	for (size_t i = 0; i < CLI_COUNT(widths); i++) {
		count += access_make(hostile, family->command.prod, widths[i]);
		count += access_make(hostile, family->request.cons, widths[i]);
		count += access_make(hostile, family->places[DRIVER_ROOT].offset, widths[i]);
	}
	hostile_did(hostile, HOSTILE_register_width, count, true);
}

void hostile_register_offset(struct hostile *hostile)
{
	static const uint32_t offsets[] = { 3,	     0x81,	 0xff8,     0x1000,
					    0x20000, 0xfffffff8, UINT32_MAX };
	uint32_t count = 0;

	for (size_t i = 0; i < CLI_COUNT(offsets); i++)
		count += access_make(hostile, offsets[i], i == 0 ? 4 : 8);
	hostile_did(hostile, HOSTILE_register_offset, count, true);
}
