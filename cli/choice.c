/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/choice.c - who takes part in a run: families, mechanisms, characters, names. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/policy.h"
#include "cli/run.h"

/* ---- Combinations -------------------------------------------------------------------- */

/* Those that exist, in the order in which guests are dealt out to them: what differs most
 * comes first. */
static const struct run_combination combinations[] = {
	{ "vtd", "vtd", IOPF_PRI },	   { "smmuv3", "smmuv3", IOPF_STALLS },
	{ "smmuv3", "smmuv3", IOPF_PRI },  { "vtd", "smmuv3", IOPF_PRI },
	{ "smmuv3", "vtd", IOPF_STALLS },  { "smmuv3", "vtd", IOPF_PRI },
};

const char *choice_mechanism(const struct run_combination *combination)
{
	return combination->mechanism == IOPF_STALLS ? "stall" : "pri";
}

/* A VT-d knows no stalls. */
enum iopf_mechanism choice_shown(const struct run_combination *combination)
{
	bool knows = strcmp(combination->guest, "vtd") != 0;

	return knows ? (enum iopf_mechanism)combination->mechanism : IOPF_PRI;
}

static bool name_fits(const char *wanted, const char *name)
{
	return wanted == NULL || strcmp(wanted, name) == 0;
}

static bool fits(const struct run_options *given, const struct run_combination *it)
{
	bool any = given->pri == given->stall; /* neither, or both */

	return name_fits(given->host, it->host) && name_fits(given->guest, it->guest) &&
	       (any || given->stall == (it->mechanism == IOPF_STALLS));
}

/* The combinations that exist, a line each. */
static const char *combinations_text(void)
{
	static char text[64 * CLI_COUNT(combinations)];
	size_t end = 0;

	for (size_t i = 0; i < CLI_COUNT(combinations); i++)
		end += (size_t)snprintf(text + end, sizeof(text) - end,
					"\n  --host %s --guest %s --%s",
					combinations[i].host, combinations[i].guest,
					choice_mechanism(&combinations[i]));
	return text;
}

bool choice_combinations(struct run *run)
{
	const struct run_options *given = &run->options;

	for (size_t i = 0; i < CLI_COUNT(combinations); i++)
		if (fits(given, &combinations[i]))
			run->combinations[run->combination_count++] = &combinations[i];
	if (run->combination_count > 0)
		return true;
	cli_error("--host %s --guest %s%s%s: that cannot meet; what can:%s",
		  given->host != NULL ? given->host : "(any)",
		  given->guest != NULL ? given->guest : "(any)",
		  given->pri ? " --pri" : "", given->stall ? " --stall" : "",
		  combinations_text());
	return false;
}

/* ---- The list of guests ------------------------------------------------------------ */

static bool guests_add(struct run *run, unsigned character, uint64_t count)
{
	if (count < 1 || count > RUN_GUEST_MAX - run->guest_count) {
		cli_error("--guests %s: 1 to %d guests can be had", run->options.guests,
			  RUN_GUEST_MAX);
		return false;
	}
	for (uint64_t i = 0; i < count; i++)
		run->guests[run->guest_count++].character = (uint8_t)character;
	return true;
}

/* A word of the list: NAME, NAME*COUNT, or COUNT. */
static bool guests_word(struct run *run, char *word)
{
	char *star = strchr(word, '*'), *end = word;
	unsigned character = CHARACTER_honest;
	uint64_t count = 1;

	if (star != NULL)
		*star = '\0';
	if (word[0] < '0' || word[0] > '9') {
		character = character_find(word);
		end = star != NULL ? star + 1 : NULL;
	}
	if (character == CHARACTER_COUNT) {
		cli_error("--guests: no character '%s'; iopf run --help lists them",
			  word);
		return false;
	}
	if (end != NULL) {
		const char *number = end;

		errno = 0;
		count = strtoull(number, &end, 10);
		if (number[0] < '0' || number[0] > '9' || *end != '\0' || errno != 0 ||
		    (star != NULL && number == word)) {
			cli_error("--guests: '%s' is no count of guests", number);
			return false;
		}
	}
	return guests_add(run, character, count);
}

static void guest_name(struct run_guest *guest)
{
	uint32_t same = 0, before = 0;
	const struct run *run = guest->run;

	for (uint32_t i = 0; i < run->guest_count; i++) {
		bool is = run->guests[i].character == guest->character;

		same += is;
		before += is && i < guest->number;
	}
	if (same == 1)
		snprintf(guest->name, sizeof(guest->name), "%s",
			 character_name(guest->character));
	else
		snprintf(guest->name, sizeof(guest->name), "%s-%" PRIu32,
			 character_name(guest->character), before + 1);
	/* Bus, device, function, as tools print them. */
	snprintf(guest->endpoint_name, sizeof(guest->endpoint_name), "%02x:%02x.%x",
		 guest->rid >> 8, guest->rid >> 3 & 0x1f, guest->rid & 7);
}

/* The machine of @family: made when it is first asked for. */
static struct run_machine *machine_of(struct run *run, const char *family)
{
	struct run_machine *machine = run->machines;

	while (machine < run->machines + run->machine_count &&
	       strcmp(machine->family, family) != 0)
		machine++;
	if (machine == run->machines + run->machine_count) {
		assert(run->machine_count < RUN_MACHINE_MAX); /* one a family */
		run->machine_count++;
		machine->run = run;
		machine->family = family;
	}
	return machine;
}

bool choice_guests(struct run *run)
{
	char *list = strdup(run->options.guests), *rest = list, *word;
	bool good = list != NULL;

	run->guests = calloc(RUN_GUEST_MAX, sizeof(*run->guests));
	good = good && run->guests != NULL;
	while (good && (word = strsep(&rest, ",")) != NULL)
		good = guests_word(run, word);
	free(list);
	for (uint32_t i = 0; good && i < run->guest_count; i++) {
		struct run_guest *guest = &run->guests[i];

		guest->run = run;
		guest->number = i;
		guest->combination = run->combinations[i % run->combination_count];
		guest->machine = machine_of(run, guest->combination->host);
		guest->machine->guest_count++;
		guest->rid = 0x0100 + 8 * i; /* a device each, from bus 1 on */
		guest->guest_rid = LAYOUT_RID;
		guest->space_max = RUN_SPACE_MAX;
		guest->levels = i % 2 == 0 || strcmp(guest->combination->guest, "vtd") != 0 ?
					4 :
					5;
		guest->port = guest->process = guest->memory_descriptor = -1;
	}
	for (uint32_t i = 0; good && i < run->guest_count; i++)
		guest_name(&run->guests[i]);
	return good;
}

bool choice_policies(struct run *run)
{
	struct policy_target targets[RUN_GUEST_MAX];

	for (uint32_t i = 0; i < run->guest_count; i++) {
		struct run_guest *guest = &run->guests[i];

		guest->policy = (struct iopf_policy)IOPF_POLICY_DEFAULT;
		targets[i] = (struct policy_target){ guest->name,
						     character_name(guest->character),
						     &guest->policy };
	}
	return run->options.policy == NULL ||
	       policy_read(run->options.policy, targets, run->guest_count);
}
