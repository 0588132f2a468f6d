/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/choice.c - who takes part in a run: families, mechanisms, characters, names. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/policy.h"
#include "cli/run.h"
#include "queue/hardware.h"
#include "table/family.h"

/* ---- Combinations -------------------------------------------------------------------- */

static const char *mechanism_name(unsigned mechanism)
{
	return mechanism == IOPF_STALLS ? "stall" : "pri";
}

const char *choice_mechanism(const struct run_combination *combination)
{
	return mechanism_name(combination->mechanism);
}

const char *choice_shown(const struct run_combination *combination)
{
	return mechanism_name(combination->shown);
}

static struct run_combination combination_of(const struct hardware_family *host,
					     const struct hardware_family *guest,
					     enum iopf_mechanism mechanism)
{
	return (struct run_combination){
		.host = host->wire->name,
		.guest = guest->wire->name,
		.mechanism = (uint8_t)mechanism,
		.shown = (uint8_t)hardware_family_shown(guest, mechanism),
		.pasids = !host->no_pasids && !guest->no_pasids,
	};
}

/* Every host with every guest in each of the host's mechanisms. Returns: how many; with
 * @all they are written there. */
static uint32_t combinations_all(struct run_combination *all)
{
	const struct hardware_family *const *host, *const *guest;
	uint32_t count = 0;

	for (host = hardware_families; *host != NULL; host++)
		for (guest = hardware_families; *guest != NULL; guest++)
			for (unsigned k = IOPF_PRI; k <= IOPF_STALLS; k++) {
				if ((*guest)->guest_mechanisms == 0 ||
				    ((*host)->mechanisms >> k & 1) == 0)
					continue;
				if (all != NULL)
					all[count] = combination_of(*host, *guest, k);
				count++;
			}
	return count;
}

/* How much of @it is there already. */
static uint32_t alike(const struct run_combination *it, const struct run_combination *others,
		      uint32_t count)
{
	uint32_t same = 0;

	for (uint32_t i = 0; i < count; i++)
		same += (uint32_t)(it->host == others[i].host) +
			(uint32_t)(it->guest == others[i].guest) +
			(uint32_t)(it->mechanism == others[i].mechanism);
	return same;
}

/* What differs most comes first: each is the one that has least in common with all those
 * before it. So guests are dealt out to every family as soon as there are enough. */
static void combinations_order(struct run_combination *all, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct run_combination next;
		uint32_t best = i;

		for (uint32_t k = i + 1; k < count; k++)
			if (alike(&all[k], all, i) < alike(&all[best], all, i))
				best = k;
		next = all[best];
		memmove(&all[i + 1], &all[i], (best - i) * sizeof(next));
		all[i] = next;
	}
}

static bool name_fits(const char *wanted, const char *name)
{
	assert(name != NULL);
	return wanted == NULL || strcmp(wanted, name) == 0;
}

static bool fits(const struct run_options *given, const struct run_combination *it)
{
	bool any = given->pri == given->stall; /* neither, or both */

	return name_fits(given->host, it->host) && name_fits(given->guest, it->guest) &&
	       (any || given->stall == (it->mechanism == IOPF_STALLS));
}

static void combinations_print(FILE *to, const struct run_combination *all, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		fprintf(to, "%s--host %s --guest %s --%s\n", to == stderr ? "  " : "",
			all[i].host, all[i].guest, choice_mechanism(&all[i]));
}

static void help_line(const struct hardware_family *host, unsigned mechanism)
{
	const struct hardware_family *const *guest;
	const char *between = "";

	if ((host->mechanisms >> mechanism & 1) == 0)
		return;
	printf("\t--host %s --%s: --guest ", host->wire->name, mechanism_name(mechanism));
	for (guest = hardware_families; *guest != NULL; guest++) {
		if ((*guest)->guest_mechanisms == 0)
			continue;
		printf("%s%s", between, (*guest)->wire->name);
		between = ", ";
	}
	putchar('\n');
}

void choice_help(void)
{
	printf("\nWhat can meet:\n");
	for (const struct hardware_family *const *host = hardware_families; *host != NULL;
	     host++)
		for (unsigned k = IOPF_PRI; k <= IOPF_STALLS; k++)
			help_line(*host, k);
}

void choice_list(const struct run *run)
{
	combinations_print(stdout, run->combinations, run->combination_count);
}

static void tell_nothing_fits(const struct run *run)
{
	const struct run_options *given = &run->options;

	cli_error("--host %s --guest %s%s%s: that cannot meet; what can:",
		  given->host != NULL ? given->host : "(any)",
		  given->guest != NULL ? given->guest : "(any)",
		  given->pri ? " --pri" : "", given->stall ? " --stall" : "");
	combinations_print(stderr, run->combinations, run->combination_count);
}

static uint32_t family_count(void)
{
	uint32_t count = 0;

	while (hardware_families[count] != NULL)
		count++;
	return count;
}

bool choice_combinations(struct run *run)
{
	uint32_t all = combinations_all(NULL), count = 0;

	assert(all > 0 && family_count() > 0);
	run->combinations = calloc(all, sizeof(*run->combinations));
	run->machines = calloc(family_count(), sizeof(*run->machines));
	if (run->combinations == NULL || run->machines == NULL)
		return false;
	run->combination_count = combinations_all(run->combinations);
	for (uint32_t i = 0; i < all; i++)
		count += fits(&run->options, &run->combinations[i]);
	if (count == 0) {
		tell_nothing_fits(run);
		return false;
	}
	run->combination_count = 0;
	for (uint32_t i = 0; i < all; i++)
		if (fits(&run->options, &run->combinations[i]))
			run->combinations[run->combination_count++] = run->combinations[i];
	combinations_order(run->combinations, run->combination_count);
	return true;
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

/* A word of the list: NAME, NAME*COUNT, NAME*all, or COUNT. */
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
	if (star != NULL && strcmp(end, "all") == 0)
		return guests_add(run, character, run->combination_count);
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
		assert(run->machine_count < family_count()); /* one each */
		run->machine_count++;
		machine->run = run;
		machine->family = family;
	}
	return machine;
}

static bool levels_can(const char *name, uint32_t levels)
{
	const struct family_use use = { .pasid_bits = RUN_PASID_BITS,
					.levels = levels,
					.mechanisms = 1 << IOPF_PRI,
					.own = true };
	union family_features features;

	return family_find(name)->guest->wanted(&use, &features) == 0;
}

/* As many as the guest @number's family has, with tables of each kind in turn. */
static uint32_t levels_of(const struct run_guest *guest)
{
	enum { LEVELS_MIN = 3, LEVELS_MAX = 5, USUAL = 4 };
	uint32_t levels = LEVELS_MIN + (guest->number + 1) % (LEVELS_MAX - LEVELS_MIN + 1);

	return levels_can(guest->combination->guest, levels) ? levels : USUAL;
}

/* A stream can stall at all; how often at once is shared out. */
static bool streams_fit(const struct run *run, const struct run_machine *machine)
{
	uint32_t streams = 0, slots = machine_stall_slots(machine);

	for (uint32_t i = 0; i < run->guest_count; i++)
		streams += run->guests[i].machine == machine &&
			   run->guests[i].combination->mechanism == IOPF_STALLS;
	if (streams <= slots)
		return true;
	cli_error("--guests %s: %" PRIu32 " devices that stall behind one %s, which has room "
		  "for %" PRIu32,
		  run->options.guests, streams, machine->family, slots);
	return false;
}

/* Guests are dealt out in turn. What a noisy one costs others is seen where somebody is
 * beside it: it comes to the first honest one. */
static uint32_t dealt_to(const struct run *run, uint32_t number)
{
	uint32_t place = number, first = 0;

	while (first < run->guest_count && run->guests[first].character != CHARACTER_honest)
		first++;
	if (run->guests[number].character == CHARACTER_noisy && first < run->guest_count)
		place = first;
	return place % run->combination_count;
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
		guest->combination = &run->combinations[dealt_to(run, i)];
		guest->machine = machine_of(run, guest->combination->host);
		guest->machine->guest_count++;
		guest->rid = 0x0100 + 8 * i; /* a device each, from bus 1 on */
		guest->guest_rid = LAYOUT_RID;
		guest->space_max = RUN_SPACE_MAX;
		guest->levels = levels_of(guest);
		guest->port = guest->process = guest->memory_descriptor = -1;
	}
	for (uint32_t i = 0; good && i < run->guest_count; i++)
		guest_name(&run->guests[i]);
	for (uint32_t i = 0; good && i < run->machine_count; i++)
		good = streams_fit(run, &run->machines[i]);
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
