/* SPDX-License-Identifier: BSD-3-Clause */
/* base/record.c - records as data: names, words, and what is wrong with one. */
#include "base/record.h"

#include "base/name.h"

/* ---- Fields that many records have ------------------------------------------------- */

/* @address: bits of an address, where they stand in it. */
static const struct {
	const char *name;
	const char *text;
	bool address;
} dictionary[] = {
	{ "ADDR", "address", true },
	{ "ASID", "number of the address space", false },
	{ "AV", "the address counts", false },
	{ "CAUSE", "cause of the fault", false },
	{ "CODE", "response code", false },
	{ "CUSTOM", "for custom use", false },
	{ "DATA", "data to write", false },
	{ "DEST", "requester id that the message goes to", false },
	{ "DEVID", "device id", false },
	{ "DID", "domain", false },
	{ "DOMAIN", "domain", false },
	{ "DSEG", "segment", false },
	{ "DSV", "the segment counts", false },
	{ "DV", "the device id counts", false },
	{ "EXE", "execute requested", false },
	{ "EXEC", "execute requested", false },
	{ "FUNC3", "which of the opcode's", false },
	{ "G", "granularity", false },
	{ "GLOBAL", "whatever the PASID", false },
	{ "GN", "there is a PASID, and the address is of its space", false },
	{ "GSCID", "virtual machine: domain of the second stage", false },
	{ "GV", "the virtual machine counts", false },
	{ "ID", "number of the event", false },
	{ "IH", "hint: only last-level entries changed", false },
	{ "IND", "1 instruction, 0 data", false },
	{ "IOTVAL", "address of the transaction, or what the cause says", false },
	{ "IOTVAL2", "guest address that missed; bits 1:0: implicit, and a write", false },
	{ "IPA", "page that missed in stage 2", true },
	{ "L", "last request of its group", false },
	{ "LAST", "last request of its group", false },
	{ "LEAF", "hint: only last-level entries changed", false },
	{ "LPIG", "last page in group", false },
	{ "MAXPEND", "invalidations that the function can hold", false },
	{ "MIP", "invalidations that the function can hold; 0: 32", false },
	{ "NL", "what is not the last level's is meant, too", false },
	{ "NX", "execute requested", false },
	{ "OP", "opcode", false },
	{ "OPCODE", "opcode", false },
	{ "P", "present", false },
	{ "PASID", "PASID", false },
	{ "PASID0", "PASID, bits 7:0", false },
	{ "PASID1", "PASID, bits 15:8", false },
	{ "PASID2", "PASID, bits 19:16", false },
	{ "PASID_HI", "PASID, bits 19:16", false },
	{ "PASID_LO", "PASID, bits 15:0", false },
	{ "PASID_PRESENT", "there is a PASID", false },
	{ "PDE", "page directory entries, too", false },
	{ "PE", "the right is missing", false },
	{ "PFSID_HI", "function whose invalidation queue it is, bits 15:4", false },
	{ "PFSID_LO", "function whose invalidation queue it is, bits 3:0", false },
	{ "PID", "PASID", false },
	{ "PM", "privileged mode requested", false },
	{ "PNU", "1 privileged, 0 user", false },
	{ "PR", "the page was present", false },
	{ "PRGI", "page request group index", false },
	{ "PRIV", "privileged mode requested", false },
	{ "PRIVATE0", "private data, low half", false },
	{ "PRIVATE1", "private data, high half", false },
	{ "PRIVATE_PRESENT", "there is private data", false },
	{ "PSCID", "number of the address space", false },
	{ "PSCV", "the address space counts", false },
	{ "PV", "there is a PASID", false },
	{ "PW", "writes before are done", false },
	{ "QUEUE", "function whose invalidation queue it is", false },
	{ "R", "read requested", false },
	{ "RID", "requester id", false },
	{ "RNW", "1 read, 0 write", false },
	{ "RW", "1 write, 0 read", false },
	{ "RZ", "reserved bits were set", false },
	{ "S", "the size is in the address: its lowest 0 from bit 12 is half of it", false },
	{ "SID", "StreamID, or source id", false },
	{ "SIZE", "the number of pages is 2 to the power of this", false },
	{ "SSID", "SubstreamID: the PASID", false },
	{ "SSV", "SubstreamID valid: there is a PASID", false },
	{ "STAG", "tag of the stalled transaction", false },
	{ "TR", "of a translation request", false },
	{ "TTYP", "type of the transaction", false },
	{ "TYPE", "what the record is", false },
	{ "TYPE_HI", "what the record is, bits above", false },
	{ "US", "1 user, 0 privileged", false },
	{ "V", "valid", false },
	{ "VMID", "virtual machine", false },
	{ "W", "write requested", false },
	{ "WSI", "interrupt by wire when it is done", false },
	{ "X", "execute requested", false },
};

static int capital(char c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

static bool same_letters(const char *a, const char *b)
{
	while (*a != '\0' && capital(*a) == capital(*b)) {
		a++;
		b++;
	}
	return capital(*a) == capital(*b);
}

/* ---- Rows -------------------------------------------------------------------------- */

const char *record_name(const struct iopf_layout *layout, const struct field_row *row)
{
	const char *name = row->name, *prefix = layout->prefix;

	while (*prefix != '\0' && *prefix == *name) {
		prefix++;
		name++;
	}
	return *prefix == '\0' ? name : row->name;
}

const struct field_row *record_row(const struct iopf_layout *layout, const char *name)
{
	for (uint32_t i = 0; i < layout->row_count; i++)
		if (same_letters(record_name(layout, &layout->rows[i]), name))
			return &layout->rows[i];
	return NULL;
}

const struct field_row *record_row_at(const struct iopf_layout *layout, unsigned word,
				      unsigned bit)
{
	for (uint32_t i = 0; i < layout->row_count; i++)
		if (FIELD_WORD(layout->rows[i].field) == word &&
		    FIELD_MASK(layout->rows[i].field) >> bit & 1)
			return &layout->rows[i];
	return NULL;
}

/* The description of a field in the layout's own words. */
static const struct record_word *described(const struct iopf_layout *layout, uint32_t field)
{
	const struct record_word *at = layout->words;

	for (; at != NULL && at->field != 0; at++)
		if (at->field == field && at->word == NULL)
			return at;
	return NULL;
}

static size_t dictionary_find(const char *name)
{
	size_t i = 0;

	while (i < sizeof(dictionary) / sizeof(dictionary[0]) &&
	       !name_is(dictionary[i].name, name))
		i++;
	return i;
}

const char *record_text(const struct iopf_layout *layout, const struct field_row *row)
{
	const struct record_word *own = described(layout, row->field);
	size_t known = dictionary_find(record_name(layout, row));

	if (own != NULL && own->text != NULL)
		return own->text;
	if ((layout->reserved[FIELD_WORD(row->field)] & FIELD_MASK(row->field)) != 0)
		return "reserved";
	return known < sizeof(dictionary) / sizeof(dictionary[0]) ? dictionary[known].text :
								    "";
}

unsigned record_unit(const struct iopf_layout *layout, const struct field_row *row)
{
	const struct record_word *own = described(layout, row->field);
	size_t known = dictionary_find(record_name(layout, row));

	if (own != NULL)
		return (unsigned)own->value;
	return known < sizeof(dictionary) / sizeof(dictionary[0]) &&
			       dictionary[known].address ?
		       FIELD_LSB(row->field) :
		       0;
}

/* Whether the field that decides has one of the rule's values. */
static bool decides(const struct record_rule *rule, const uint8_t *bytes)
{
	uint64_t on = field_get(bytes, rule->on);

	return on < 64 && (rule->values >> on & 1) != 0;
}

const char *record_loss(const struct iopf_layout *layout, const uint8_t *bytes,
			uint32_t field)
{
	const struct record_rule *at = layout->rules;

	for (; at != NULL && at->field != 0; at++)
		if (at->kind == RECORD_RULE_LOSS && at->field == field &&
		    (at->on == 0 || decides(at, bytes)))
			return at->text;
	return NULL;
}

/* ---- Kinds and words --------------------------------------------------------------- */

struct record_kind record_kind(const struct record *record, const uint8_t *bytes,
			       uint32_t size_bytes)
{
	struct record_kind kind = { .layout = record->layout };

	if (record->pick != NULL)
		kind.layout = record->pick(bytes, kind.reserved);
	for (unsigned i = 0; kind.layout != NULL && i < size_bytes / 8; i++)
		kind.reserved[i] |= i < kind.layout->size_bytes / 8 ?
					    kind.layout->reserved[i] :
					    UINT64_MAX;
	return kind;
}

/* One step a combination of the selectors' values. */
bool record_next(const struct record *record, uint32_t *step,
		 uint8_t bytes[RECORD_BYTES_MAX])
{
	uint32_t low = record->selectors[0], high = record->selectors[1];
	uint32_t low_bits = FIELD_WIDTH(low), bits = low_bits + FIELD_WIDTH(high);

	while (*step >> bits == 0) {
		uint32_t now = (*step)++;

		for (unsigned i = 0; i < RECORD_BYTES_MAX; i++)
			bytes[i] = 0;
		if (low != 0)
			field_put(bytes, low, now & ((1u << low_bits) - 1));
		if (high != 0)
			field_put(bytes, high, now >> low_bits);
		if (record_kind(record, bytes, record->size_bytes).layout != NULL)
			return true;
	}
	return false;
}

static const struct record_word *word_in(const struct record_word *words, uint32_t field,
					 uint64_t value)
{
	for (; words != NULL && words->field != 0; words++)
		if (words->field == field && words->value == value && words->word != NULL)
			return words;
	return NULL;
}

const struct record_word *record_word(const struct record *record,
				      const struct iopf_layout *layout, uint32_t field,
				      uint64_t value)
{
	const struct record_word *word = word_in(record->words, field, value);

	if (word == NULL && layout != NULL)
		word = word_in(layout->words, field, value);
	return word;
}

static bool value_in(const struct record_word *words, uint32_t field, const char *word,
		     uint64_t *value)
{
	for (; words != NULL && words->field != 0; words++) {
		if (words->field == field && words->word != NULL &&
		    same_letters(words->word, word)) {
			*value = words->value;
			return true;
		}
	}
	return false;
}

bool record_value(const struct record *record, const struct iopf_layout *layout,
		  uint32_t field, const char *word, uint64_t *value)
{
	return value_in(record->words, field, word, value) ||
	       (layout != NULL && value_in(layout->words, field, word, value));
}

/* ---- Problems ---------------------------------------------------------------------- */

struct finding {
	struct record_problem *problems;
	unsigned count;
};

static void found(struct finding *finding, uint32_t field, const struct record_rule *rule)
{
	if (finding->count < RECORD_PROBLEMS_MAX)
		finding->problems[finding->count++] =
			(struct record_problem){ .field = field, .rule = rule };
}

/* Reserved bits that are set: one problem a row. */
static void find_reserved(struct finding *finding, const struct record_kind *kind,
			  const uint8_t *bytes, uint32_t size_bytes)
{
	const struct iopf_layout *layout = kind->layout;
	bool beyond = false;

	for (uint32_t i = 0; i < layout->row_count; i++) {
		uint32_t field = layout->rows[i].field;
		unsigned word = FIELD_WORD(field);

		if (word < size_bytes / 8 && (le64_get(bytes + 8 * word) &
					      kind->reserved[word] & FIELD_MASK(field)))
			found(finding, field, NULL);
	}
	for (uint32_t word = layout->size_bytes / 8; word < size_bytes / 8; word++)
		beyond |= le64_get(bytes + 8 * word) != 0;
	if (beyond)
		found(finding, 0, NULL);
}

static bool is_broken(const struct record *record, const struct iopf_layout *layout,
		      const struct record_rule *rule, const uint8_t *bytes)
{
	uint64_t value = field_get(bytes, rule->field);

	switch ((enum record_rule_kind)rule->kind) {
	case RECORD_RULE_ONLY:
		return value != 0 && !decides(rule, bytes);
	case RECORD_RULE_NAMED:
	case RECORD_RULE_CODE:
		return record_word(record, layout, rule->field, value) == NULL;
	case RECORD_RULE_MOST:
		return value > rule->values;
	case RECORD_RULE_ZERO:
		return value != 0 && rule->broken(bytes);
	case RECORD_RULE_CHECK:
		return rule->broken(bytes);
	case RECORD_RULE_LOSS:
		break;
	}
	return false;
}

/* The record ends before a field that counts in it. */
static bool is_cut_off(const struct record_rule *rule, const uint8_t *bytes,
		       uint32_t size_bytes)
{
	return rule->kind == RECORD_RULE_ONLY && decides(rule, bytes) &&
	       8 * FIELD_WORD(rule->field) >= size_bytes;
}

unsigned record_problems(const struct record *record, const uint8_t *bytes,
			 uint32_t size_bytes,
			 struct record_problem problems[RECORD_PROBLEMS_MAX])
{
	struct record_kind kind = record_kind(record, bytes, size_bytes);
	struct finding finding = { .problems = problems };
	const struct record_rule *rule;

	if (kind.layout == NULL) {
		found(&finding, record->selectors[0], NULL);
		return finding.count;
	}
	find_reserved(&finding, &kind, bytes, size_bytes);
	for (rule = kind.layout->rules; rule != NULL && rule->field != 0; rule++) {
		if (is_broken(record, kind.layout, rule, bytes))
			found(&finding, rule->field, rule);
		else if (is_cut_off(rule, bytes, size_bytes))
			found(&finding, rule->on, rule);
	}
	return finding.count;
}
