/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/character.h - how a guest behaves, and what a hostile one does. */
#ifndef CLI_CHARACTER_H
#define CLI_CHARACTER_H

/* X(name, its bytes have to be right in the end, text) */
/* clang-format off */
#define CHARACTERS(X) \
	X(honest,  true,  "maps what its device asks for, and says so") \
	X(slow,    true,  "the same, after a delay") \
	X(silent,  false, "takes requests and never answers") \
	X(liar,    false, "says success and maps nothing, or with fewer rights") \
	X(hostile, false, "does whatever it can to whoever reads what it writes") \
	X(killed,  false, "honest, and killed while it holds groups in the middle of a job") \
	X(noisy,   false, "takes every slot that it can get, and lets go of it late")

/* Everything that a hostile guest tries: X(name, text). */
#define HOSTILE_ACTS(X) \
	X(answer_unasked,     "answers for groups that were never shown") \
	X(answer_twice,       "the same answer again") \
	X(answer_late,        "answers for groups that the host has ended") \
	X(answer_foreign_rid, "answers for functions of others") \
	X(answer_other_pasid, "answers with a PASID that did not ask") \
	X(answer_other_index, "answers for neighbouring indices") \
	X(answer_private,     "answers that bring private data along") \
	X(reserved_code,      "response codes that PCIe reserves") \
	X(reserved_bits,      "commands with reserved bits set") \
	X(malformed,          "commands of unknown types, and random bytes") \
	X(truncated,          "queue tails in the middle of a command, 16 byte commands") \
	X(invalidate_unasked, "invalidations of what is not there") \
	X(invalidate_foreign, "invalidations for functions of others") \
	X(wait_anywhere,      "waits that report to addresses outside of memory") \
	X(command_index,      "command queue indices out of range") \
	X(command_base,       "command queue bases out of memory, and moving") \
	X(request_index,      "request queue indices out of range, and running away") \
	X(request_base,       "request queue bases out of memory, and moving") \
	X(root_anywhere,      "root tables out of memory, and of other modes") \
	X(tables_rewritten,   "tables that change while they are walked") \
	X(tables_looped,      "tables that lead back to themselves") \
	X(tables_nowhere,     "tables that lead out of memory") \
	X(doorbell_storm,     "doorbells without anything behind them") \
	X(register_width,     "register accesses of widths that do not exist") \
	X(register_offset,    "register accesses outside of the registers") \
	X(port_garbage,       "messages of other sizes and unknown kinds") \
	X(port_flags,         "flags changed on its end of the doorbell") \
	X(port_deaf,          "questions whose replies it does not take") \
	X(descriptor_flags,   "flags changed on all descriptors that it has") \
	X(memory_resize,      "its memory cut off, grown, unsealed") \
	X(job_nonsense,       "jobs for its device that make no sense") \
	X(job_stopped,        "PASIDs of its device stopped in the middle of a job")
/* clang-format on */

#define CHARACTER_ENUM(name, data, text) CHARACTER_##name,
enum character { CHARACTERS(CHARACTER_ENUM) CHARACTER_COUNT };

#define HOSTILE_ENUM(name, text) HOSTILE_##name,
enum hostile_act { HOSTILE_ACTS(HOSTILE_ENUM) HOSTILE_ACT_COUNT };

/* NULL out of range. */
const char *character_name(unsigned character);
const char *character_text(unsigned character);
/* CHARACTER_COUNT: no such character. */
unsigned character_find(const char *name);
const char *hostile_name(unsigned act);

#endif
