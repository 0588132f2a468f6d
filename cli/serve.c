/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve.c - `iopf serve`: a virtual machine is given an IOMMU and devices that page. */
#include "cli/serve.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"

/* ---- Options ----------------------------------------------------------------------- */

#define MILLISECOND UINT64_C(1000000)
#define SECOND      UINT64_C(1000000000)
#define DAY         (86400 * SECOND)
#define MIB_MAX     UINT64_C(2048) /* beyond, memory is not in one piece */
#define WINDOW_LAST (UINT64_C(0x100000000) - SERVE_WINDOW_BYTES)

#define MEMBER(name) offsetof(struct serve_options, name)
#define TEXT(name)   MEMBER(name), 0, 0, OPTION_TEXT
#define FLAG(name)   MEMBER(name), 0, 0, OPTION_FLAG

static const struct option options[] = {
	{ "vtd", NULL, "the IOMMU is a VT-d, behind the window", FLAG(vtd) },
	{ "smmuv3", NULL,
	  "the IOMMU is an Arm SMMUv3, in the last MiB of the\n"
	  "machine's memory, with a device that stalls",
	  FLAG(smmuv3) },
	{ "as-hardware", NULL,
	  "PROGRAM is a host, and what it has is hardware: models\n"
	  "alone. Default: PROGRAM is a guest of this library",
	  FLAG(as_hardware) },
	{ "memory-mib", "N", "of PROGRAM's machine, 16 to 2048; default 768",
	  MEMBER(memory_mib), 16, MIB_MAX, OPTION_NUMBER },
	{ "window", "ADDR",
	  "where PROGRAM's tables say that the window is: 3 where\n"
	  "firmware puts it elsewhere; default: not looked at",
	  MEMBER(window), SERVE_WINDOW_BYTES, WINDOW_LAST, OPTION_NUMBER },
	{ "levels", "N", "of the guest's page tables: 4, or up to 5; default 5",
	  MEMBER(levels), 4, 5, OPTION_NUMBER },
	{ "functions", "N", "with --as-hardware: 1 or 2; default 1", MEMBER(functions), 1,
	  SERVE_FUNCTION_MAX, OPTION_NUMBER },
	{ "seconds", "S",
	  "how long PROGRAM has, 0.001 to 86400; default 600. One\n"
	  "that has not ended then is ended, and that does not hold",
	  MEMBER(seconds_ns), MILLISECOND, DAY, OPTION_SECONDS },
	{ "record", "FILE", "write what happens in the event language", TEXT(record) },
	{ "json", NULL, "the result as JSON, schema iopf.serve/1", FLAG(json) },
	{ "break", "WHAT",
	  "invalidations: functions acknowledge them and keep what\n"
	  "they have. Whoever tests PROGRAM sees that tests find it",
	  TEXT(broken) },
};

static const struct option_table table = {
	.usage = "serve [OPTION...] -- PROGRAM [ARGUMENT...]",
	.about = "Starts PROGRAM, a QEMU with a machine of its own, and is what that machine\n"
		 "finds behind one window of registers: an IOMMU, and functions that page behind\n"
		 "it, on PCI segment 1. In its arguments these are replaced:\n"
		 "  @memory@   the path of the machine's memory, a file as large as was said\n"
		 "  @proxy@    the descriptor for -device x-pci-proxy-dev,fd=; with --vtd\n"
		 "  @qtest@    the descriptor for -chardev socket,fd= of -qtest",
	.after = "PROGRAM says yes by the code 33 and no by 35, as -device isa-debug-exit makes\n"
		 "them of 0x10 and 0x11; with --smmuv3 its device has a register for that, and\n"
		 "the code is 0. This ends with 0 after a yes where every invariant held;\n"
		 "with 1 where not, or where PROGRAM ended without a yes; with 2 where an option\n"
		 "is of no use; with 3 where something needed is missing, or the window is not at\n"
		 "--window; with 130 or 143 after SIGINT or SIGTERM.",
	.options = options,
	.count = CLI_COUNT(options),
	.operand = MEMBER(words),
	.operand_name = "PROGRAM",
	.operand_max = SERVE_WORD_MAX,
	.operand_count = MEMBER(word_count),
};

static bool options_fit(const struct serve_options *given)
{
	const char *wrong = NULL;

	if (given->vtd == given->smmuv3)
		wrong = "one of --vtd and --smmuv3 is to be said";
	else if (given->smmuv3 && (given->as_hardware || given->broken != NULL ||
				   given->window != 0 || given->levels != 0))
		wrong = "--smmuv3: neither --as-hardware, --break, --window nor --levels";
	else if (given->window % SERVE_WINDOW_BYTES != 0)
		wrong = "--window: it is at a multiple of 0x400000";
	else if (given->as_hardware && given->levels != 0)
		wrong = "--levels is of a guest's tables: without --as-hardware";
	else if (given->word_count == 0)
		wrong = "a program is needed: iopf serve [OPTION...] -- PROGRAM [ARGUMENT...]";
	else if (given->broken != NULL && strcmp(given->broken, "invalidations") != 0)
		wrong = "--break: what can be broken is: invalidations";
	else if (given->functions > 1 && !given->as_hardware)
		wrong = "--functions: a guest has one; --as-hardware has more";
	if (wrong != NULL)
		cli_error("%s", wrong);
	return wrong == NULL;
}

/* ---- The order of things ----------------------------------------------------------- */

void serve_problem(struct serve *serve, const char *format, ...)
{
	uint32_t at = serve->problem_count++;
	va_list arguments;

	if (at >= SERVE_PROBLEM_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(serve->problems[at], sizeof(serve->problems[at]), format, arguments);
	va_end(arguments);
}

void serve_interrupt(struct serve *serve, uint64_t addr, uint32_t data)
{
	qtest_put(&serve->qtest, addr, data);
}

static int serve_end(struct serve *serve)
{
	int code = CLI_OK;

	if (serve->misplaced) {
		cli_error("window is at 0x%" PRIx64 ", not at 0x%" PRIx64, serve->window,
			  serve->options.window);
		return CLI_MISSING;
	}
	serve_report_judge(serve);
	if (serve->options.json)
		code = serve_report_json(serve);
	else
		serve_report_text(serve);
	if (serve->signal != 0)
		return CLI_SIGNAL + serve->signal;
	return code == CLI_OK && serve->problem_count > 0 ? CLI_NO : code;
}

static int serve_all(struct serve *serve)
{
	int code = serve_child_prepare(serve);

	if (code == CLI_OK)
		code = serve->machine->create(serve);
	if (code == CLI_OK)
		code = serve_loop_create(serve);
	if (code == CLI_OK)
		code = serve_child_start(serve);
	if (code != CLI_OK)
		return code;
	serve_loop_run(serve);
	return serve_end(serve);
}

static const struct serve_machine_ops *machine_of(const struct serve_options *given)
{
	if (given->smmuv3)
		return &serve_stream;
	return given->as_hardware ? &serve_hardware : &serve_guest;
}

int cli_serve(int argc, char **argv)
{
	struct serve *serve = calloc(1, sizeof(*serve));
	int code;

	if (serve == NULL) {
		cli_error("no memory to serve with");
		return CLI_MISSING;
	}
	serve->options = (struct serve_options){ .memory_mib = 768,
						 .functions = 1,
						 .seconds_ns = 600 * SECOND };
	serve->memory_descriptor = serve->process = serve->signals = -1;
	serve->proxy.socket = serve->qtest.socket = -1;
	serve->proxy_other = serve->qtest_other = -1;
	code = options_read(&table, &serve->options, argc, argv);
	if (code == OPTION_GO_ON) {
		serve->machine = machine_of(&serve->options);
		code = options_fit(&serve->options) ? serve_all(serve) : CLI_USAGE;
		serve->machine->destroy(serve);
	}
	serve_child_close(serve);
	serve_loop_destroy(serve);
	free(serve);
	return code;
}
