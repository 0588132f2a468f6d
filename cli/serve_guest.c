/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve_guest.c - machine A: this library's host side, and the program is its guest.
 *
 * The same as in `iopf run`, with one guest: a model of VT-d as the physical IOMMU, a host
 * over it, a function with an engine behind it. What the program reaches is the guest's
 * virtual VT-d and the virtual configuration space of its function.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/serve.h"
#include "cli/serve_bench.h"
#include "cli/serve_house.h"
#include "guest/guest.h"
#include "model/config.h"

enum {
	RID = 0x0008, /* 00:01.0, physical and as the guest sees it */
	SPACES = 64,
	FUNCTION = 0, /* of the guest's functions */
};

struct serve_guest {
	struct serve_house house;
	struct bench *bench;
	struct bench_queue queue;
	struct iopf_config_options config; /* what the guest sees of its function */
	bool resetting; /* the guest has reset its function, and that is not over */
};

static struct serve_guest *state(const struct serve *serve)
{
	return serve->state;
}

/* ---- What is another's here than in a run ------------------------------------------ */

static void on_interrupt(struct run_guest *guest, uint64_t addr, uint32_t data)
{
	serve_interrupt(guest->run->context, addr, data);
}

static struct iopf_config *view(const struct serve *serve)
{
	const struct run_guest *guest = &state(serve)->house.guest;

	return iopf_host_guest_config(guest->machine->host, guest->id, FUNCTION);
}

/* The function's physical interrupt is the host's; the guest gets its own. */
static void on_device_interrupt(struct run_guest *guest)
{
	struct serve *serve = guest->run->context;
	uint64_t addr;
	uint32_t data;

	if (view(serve) != NULL && iopf_config_interrupt(view(serve), &addr, &data))
		serve_interrupt(serve, addr, data);
}

/* Bus mastering is the guest's own affair, as it is behind VFIO. */
static void master_follow(const struct serve_guest *machine)
{
	const struct iopf_config *seen_as = view(machine->house.run.context);
	struct iopf_config_state seen;

	if (seen_as == NULL)
		return; /* the guest is gone */
	iopf_config_state(seen_as, &seen);
	model_function_config_write(machine->house.guest.function, CONFIG_COMMAND, 2,
				    COMMAND_MEMORY |
					    (seen.master ? COMMAND_BUS_MASTER : 0u));
}

static void on_changed(void *context, enum iopf_config_change change)
{
	struct serve_guest *machine = context;

	machine->resetting |= change == IOPF_CONFIG_RESET;
	if (change == IOPF_CONFIG_COMMAND)
		master_follow(machine);
}

/* The bench looks on at the function's end of the link, and the checkers behind it. */
static void adapt(struct run_guest *guest, struct model_function_options *function,
		  struct model_engine_options *engine)
{
	struct serve *serve = guest->run->context;

	function->observer = bench_observer(state(serve)->bench);
	function->endpoint = false; /* integrated in the root complex: it has no link */
	function->pasid_width = 20;
	function->pasid_in_response = true;
	function->bar_bytes = SERVE_BAR_BYTES;
	engine->job_max = MODEL_ENGINE_JOB_MAX;
	engine->patient = true;
}

static void on_response(void *context, uint32_t pasid, uint64_t payload)
{
	const struct serve_guest *machine = context;

	model_function_response(machine->house.guest.function, pasid, payload);
}

static int on_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	const struct serve_guest *machine = context;

	return bench_invalidate(machine->bench, pasid, payload);
}

static void plug(struct run_guest *guest, struct model_downstream *downstream)
{
	*downstream = (struct model_downstream){ .context = state(guest->run->context),
						 .response = on_response,
						 .invalidate = on_invalidate };
}

static const struct run_hooks hooks = { .interrupt = on_interrupt,
					.device_interrupt = on_device_interrupt,
					.adapt = adapt,
					.plug = plug };

static const struct serve_house_options house_options = {
	.combination = { .host = "vtd", .guest = "vtd", .mechanism = IOPF_PRI, .shown = IOPF_PRI,
			 .pasids = true },
	.hooks = &hooks,
	.endpoint_name = "00:01.0",
	.rid = RID,
	.space_max = SPACES,
	.levels = 5,
};

/* ---- Create and destroy ------------------------------------------------------------ */

static const struct iopf_config_options config = {
	.size_bytes = sizeof(config),
	.vendor_id = 0x1234,
	.device_id = 0x5a5a,
	.subsystem_vendor_id = 0x1234,
	.subsystem_id = 0x5a5a,
	.class_code = 0x120000, /* processing accelerator */
	.revision = 1,
	.msi = true,
	.ats = true,
	.pri = true,
	.pasid = true,
	.pasid_bits = 20,
	.pasid_rights = IOPF_EXEC | IOPF_PRIV,
	.bars = { { .size_bytes = SERVE_BAR_BYTES, .flags = IOPF_BAR_64 } },
};

static uint64_t shown(void *context)
{
	const struct run_guest *guest = context;
	struct iopf_guest_stats stats;

	iopf_guest_stats(iopf_host_guest(guest->machine->host, guest->id), &stats);
	return stats.shown;
}

static uint64_t broken(void *context)
{
	const struct run_guest *guest = context;

	return sim_check_violations(guest->machine->check);
}

/* Before the function: it looks on from the first message. */
static int bench_prepare(struct serve *serve, struct serve_guest *machine)
{
	const struct bench_options options = {
		.next = watch_observer(&machine->house.guest),
		.now_ns = cli_now_ns,
		.break_invalidations = serve->options.broken != NULL,
		.shown = shown,
		.broken = broken,
		.context = &machine->house.guest,
	};

	if (bench_create(&options, &machine->bench) == 0)
		return CLI_OK;
	cli_error("no memory for the bench");
	return CLI_MISSING;
}

static void bench_begin(struct serve_guest *machine)
{
	struct run_guest *guest = &machine->house.guest;
	struct iopf_guest *queue = iopf_host_guest(guest->machine->host, guest->id);

	bench_connect(machine->bench, guest->function, guest->engine);
	bench_queue_create(&machine->queue, queue->hardware);
	bench_queue_add(&machine->queue, machine->bench);
}

static void config_prepare(struct serve_guest *machine)
{
	machine->config = config;
	machine->config.changed = on_changed;
	machine->config.context = machine;
	machine->house.guest.config = &machine->config;
}

static int guest_create(struct serve *serve)
{
	struct serve_guest *machine = calloc(1, sizeof(*machine));
	int code;

	if (machine == NULL) {
		cli_error("no memory for the guest's machine");
		return CLI_MISSING;
	}
	serve->state = machine;
	serve_house_prepare(serve, &house_options);
	config_prepare(machine);
	code = record_open(&machine->house.run);
	if (code == CLI_OK)
		code = bench_prepare(serve, machine);
	if (code == CLI_OK)
		code = machines_create(&machine->house.run);
	if (code != CLI_OK)
		return code;
	bench_begin(machine);
	master_follow(machine);
	machine->house.run.begun_ns = cli_now_ns();
	record_world(&machine->house.run);
	serve->functions[0] = (struct serve_function){ .rid = RID,
						       .function = machine->house.guest.function,
						       .engine = machine->house.guest.engine,
						       .bench = machine->bench };
	serve->function_count = 1;
	return CLI_OK;
}

static void guest_destroy(struct serve *serve)
{
	struct serve_guest *machine = state(serve);

	if (machine == NULL)
		return;
	record_close(&machine->house.run);
	machines_destroy(&machine->house.run);
	if (machine->bench != NULL)
		bench_destroy(machine->bench);
	free(machine);
	serve->state = NULL;
}

/* ---- What the program reaches ------------------------------------------------------ */

static uint64_t guest_register_read(struct serve *serve, uint32_t offset,
				    uint32_t width_bytes)
{
	const struct run_guest *guest = &state(serve)->house.guest;

	return iopf_host_guest_read(guest->machine->host, guest->id, offset, width_bytes);
}

static void guest_register_write(struct serve *serve, uint32_t offset,
				 uint32_t width_bytes, uint64_t value)
{
	const struct run_guest *guest = &state(serve)->house.guest;

	iopf_host_guest_write(guest->machine->host, guest->id, offset, width_bytes, value);
}

static uint32_t guest_config_read(struct serve *serve, uint32_t rid, uint32_t offset,
				  uint32_t width_bytes)
{
	const struct run_guest *guest = &state(serve)->house.guest;

	if (rid != RID)
		return UINT32_MAX;
	return iopf_host_guest_config_read(guest->machine->host, guest->id, FUNCTION,
					   offset, width_bytes);
}

static void guest_config_write(struct serve *serve, uint32_t rid, uint32_t offset,
			       uint32_t width_bytes, uint32_t value)
{
	const struct run_guest *guest = &state(serve)->house.guest;

	if (rid == RID)
		iopf_host_guest_config_write(guest->machine->host, guest->id, FUNCTION,
					     offset, width_bytes, value);
}

/* ---- Turns ------------------------------------------------------------------------- */

/* A function forgets what firmware has set when it is reset. */
static void reset_go_on(struct serve_guest *machine)
{
	struct run_guest *guest = &machine->house.guest;

	if (iopf_host_busy(guest->machine->host, guest->endpoint))
		return;
	machine->resetting = false;
	device_prepare(guest);
	master_follow(machine);
}

/* The bench has sent what no function would. */
static bool benched(const struct serve_guest *machine)
{
	struct model_function_state function;

	model_function_state(machine->house.guest.function, &function);
	return function.raw_requests > 0;
}

/* A group of the bench's that has no last request ends with a reset alone: the one that a
 * function is given after its guest. */
static void partials_end(struct serve_guest *machine)
{
	struct run_guest *guest = &machine->house.guest;
	struct iopf_host *host = guest->machine->host;

	if (iopf_host_guest_over(host, guest->id) && !machine->resetting &&
	    device_state(guest).in_use > 0 && benched(machine))
		machine->resetting = iopf_host_reset_function(host, guest->endpoint,
							      machine->house.run.now_ns) == 0;
}

static uint32_t guest_turn(struct serve *serve, uint64_t now_ns)
{
	struct serve_guest *machine = state(serve);
	uint32_t done = serve_house_turn(serve, now_ns);

	if (machine->resetting)
		reset_go_on(machine);
	if (machine->house.guest.let_go)
		partials_end(machine);
	return done;
}

static bool guest_over(const struct serve *serve)
{
	return !state(serve)->resetting && serve_house_over(serve);
}

/* A function may complain of answers to what its bench has sent. */
static void guest_judge(struct serve *serve)
{
	struct serve_guest *machine = state(serve);

	machine->house.benched = benched(machine);
	serve_house_judge(serve);
}

const struct serve_machine_ops serve_guest = {
	.name = "guest",
	.create = guest_create,
	.destroy = guest_destroy,
	.register_read = guest_register_read,
	.register_write = guest_register_write,
	.config_read = guest_config_read,
	.config_write = guest_config_write,
	.turn = guest_turn,
	.next_ns = serve_house_next_ns,
	.gone = serve_house_gone,
	.over = guest_over,
	.judge = guest_judge,
	.report = serve_house_report,
	.report_json = serve_house_report_json,
};
