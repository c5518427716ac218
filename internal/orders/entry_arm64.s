#include "textflag.h"

// As in entry_amd64.s.
TEXT lvsd_entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVD	0(RSP), R0
	CMP	$2, R0
	BLT	begin
	MOVD	16(RSP), R0
	MOVBU	0(R0), R1
	CMP	$0x72, R1		// r
	BNE	begin
	MOVBU	1(R0), R1
	CMP	$0x75, R1		// u
	BNE	begin
	MOVBU	2(R0), R1
	CMP	$0x6e, R1		// n
	BNE	begin
	MOVBU	3(R0), R1
	CBNZ	R1, begin
	SUB	$32, RSP		// struct sigaction, as the kernel has it
	MOVD	$1, R0			// SIG_IGN
	MOVD	R0, 0(RSP)
	MOVD	ZR, 8(RSP)		// flags
	MOVD	ZR, 16(RSP)		// restorer
	MOVD	ZR, 24(RSP)		// mask
	MOVD	$1, R0			// SIGHUP
	MOVD	RSP, R1
	MOVD	$0, R2
	MOVD	$8, R3			// the size of the mask
	MOVD	$134, R8		// rt_sigaction
	SVC
	ADD	$32, RSP
	MOVD	$41, R0			// PR_SET_THP_DISABLE
	MOVD	$1, R1			// yes
	MOVD	$0, R2			// The others must be 0.
	MOVD	$0, R3
	MOVD	$0, R4
	MOVD	$167, R8		// prctl
	SVC
begin:
	JMP	_rt0_arm64_linux(SB)
