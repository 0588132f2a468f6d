/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/driver_phase.c - bringing an IOMMU up and down, a step at a time. */
#include <errno.h>

#include "queue/driver.h"

static int phase_begin(struct iopf_driver *driver, const struct driver_phase *phase)
{
	int error = phase->act != NULL ? phase->act(driver) : 0;

	if (error == 0 && phase->bit != 0)
		error = driver->family->bit_set(driver, phase->bit, phase->on);
	return error;
}

static int phase_done(struct iopf_driver *driver, const struct driver_phase *phase)
{
	int error = phase->done != NULL ? phase->done(driver) : 0;

	if (error == 0 && phase->bit != 0)
		error = driver->family->bit_shows(driver, phase->bit, phase->on);
	return error;
}

static int phase_run(struct iopf_driver *driver, const struct driver_phase *phase)
{
	int error = 0;

	if (phase->need != 0 && (driver->capability & phase->need) == 0)
		return 0;
	if (!driver->phase_begun)
		error = phase_begin(driver, phase);
	if (error != 0)
		return error;
	driver->phase_begun = true;
	return phase_done(driver, phase);
}

int driver_run(struct iopf_driver *driver, const struct driver_phases *phases)
{
	while (driver->phase < phases->count) {
		int error = phase_run(driver, &phases->phase[driver->phase]);

		if (error == -EAGAIN)
			return error;
		driver->phase_begun = false;
		driver->phase = error == 0 ? (uint8_t)(driver->phase + 1) : 0;
		if (error != 0)
			return error;
	}
	driver->phase = 0;
	return 0;
}

int driver_write_all(struct iopf_driver *driver, const struct driver_register *registers,
		     size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = driver_write(driver, registers[i].offset, registers[i].width,
				     registers[i].value);
	return error;
}

int driver_invalidate_all(struct iopf_driver *driver, const uint8_t *kinds,
			  uint32_t count)
{
	uint64_t wait;
	int error = 0;

	for (uint32_t i = 0; i < count && error == 0; i++) {
		struct iopf_command command = { .kind = kinds[i],
						.granularity = IOPF_ALL,
						.pasid = IOPF_PASID_NONE };

		error = iopf_driver_submit(driver, &command);
	}
	if (error == 0)
		error = iopf_driver_wait(driver, IOPF_WAIT_FENCE, &wait);
	return error == 0 ? iopf_driver_kick(driver) : error;
}

static int errors_check(struct iopf_driver *driver)
{
	int errors = iopf_driver_errors(driver);

	if (errors < 0)
		return errors;
	return errors == 0 ? 0 : -EIO;
}

int driver_invalidated(struct iopf_driver *driver)
{
	if (iopf_driver_waited(driver, driver->wait_submitted))
		return 0;
	return errors_check(driver) != 0 ? -EIO : -EAGAIN;
}

int driver_commands_taken(struct iopf_driver *driver)
{
	int error = driver_command_head(driver, &driver->command_cons);

	if (error != 0 || driver->command_cons == driver->command_published)
		return error == -EIO ? 0 : error;
	return errors_check(driver) == -EIO ? 0 : -EAGAIN;
}
