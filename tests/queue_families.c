/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: what the rows of the families say of each other is so: every family that a
 * guest can have comes with registers where its driver's row says that they are.
 */
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "queue/driver.h"
#include "queue/hardware.h"

#include "test.h"

static alignas(8) uint8_t bytes[16384];
static alignas(4096) uint8_t pages[4096];
static const struct iopf_segment segment = { .base = 0x1000, .size_bytes = sizeof(pages),
					     .memory = pages };
static const struct iopf_memory memory = { &segment, 1 };
static struct iopf_hardware *hardware;

static int on_command(void *context, const struct iopf_command *command)
{
	(void)context;
	(void)command;
	return 0;
}

static void on_interrupt(void *context, uint64_t addr, uint32_t data)
{
	(void)context;
	(void)addr;
	(void)data;
}

static void on_change(void *context)
{
	(void)context;
}

static void on_translation(void *context, bool on)
{
	(void)context;
	(void)on;
}

static void on_queue(void *context, enum iopf_queue_change change)
{
	(void)context;
	(void)change;
}

static const struct iopf_hardware_ops ops = { .command = on_command,
					      .interrupt = on_interrupt,
					      .root_changed = on_change,
					      .translation_changed = on_translation,
					      .queue_changed = on_queue };

static void create(const struct hardware_family *family)
{
	const struct hardware_offer offer = { .levels = 4, .stall_max = 16 };
	struct iopf_hardware_options options = { .size_bytes = sizeof(options),
						 .wire = family->wire,
						 .memory = &memory,
						 .ops = &ops };

	CHECK_EQ(family->offer(&offer, &options), 0);
	CHECK_EQ(iopf_hardware_create(&options, bytes, sizeof(bytes), &hardware), 0);
}

/* A register is there, and takes what is written to it. */
static void is_there(uint32_t offset, uint32_t width, bool writes)
{
	uint64_t value, before = iopf_hardware_stats(hardware)->bad_accesses;

	CHECK_EQ(iopf_hardware_read(hardware, offset, width, &value), 0);
	if (writes)
		CHECK_EQ(iopf_hardware_write(hardware, offset, width, value), 0);
	CHECK_EQ(iopf_hardware_stats(hardware)->bad_accesses, before);
}

static uint64_t read_back(const struct driver_place *place, uint64_t value)
{
	uint64_t read = 0;

	CHECK_EQ(iopf_hardware_write(hardware, place->offset, place->width, value), 0);
	CHECK_EQ(iopf_hardware_read(hardware, place->offset, place->width, &read), 0);
	return read;
}

static void place_holds(const struct driver_place *place)
{
	uint64_t page = UINT64_C(0x12345000) >> place->addr_shift;

	is_there(place->offset, place->width, true);
	CHECK_EQ(place->addr & place->size, 0);
	if (place->addr != 0) {
		CHECK_EQ(page & ~place->addr, 0);
		CHECK_EQ(read_back(place, page | place->flags) & place->addr, page);
	}
	if (place->size != 0)
		CHECK(read_back(place, place->flags | place->size) != read_back(place, 0));
	if (place->bits == 0)
		return;
	is_there(place->shows, place->control_width, false);
	is_there(place->control, place->control_width, true);
}

static void each(void (*test)(const struct hardware_family *family,
			      const struct driver_family *driver))
{
	unsigned count = 0;

	for (const struct hardware_family *const *family = hardware_families;
	     *family != NULL; family++) {
		CHECK(hardware_family_find((*family)->wire->name) == *family);
		CHECK(driver_family_of((*family)->wire) != NULL);
		if ((*family)->guest_mechanisms == 0)
			continue;
		create(*family);
		test(*family, driver_family_of((*family)->wire));
		count++;
	}
	CHECK(count > 0);
}

static void has_places(const struct hardware_family *family,
		       const struct driver_family *driver)
{
	(void)family;
	for (unsigned role = 0; role < DRIVER_ROLE_COUNT; role++)
		if (driver->places[role].width != 0)
			place_holds(&driver->places[role]);
	CHECK(driver->places[DRIVER_COMMANDS].width != 0);
	CHECK(driver->places[DRIVER_REQUESTS].width != 0);
	CHECK(driver->places[DRIVER_ROOT].width != 0);
	is_there(driver->command.prod, driver->index_bytes, true);
	is_there(driver->command.cons, driver->index_bytes, false);
	is_there(driver->request.cons, driver->index_bytes, true);
	is_there(driver->request.prod, driver->index_bytes, false);
}

TEST(bases_and_indices_are_where_the_row_says)
{
	each(has_places);
}

static void says_what_it_can(const struct hardware_family *family,
			     const struct driver_family *driver)
{
	bool events = driver->places[DRIVER_EVENTS].width != 0;

	CHECK_EQ(family->guest_mechanisms & ~family->mechanisms, 0);
	CHECK_EQ(events, family->fault_room != NULL);
	CHECK(family->rid_max >= 0xffff);
	CHECK(!hardware_family_pages(family, IOPF_STALLS) || family->stall_reason != 0);
	CHECK(!hardware_family_pages(family, IOPF_STALLS) || events);
	CHECK_EQ(hardware_family_shown(family, IOPF_PRI), IOPF_PRI);
	for (const uint32_t *bell = family->doorbells; *bell != 0; bell++)
		is_there(*bell, 4, false);
}

TEST(guest_is_shown_what_a_host_of_its_family_has)
{
	each(says_what_it_can);
}

TEST(first_family_of_each_mechanism_is_one_that_guests_have)
{
	for (unsigned k = IOPF_PRI; k <= IOPF_STALLS; k++) {
		const struct hardware_family *first = hardware_family_first(k);

		CHECK(first != NULL && hardware_family_pages(first, k));
		CHECK_EQ(hardware_family_shown(first, k), k);
	}
	CHECK(hardware_family_find("none") == NULL);
}

int main(void)
{
	return test_main();
}
