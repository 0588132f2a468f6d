/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/pci.c - iopf pci: whether a function can page, and why not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/pci.h"
#include "model/function.h"

struct pci_options {
	bool json, model, no_pasid;
	const char *function, *sysfs, *dev;
	const char *source;
};

static const struct option options[] = {
	{ .name = "json",
	  .text = "the findings as JSON (schema iopf.pci/1)",
	  .member = offsetof(struct pci_options, json),
	  .type = OPTION_FLAG },
	{ .name = "no-pasid",
	  .value = NULL,
	  .text = "it shall page in one address space, without PASIDs",
	  .member = offsetof(struct pci_options, no_pasid),
	  .type = OPTION_FLAG },
	{ .name = "function",
	  .value = "BDF",
	  .text = "which function of a FILE that has several",
	  .member = offsetof(struct pci_options, function),
	  .type = OPTION_TEXT },
	{ .name = "sysfs",
	  .value = "DIRECTORY",
	  .text = "where the kernel shows its devices (default /sys)",
	  .member = offsetof(struct pci_options, sysfs),
	  .type = OPTION_TEXT },
	{ .name = "dev",
	  .value = "DIRECTORY",
	  .text = "where its device nodes are (default /dev)",
	  .member = offsetof(struct pci_options, dev),
	  .type = OPTION_TEXT },
	{ .name = "model",
	  .text = "write the space of the model's function, as lspci -xxxx would",
	  .member = offsetof(struct pci_options, model),
	  .type = OPTION_FLAG },
};

static const struct option_table table = {
	.usage = "pci [OPTION...] FILE|-|BDF",
	.about =
		"Looks at ATS, PRI, PASID and AER of a PCI function and at the machine around\n"
		"it, and says why it cannot page: a line for each link of the chain, and what\n"
		"to do. FILE is what lspci -xxxx writes as root, or the 4096 bytes themselves;\n"
		"BDF a function of this machine, [DDDD:]BB:DD.F.",
	.after = "Exit code 1: it cannot page as it is.",
	.options = options,
	.count = CLI_COUNT(options),
	.operand = offsetof(struct pci_options, source),
	.operand_name = "FILE|-|BDF",
};

/* ---- The model ---------------------------------------------------------------------- */

/* The function that iopf run has, before software found it. */
static int write_model(void)
{
	static const struct model_function_options of_run = {
		.rid = 0x0310,
		.vendor_id = 0x1234,
		.device_id = 0x5a5a,
		.class_code = 0x120000,
		.capacity = 64,
		.atc_entries = 256,
		.pasid_width = 20,
		.priv = true,
		.exec = true,
		.endpoint = true,
		.pasid_in_response = true,
	};
	enum { TEXT_BYTES = 16384 };
	struct model_function *function;
	char *text = malloc(TEXT_BYTES);
	int error = -1;

	if (text != NULL && model_function_create(&of_run, &function) == 0) {
		error = model_function_dump(function, text, TEXT_BYTES);
		model_function_destroy(function);
	}
	if (error >= 0)
		fputs(text, stdout);
	else
		cli_error("no memory for the model's function");
	free(text);
	return error >= 0 ? CLI_OK : CLI_MISSING;
}

/* ---- What is looked at -------------------------------------------------------------- */

/* Who is not root sees the beginning of a space only. */
static bool is_enough(const struct pci_space *space, const char *source,
		      const struct pci_map *map)
{
	char name[PCI_NAME_BYTES];

	if (space->size_bytes == CONFIG_BYTES ||
	    (space->size_bytes >= 256 && map->express == 0))
		return true;
	cli_error(
		"%s: %s: %u of %d bytes; what paging needs lies behind: read it as root "
		"(lspci -xxxx)",
		source, pci_id_name(space->id, name), space->size_bytes, CONFIG_BYTES);
	return false;
}

static int look(struct pci_view *view, const char *source, bool json)
{
	if (!pci_map_read(view->own, source, &view->map) ||
	    (view->physical != NULL &&
	     !pci_map_read(view->physical, source, &view->physical_map)))
		return CLI_USAGE;
	if (!is_enough(view->own, source, &view->map) ||
	    (view->physical != NULL &&
	     !is_enough(view->physical, source, &view->physical_map)))
		return CLI_MISSING;
	return pci_report(view, json);
}

/* The one that was asked for, or the only one. */
static const struct pci_space *choose(const struct pci_dump *dump,
				      const struct pci_options *said, uint64_t id)
{
	const struct pci_space *space = said->function != NULL ? pci_dump_find(dump, id) :
					dump->count == 1       ? dump->spaces :
								 NULL;
	char name[PCI_NAME_BYTES];

	if (space == NULL && said->function != NULL)
		cli_error("%s: --function %s: it has %zu functions, and not this one",
			  said->source, said->function, dump->count);
	else if (space == NULL)
		cli_error("%s: %zu functions; --function says which: the first is %s",
			  said->source, dump->count,
			  pci_id_name(dump->spaces != NULL ? dump->spaces->id : PCI_NO_ID,
				      name));
	return space;
}

/* Virtual functions have no ids of their own, where nobody puts them there. */
static bool has_no_ids(const struct pci_space *space)
{
	return pci_get(space, CONFIG_VENDOR, 4) == UINT32_MAX;
}

static int look_at_dump(const struct pci_options *said, uint64_t id)
{
	struct pci_view view = { .pasids = !said->no_pasid };
	struct pci_dump dump;
	int code = pci_dump_read(said->source, &dump);

	if (code != CLI_OK)
		return code;
	code = CLI_USAGE;
	view.own = choose(&dump, said, id);
	if (view.own != NULL) {
		view.physical = pci_dump_physical(&dump, view.own->id);
		view.is_virtual = view.physical != NULL || has_no_ids(view.own);
		if (!view.is_virtual)
			view.physical = view.own;
		code = look(&view, said->source, said->json);
	}
	pci_dump_free(&dump);
	return code;
}

static int look_at_machine(const struct pci_options *said, uint64_t id)
{
	struct pci_machine machine = { .sysfs = said->sysfs, .dev = said->dev };
	struct pci_view view = { .pasids = !said->no_pasid, .machine = &machine };
	static struct pci_space spaces[2];
	int code = pci_machine_read(&machine, id);

	if (code == CLI_OK)
		code = pci_machine_space(&machine, id, &spaces[0]);
	if (code != CLI_OK)
		return code;
	view.own = view.physical = &spaces[0];
	if (machine.physical != PCI_NO_ID) {
		code = pci_machine_space(&machine, machine.physical, &spaces[1]);
		view.physical = &spaces[1];
		view.is_virtual = true;
	}
	return code == CLI_OK ? look(&view, said->source, said->json) : code;
}

int cli_pci(int argc, char **argv)
{
	struct pci_options said = { .sysfs = "/sys", .dev = "/dev" };
	int code = options_read(&table, &said, argc, argv);
	uint64_t id = PCI_NO_ID;

	if (code != OPTION_GO_ON)
		return code;
	if (said.model == (said.source != NULL)) {
		cli_error("pci takes a FILE, - or a function's BDF, or --model");
		return CLI_USAGE;
	}
	if (said.model)
		return write_model();
	if (said.function != NULL && !pci_id_read(said.function, &id)) {
		cli_error(
			"--function %s: it takes [DDDD:]BB:DD.F, as lspci names functions",
			said.function);
		return CLI_USAGE;
	}
	if (said.function == NULL && pci_id_read(said.source, &id))
		return look_at_machine(&said, id);
	return look_at_dump(&said, id);
}
