/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: each rule has an edit of a good recording that breaks it, and it alone. */
#include "judge_history.h"

/* What is done to the line of that name. */
enum op { REPLACE, AFTER, DELETE };

static const struct edit {
	const char *rule;
	enum op op;
	const char *name;
	const char *text; /* a line, or several */
} edits[] = {
#define ASK_F(more) "request endpoint=F pasid=1 index=1 addr=0x1000 perm=r" more F
#define ASK_Q(more) "request endpoint=F pasid=1 index=1 addr=0x1000 perm=r" more Q
	{ "PRI-ONE-RESPONSE", AFTER, "left",
	  "response endpoint=D pasid=1 index=5 code=success" Q },
	{ "PRI-RESPONSE-DUE", AFTER, "end", ASK_F(" last=1") },
	{ "PRI-RESPONSE-EARLY", AFTER, "end",
	  ASK_F("") "\n" ASK_Q("") "\nresponse endpoint=F pasid=1 index=1 code=invalid" Q },
	{ "PRI-RESPONSE-MARKER", AFTER, "marker",
	  "response endpoint=D pasid=1 index=32 code=success" Q },
	{ "PRI-RESPONSE-ASKED", AFTER, "end",
	  "response endpoint=F pasid=1 index=77 code=success" Q },
	{ "PRI-RESPONSE-CREDITS", REPLACE, "left",
	  "response endpoint=D pasid=1 index=5 token=0x1 code=success ending=success "
	  "request_count=1" Q },
	{ "PRI-CODE", REPLACE, "left",
	  "response endpoint=D pasid=1 index=5 token=0x1 code=success raw_code=3 "
	  "ending=success" Q },
	{ "PRI-PASID-REQUIRED", REPLACE, "left", "response endpoint=D index=5 code=success" Q },
	{ "PRI-PASID-SUPERFLUOUS", REPLACE, "bare",
	  "response endpoint=E pasid=1 index=7 code=invalid" Q },
	{ "PRI-PASID-SUPERFLUOUS", AFTER, "end",
	  "request endpoint=F index=9 addr=0x1000 perm=r last=1" F "\n"
	  "request endpoint=F index=9 addr=0x1000 perm=r last=1" Q "\n"
	  "response endpoint=F pasid=1 index=9 code=invalid" Q },
	{ "PRI-PASID-SAME", REPLACE, "left",
	  "response endpoint=D pasid=2 index=5 code=success" Q },
	{ "PRI-CREDITS", AFTER, "end",
	  ASK_F("") "\n" ASK_F("") "\n" ASK_F("") "\n" ASK_F("") "\n" ASK_F("") },
	{ "PRI-INDEX-FREE", AFTER, "end", ASK_F(" last=1") "\n" ASK_F(" last=1") },
	/* Which of the two is meant cannot be told, not after a reset either: */
	{ "PRI-INDEX-FREE", AFTER, "end",
	  ASK_F(" last=1") "\n" ASK_F(" last=1") "\n" ASK_Q(" last=1") "\n" ASK_Q(
		  " last=1") "\n"
			     "response endpoint=F pasid=1 index=1 code=invalid" Q "\n"
			     "response endpoint=F pasid=1 index=1 code=invalid" Q
			     "\nreset endpoint=F" Q "\n"
			     "response endpoint=F pasid=1 index=1 code=invalid" F "\n"
			     "response endpoint=F pasid=1 index=1 code=invalid" F },
/* nor does the second end the first, that its owner was shown. */
#define AGAIN(where) \
	"request endpoint=D pasid=1 index=9 addr=0x1000 perm=r last=1" where "\n"
	{ "PRI-INDEX-FREE", AFTER, "end",
	  AGAIN(F) AGAIN(Q) "show endpoint=D owner=B pasid=1 index=9 token=0x9 page_count=1\n"
	  AGAIN(F) AGAIN(Q) "answer owner=B token=0x9 code=success\n"
	  "response endpoint=D pasid=1 index=9 token=0x9 code=success ending=success" Q },
	{ "PRI-INDEX-RANGE", AFTER, "end",
	  "request endpoint=F pasid=1 index=512 addr=0x1000 perm=r" F },
	{ "PRI-GROUP-PASID", REPLACE, "before_removal",
	  "request endpoint=E index=4 pasid=1 addr=0x3000 perm=r" F "\n"
	  "request endpoint=E index=4 addr=0x4000 perm=r last=1" F },
	{ "PRI-ENABLED", AFTER, "disabled",
	  "request endpoint=G pasid=1 index=1 addr=0x1000 perm=r" F },
	{ "PRI-ENABLED", AFTER, "disabled", /* whoever enables it cannot know of that */
	  "request endpoint=G pasid=1 index=1 addr=0x1000 perm=r" F "\n"
	  "enable endpoint=G allocation=4" F },
	{ "PRI-FAILED", AFTER, "end",
	  "response endpoint=F pasid=1 index=0 code=failure" F "\n" ASK_F("") },
	{ "PRI-EXECUTE", AFTER, "end",
	  "request endpoint=F pasid=1 index=1 addr=0x1000 perm=x" F },
	{ "PRI-PASID-RIGHTS", AFTER, "end",
	  "request endpoint=F index=1 addr=0x1000 perm=rx" F },
	{ "PRI-PASID-RIGHTS", AFTER, "end",
	  "request endpoint=F index=1 addr=0x1000 perm=rp" F },
	{ "PRI-PAGE", AFTER, "end",
	  "request endpoint=F pasid=1 index=1 addr=0x1010 perm=r" F },
	{ "PRI-STOP-PASID", AFTER, "end", "stop endpoint=F" F },
	{ "PRI-STOP-PARTIAL", AFTER, "end", ASK_F("") "\nstop endpoint=F pasid=1" F },
	{ "PRI-ENABLE-STOPPED", AFTER, "end",
	  ASK_F("") "\ndisable endpoint=F" F "\nenable endpoint=F" F },
	{ "PRI-ALLOCATION", AFTER, "end", "enable endpoint=F allocation=8" F },
	{ "PRI-RESET-DISABLED", AFTER, "end", "forget endpoint=F" F },
	{ "PRI-REMOVED", AFTER, "end", "remove endpoint=F" F "\n" ASK_F("") },
	{ "AUTO-CODE", AFTER, "end",
	  ASK_F(" last=1") "\nresponse endpoint=F pasid=1 index=1 code=invalid" F },
	{ "AUTO-CODE", AFTER, "end",
	  ASK_F(" last=1") "\nresponse endpoint=F pasid=1 index=1 code=invalid automatic=1" F },
	{ "AUTO-LAST", AFTER, "end",
	  ASK_F("") "\nresponse endpoint=F pasid=1 index=1 code=success" F },
	{ "AUTO-PASID", AFTER, "before_removal",
	  "request endpoint=E index=5 pasid=1 addr=0x3000 perm=r last=1" F "\n"
	  "response endpoint=E pasid=1 index=5 code=failure" F },
	{ "AUTO-STALL", AFTER, "end",
	  "request endpoint=S pasid=1 index=20 addr=0x1000 perm=r last=1 stall=1" F "\n"
	  "response endpoint=S index=20 code=invalid stall=1" F },
	{ "LINK-REQUEST", AFTER, "end", ASK_Q("") },
	{ "LINK-REQUEST", AFTER, "end", ASK_F("") "\n" ASK_Q("") "\n" ASK_Q("") },
	{ "LINK-PAGES", REPLACE, "last",
	  "request endpoint=D pasid=1 index=5 addr=0x9000 perm=rw last=1" Q },
	{ "LINK-PAGES", REPLACE, "last",
	  "request endpoint=D pasid=1 index=5 addr=0x2000 perm=r last=1" Q },
	{ "LINK-RESPONSE", REPLACE, "arrived",
	  "response endpoint=D pasid=1 index=5 code=invalid" F },
	{ "LINK-RESPONSE", AFTER, "shown",
	  "response endpoint=D pasid=1 index=5 code=success" F },
	{ "LINK-RESPONSE", AFTER, "arrived",
	  "response endpoint=D pasid=1 index=5 code=success" F },
	{ "STALL-ONE-RESUME", AFTER, "resumed",
	  "response endpoint=S index=7 code=invalid stall=1" Q },
	{ "STALL-RESUME-ASKED", AFTER, "end",
	  "response endpoint=S index=99 code=invalid stall=1" Q },
#define STALL(tag) \
	"request endpoint=S pasid=1 index=" tag " addr=0x1000 perm=r last=1 stall=1" F "\n"
#define ENDED(tag) "drop endpoint=S index=" tag F "\n"
	{ "STALL-RESUME-DUE", AFTER, "end",
	  "request endpoint=S pasid=1 index=20 addr=0x1000 perm=r last=1 stall=1" F },
	{ "STALL-TAG-FREE", AFTER, "end",
	  STALL("20") STALL("20") "terminate endpoint=S" Q "\ndrop endpoint=S index=20" F },
	{ "STALL-POOL", AFTER, "end",
	  STALL("20") STALL("21") STALL("22") "terminate endpoint=S" Q "\n" ENDED("20")
		  ENDED("21") "drop endpoint=S index=22" F },
	{ "STALL-LAST", REPLACE, "bank",
	  "request endpoint=W index=0 addr=0x1000 perm=r stall=1" F },
	{ "STALL-CODE", REPLACE, "resumed",
	  "response endpoint=S index=7 code=failure stall=1" Q },
	{ "STALL-TERMINATED", AFTER, "terminated",
	  "response endpoint=S index=8 code=invalid stall=1" Q },
	{ "STALL-END", AFTER, "end", STALL("20") "drop endpoint=S index=20" F },
	{ "FAMILY-MECHANISM", AFTER, "end",
	  "request endpoint=X index=1 addr=0x1000 perm=r" F },
	{ "FAMILY-PASID", REPLACE, "bank",
	  "request endpoint=W pasid=1 index=0 addr=0x1000 perm=r last=1 stall=1" F },
	{ "DETACH-ANSWERED", AFTER, "open", "detach endpoint=D pasid=1 owner=A" },
	{ "DISABLE-ANSWERED", AFTER, "end",
	  ASK_F(" last=1") "\n" ASK_Q(" last=1") "\ndisable endpoint=F" Q },
	{ "RESET-SILENT", AFTER, "reset", "response endpoint=D pasid=1 index=1 code=invalid" Q },
	{ "RESET-SILENT", AFTER, "reset",
	  "request endpoint=D pasid=1 index=9 addr=0x1000 perm=r last=1" F "\n"
	  "request endpoint=D pasid=1 index=9 addr=0x1000 perm=r last=1" Q "\n"
	  "response endpoint=D pasid=1 index=9 code=invalid" Q },
	{ "REMOVE-SILENT", AFTER, "removed", "response endpoint=E index=4 code=invalid" Q },
	{ "ATTACH-FREE", AFTER, "end",
	  "attach endpoint=F pasid=9 owner=A\nattach endpoint=F pasid=9 owner=B" },
	{ "ATTACH-DRAINED", AFTER, "end",
	  "attach endpoint=F pasid=1 owner=A\n" ASK_F(" last=1")
	  "\ndetach endpoint=F pasid=1 owner=A\nattach endpoint=F pasid=1 owner=B\n"
	  "response endpoint=F pasid=1 index=1 code=success" F },
	{ "SHOW-OWNER", AFTER, "end",
	  "attach endpoint=F pasid=1 owner=A\n" ASK_F(" last=1") "\n" ASK_Q(" last=1")
	  "\nshow endpoint=F owner=B pasid=1 index=1 token=0x9\n"
	  "response endpoint=F pasid=1 index=1 code=invalid" Q },
	{ "SHOW-OWNER", AFTER, "end",
	  "attach endpoint=F pasid=1 owner=A\ndetach endpoint=F pasid=1 owner=A\n"
	  ASK_F(" last=1") "\n" ASK_Q(" last=1")
	  "\nshow endpoint=F owner=A pasid=1 index=1 token=0x9\n"
	  "response endpoint=F pasid=1 index=1 code=invalid" Q },
	{ "SHOW-TIME", AFTER, "end",
	  "attach endpoint=Y pasid=1 owner=A\n"
	  "request endpoint=Y pasid=1 index=1 addr=0x1000 perm=r" Q "\n"
	  "detach endpoint=Y pasid=1 owner=A\nattach endpoint=Y pasid=1 owner=B\n"
	  "request endpoint=Y pasid=1 index=1 addr=0x2000 perm=r last=1" Q "\n"
	  "show endpoint=Y owner=B pasid=1 index=1 token=0x9\n"
	  "response endpoint=Y pasid=1 index=1 code=invalid" Q },
	{ "SHOW-OPEN", AFTER, "left", "show endpoint=D owner=A pasid=1 index=5 token=0x9" },
	{ "SHOW-OPEN", AFTER, "first", "show endpoint=D owner=A pasid=1 index=5 token=0x9" },
	{ "SHOW-ONCE", AFTER, "shown", "show endpoint=D owner=A pasid=1 index=5 token=0x1" },
	{ "SHOW-PAGES", REPLACE, "shown",
	  "show endpoint=D owner=A pasid=1 index=5 token=0x1 page_count=1" },
	{ "ANSWER-SHOWN", AFTER, "end", "answer owner=A token=0x99 code=success" },
	{ "ANSWER-OWNER", REPLACE, "answered", "answer owner=B token=0x1 code=success" },
	{ "ANSWER-ONCE", AFTER, "answered", "answer owner=A token=0x1 code=success" },
	{ "ANSWER-ONCE", AFTER, "ended", "answer owner=A token=0x1 code=success" },
	{ "RESPONSE-ANSWER", REPLACE, "answered", "answer owner=A token=0x1 code=invalid" },
	{ "RESPONSE-ANSWER", DELETE, "answered", NULL },
	{ "RESPONSE-ENDING", REPLACE, "ended",
	  "response endpoint=D pasid=1 index=6 code=invalid ending=guest_overflow" Q },
	{ "INVALIDATE-WAIT", DELETE, "invalidated", NULL },
	{ "INVALIDATE-ASKED", AFTER, "invalidated",
	  "invalidated endpoint=D owner=A pasid=1 addr=0x1000 interface=guest" },
	{ "WAIT-ASKED", AFTER, "waited", "waited owner=A interface=guest" },
	{ "KERNEL-COOKIE-ZERO", AFTER, "end",
	  "request endpoint=K token=0x0 addr=0x1000 perm=r" K },
	{ "KERNEL-COOKIE-FREE", AFTER, "read_last",
	  "request endpoint=K token=0x1 addr=0x2000 perm=r last=1" K },
	{ "KERNEL-GROUP-WHOLE", AFTER, "read",
	  "request endpoint=K token=0x9 addr=0x1000 perm=r last=1" K "\n"
	  "response endpoint=K token=0x9 code=invalid" K },
	{ "KERNEL-COOKIE-READ", AFTER, "end", "response endpoint=K token=0x55 code=invalid" K },
	{ "KERNEL-COOKIE-WHOLE", AFTER, "read", "response endpoint=K token=0x1 code=invalid" K },
	{ "KERNEL-COOKIE-ONCE", AFTER, "written", "response endpoint=K token=0x1 code=success" K },
	{ "KERNEL-COOKIE-DETACHED", AFTER, "detached",
	  "response endpoint=K token=0x1 code=success" K },
	{ "KERNEL-CODE", REPLACE, "written", "response endpoint=K token=0x1 code=failure" K },
	{ "KERNEL-DUE", AFTER, "end", "request endpoint=K token=0x7 addr=0x1000 perm=r last=1" K },
	{ "PAUSE-ONCE", AFTER, "paused", "pause source=v" Q },
	{ "PAUSE-ONCE", AFTER, "unpaused", "resume source=v" Q },
	{ "PAUSE-CLOSED", DELETE, "unpaused", NULL },
	{ "PAUSE-SILENT", AFTER, "paused", ASK_F("") "\n" ASK_Q("") },
};

enum { EDITS = sizeof(edits) / sizeof(edits[0]) };

/* ---- Put together ------------------------------------------------------------------ */

static size_t put_lines(char *text, size_t at, const char *lines)
{
	for (const char *next = lines; next != NULL;) {
		const char *end = strchr(next, '\n');
		int size = end != NULL ? (int)(end - next) : (int)strlen(next);

		at += (size_t)snprintf(text + at, HISTORY_BYTES - at, "%s%.*s\n",
				       strncmp(next, "world", 5) == 0 ? "" : "+1 ", size, next);
		next = end != NULL && end[1] != '\0' ? end + 1 : NULL;
	}
	return at;
}

static const char *edited(const struct edit *edit)
{
	static char text[HISTORY_BYTES];
	size_t at = (size_t)snprintf(text, sizeof(text), "iopf-trace 1\n");
	bool found = edit == NULL;

	for (unsigned n = 0; n < HISTORY_LINES; n++) {
		const struct history_line *line = &history[n];
		bool it = edit != NULL && line->name != NULL &&
			  strcmp(line->name, edit->name) == 0;

		found |= it;
		if (!it || edit->op == AFTER)
			at = put_lines(text, at, line->text);
		if (it && edit->op != DELETE)
			at = put_lines(text, at, edit->text);
	}
	CHECK(found);
	return text;
}

/* ---- Held -------------------------------------------------------------------------- */

TEST(the_good_recording_breaks_no_rule)
{
	court_open();
	court_read(edited(NULL));
	court_print();
	CHECK_EQ(court.count, 0);
	CHECK_EQ(iopf_judge_tally(court.judge, IOPF_NO_ID).violations, 0);
}

/* Every rule that is held against something here is held by it: none is idle. */
TEST(the_good_recording_is_held_against_nearly_every_rule)
{
	unsigned idle = 0;

	court_open();
	court_read(edited(NULL));
	for (uint32_t n = 0; iopf_judge_rule(n) != NULL; n++)
		if (iopf_judge_tally(court.judge, n).judged == 0) {
			printf("  not judged: %s\n", iopf_judge_rule(n)->id);
			idle++;
		}
	CHECK(idle <= 5); /* what is judged only where it does not hold */
}

static void check_words(const struct iopf_violation *violation, const char *text)
{
	unsigned lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	CHECK(violation->line_count > 0 && violation->line_count <= IOPF_JUDGE_LINE_MAX);
	for (unsigned n = 0; n < violation->line_count; n++) {
		CHECK(violation->line[n] > 1 && violation->line[n] <= lines);
		CHECK(n == 0 || violation->line[n] > violation->line[n - 1]);
	}
	CHECK(violation->was[0] != '\0' && violation->wanted[0] != '\0');
}

static bool breaks_it_alone(const struct edit *edit)
{
	const char *text = edited(edit);

	court_open();
	court_read(text);
	for (unsigned n = 0; n < court.count; n++) {
		const struct iopf_violation *violation = &court.violations[n];

		check_words(violation, text);
		if (strcmp(iopf_judge_rule(violation->rule)->id, edit->rule) != 0)
			return false;
	}
	return court.count > 0;
}

TEST(each_edit_breaks_its_rule_and_no_other)
{
	unsigned wrong = 0;

	for (unsigned n = 0; n < EDITS; n++) {
		if (breaks_it_alone(&edits[n]))
			continue;
		printf("edit %u, for %s, broke:\n", n, edits[n].rule);
		court_print();
		wrong++;
	}
	CHECK_EQ(wrong, 0);
}

/* The language has no way to say it: its reader refuses it first. */
TEST(time_that_runs_backwards_is_seen)
{
	struct iopf_judge_event event = IOPF_JUDGE_EVENT_NONE;

	court_open();
	event.kind = IOPF_JUDGE_WAIT;
	event.ns = 5;
	iopf_judge_event(court.judge, &event);
	event.ns = 4;
	iopf_judge_event(court.judge, &event);
	CHECK_EQ(court.count, 1);
	CHECK_STR(iopf_judge_rule(court.violations[0].rule)->id, "TIME-ORDER");
	CHECK_STR(court.violations[0].was, "4 ns");
	CHECK_STR(court.violations[0].wanted, "5 ns or later");
}

TEST(every_rule_has_an_edit)
{
	unsigned missing = 0;

	for (uint32_t n = 0; iopf_judge_rule(n) != NULL; n++) {
		const char *id = iopf_judge_rule(n)->id;
		bool there = strcmp(id, "TIME-ORDER") == 0;

		for (unsigned m = 0; m < EDITS; m++)
			there |= strcmp(edits[m].rule, id) == 0;
		if (!there)
			printf("  no edit: %s\n", id);
		missing += !there;
	}
	CHECK_EQ(missing, 0);
}

/* What a rule says of itself: a name of its own, words, a source, somebody to hold it
 * against, somewhere, in some family. */
TEST(every_rule_says_what_and_where_from)
{
	for (uint32_t n = 0; iopf_judge_rule(n) != NULL; n++) {
		const struct iopf_judge_rule *rule = iopf_judge_rule(n);

		CHECK(strspn(rule->id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == strlen(rule->id));
		CHECK(rule->text[strlen(rule->text) - 1] == '.');
		CHECK(rule->source[0] != '\0');
		CHECK(rule->party < IOPF_PARTY_COUNT);
		CHECK(rule->at != 0 && rule->at < 1U << IOPF_AT_COUNT);
		CHECK(iopf_judge_family(0, rule->mechanisms) != NULL);
		for (uint32_t m = 0; m < n; m++)
			CHECK(strcmp(rule->id, iopf_judge_rule(m)->id) != 0);
	}
}

int main(void)
{
	return test_main();
}
