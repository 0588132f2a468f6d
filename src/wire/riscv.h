/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/riscv.h - the layouts of a RISC-V IOMMU's three queues. (RISC-V IOMMU Architecture
 * Specification 1.0, "In-memory queue interface", with the extensions "Non-leaf PTE
 * Invalidation" and "Address Range Invalidation")
 */
#ifndef WIRE_RISCV_H
#define WIRE_RISCV_H

#include "base/record.h"

enum { REQUEST_BYTES = 16, COMMAND_BYTES = 16, FAULT_BYTES = 32 };

/* clang-format off */
#define RISCV_PQ(F, R) \
	R(RISCV_PQ_RSVD0,          0,  0, 12)           \
	F(RISCV_PQ_PID,            0, 12, 20)           \
	F(RISCV_PQ_PV,             0, 32,  1)           \
	F(RISCV_PQ_PRIV,           0, 33,  1)           \
	F(RISCV_PQ_EXEC,           0, 34,  1)           \
	R(RISCV_PQ_RSVD1,          0, 35,  5)           \
	F(RISCV_PQ_DID,            0, 40, 24)           \
	F(RISCV_PQ_R,              1,  0,  1)           \
	F(RISCV_PQ_W,              1,  1,  1)           \
	F(RISCV_PQ_L,              1,  2,  1)           \
	F(RISCV_PQ_PRGI,           1,  3,  9)           \
	F(RISCV_PQ_ADDR,           1, 12, 52)
#define RISCV_FQ(F, R) \
	F(RISCV_FQ_CAUSE,          0,  0, 12)           \
	F(RISCV_FQ_PID,            0, 12, 20)           \
	F(RISCV_FQ_PV,             0, 32,  1)           \
	F(RISCV_FQ_PRIV,           0, 33,  1)           \
	F(RISCV_FQ_TTYP,           0, 34,  6)           \
	F(RISCV_FQ_DID,            0, 40, 24)           \
	F(RISCV_FQ_CUSTOM,         1,  0, 32)           \
	R(RISCV_FQ_RSVD0,          1, 32, 32)           \
	F(RISCV_FQ_IOTVAL,         2,  0, 64)           \
	F(RISCV_FQ_IOTVAL2,        3,  0, 64)
/* The same in every command. */
#define RISCV_HEAD(name, F)                              \
	F(name##_OPCODE,          0,  0,  7)             \
	F(name##_FUNC3,           0,  7,  3)
#define RISCV_IOTINVAL(F, R) \
	RISCV_HEAD(RISCV_IOTINVAL, F)                   \
	F(RISCV_IOTINVAL_AV,       0, 10,  1)           \
	R(RISCV_IOTINVAL_RSVD0,    0, 11,  1)           \
	F(RISCV_IOTINVAL_PSCID,    0, 12, 20)           \
	F(RISCV_IOTINVAL_PSCV,     0, 32,  1)           \
	F(RISCV_IOTINVAL_GV,       0, 33,  1)           \
	F(RISCV_IOTINVAL_NL,       0, 34,  1)           \
	R(RISCV_IOTINVAL_RSVD1,    0, 35,  9)           \
	F(RISCV_IOTINVAL_GSCID,    0, 44, 16)           \
	R(RISCV_IOTINVAL_RSVD2,    0, 60,  4)           \
	R(RISCV_IOTINVAL_RSVD3,    1,  0,  9)           \
	F(RISCV_IOTINVAL_S,        1,  9,  1)           \
	F(RISCV_IOTINVAL_ADDR,     1, 10, 52)           \
	R(RISCV_IOTINVAL_RSVD4,    1, 62,  2)
#define RISCV_IOFENCE(F, R) \
	RISCV_HEAD(RISCV_IOFENCE, F)                    \
	F(RISCV_IOFENCE_AV,        0, 10,  1)           \
	F(RISCV_IOFENCE_WSI,       0, 11,  1)           \
	F(RISCV_IOFENCE_PR,        0, 12,  1)           \
	F(RISCV_IOFENCE_PW,        0, 13,  1)           \
	R(RISCV_IOFENCE_RSVD0,     0, 14, 18)           \
	F(RISCV_IOFENCE_DATA,      0, 32, 32)           \
	F(RISCV_IOFENCE_ADDR,      1,  0, 62)           \
	R(RISCV_IOFENCE_RSVD1,     1, 62,  2)
#define RISCV_IODIR(F, R) \
	RISCV_HEAD(RISCV_IODIR, F)                      \
	R(RISCV_IODIR_RSVD0,       0, 10,  2)           \
	F(RISCV_IODIR_PID,         0, 12, 20)           \
	R(RISCV_IODIR_RSVD1,       0, 32,  1)           \
	F(RISCV_IODIR_DV,          0, 33,  1)           \
	R(RISCV_IODIR_RSVD2,       0, 34,  6)           \
	F(RISCV_IODIR_DID,         0, 40, 24)           \
	R(RISCV_IODIR_RSVD3,       1,  0, 64)
#define RISCV_ATS(name, F, R) \
	RISCV_HEAD(name, F)                             \
	R(name##_RSVD0,            0, 10,  2)           \
	F(name##_PID,              0, 12, 20)           \
	F(name##_PV,               0, 32,  1)           \
	F(name##_DSV,              0, 33,  1)           \
	R(name##_RSVD1,            0, 34,  6)           \
	F(name##_RID,              0, 40, 16)           \
	F(name##_DSEG,             0, 56,  8)
#define RISCV_INVAL(F, R) \
	RISCV_ATS(RISCV_INVAL, F, R)                    \
	F(RISCV_INVAL_G,           1,  0,  1)           \
	R(RISCV_INVAL_RSVD2,       1,  1, 10)           \
	F(RISCV_INVAL_S,           1, 11,  1)           \
	F(RISCV_INVAL_ADDR,        1, 12, 52)
#define RISCV_PRGR(F, R) \
	RISCV_ATS(RISCV_PRGR, F, R)                     \
	R(RISCV_PRGR_RSVD2,        1,  0, 32)           \
	F(RISCV_PRGR_PRGI,         1, 32,  9)           \
	R(RISCV_PRGR_RSVD3,        1, 41,  3)           \
	F(RISCV_PRGR_CODE,         1, 44,  4)           \
	F(RISCV_PRGR_DEST,         1, 48, 16)
/* clang-format on */

RECORD_FIELDS2(riscv_pq, RISCV_PQ);
RECORD_FIELDS4(riscv_fq, RISCV_FQ);
RECORD_FIELDS2(riscv_iotinval, RISCV_IOTINVAL);
RECORD_FIELDS2(riscv_iofence, RISCV_IOFENCE);
RECORD_FIELDS2(riscv_iodir, RISCV_IODIR);
RECORD_FIELDS2(riscv_inval, RISCV_INVAL);
RECORD_FIELDS2(riscv_prgr, RISCV_PRGR);

/* Of every command. */
enum { OPCODE = FIELD(0, 0, 7), FUNC3 = FIELD(0, 7, 3) };
enum { OP_IOTINVAL = 1, OP_IOFENCE = 2, OP_IODIR = 3, OP_ATS = 4 };
enum { VMA = 0, GVMA = 1, FENCE_C = 0, INVAL_DDT = 0, INVAL_PDT = 1, INVAL = 0, PRGR = 1 };

/* TTYP: what came in. 4 and those between are reserved, from the last on they are for
 * custom use. */
#define RISCV_TTYPS(X)                                        \
	X(0, "none", 0)                                       \
	X(1, "untranslated_exec", IOPF_READ | IOPF_EXEC)      \
	X(2, "untranslated_read", IOPF_READ)                  \
	X(3, "untranslated_write", IOPF_WRITE)                \
	X(5, "translated_exec", IOPF_READ | IOPF_EXEC)        \
	X(6, "translated_read", IOPF_READ)                    \
	X(7, "translated_write", IOPF_WRITE)                  \
	X(TTYP_ATS, "translation_request", 0)                 \
	X(TTYP_MESSAGE, "message", 0)
enum { TTYP_NONE = 0, TTYP_ATS = 8, TTYP_MESSAGE = 9, TTYP_COUNT, TTYP_CUSTOM = 31 };

/* iotval2 of a guest page fault: a table or a directory was to be read (1), or a table to
 * be marked (3), on the way. */
enum { IMPLICIT = 1, IMPLICIT_WRITE = 2 };

#endif
