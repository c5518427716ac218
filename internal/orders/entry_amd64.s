#include "textflag.h"

// The program's first instructions, see the package's comment. If the first argument
// is "run", they ignore SIGHUP and do without huge pages. Then they go on with those
// of Go's runtime, for which they leave the stack as it was: the number of arguments,
// and the arguments.
TEXT lvsd_entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	CMPQ	0(SP), $2
	JLT	begin
	MOVQ	16(SP), AX
	CMPL	(AX), $0x006e7572	// "run\x00"
	JNE	begin
	SUBQ	$32, SP			// struct sigaction, as the kernel has it
	MOVQ	$1, 0(SP)		// SIG_IGN
	MOVQ	$0, 8(SP)		// flags
	MOVQ	$0, 16(SP)		// restorer
	MOVQ	$0, 24(SP)		// mask
	MOVL	$13, AX			// rt_sigaction
	MOVL	$1, DI			// SIGHUP
	MOVQ	SP, SI
	XORL	DX, DX
	MOVL	$8, R10			// the size of the mask
	SYSCALL
	ADDQ	$32, SP
	MOVL	$157, AX		// prctl
	MOVL	$41, DI			// PR_SET_THP_DISABLE
	MOVL	$1, SI			// yes
	XORL	R10, R10		// The others must be 0; DX is.
	XORL	R8, R8
	SYSCALL
begin:
	JMP	_rt0_amd64_linux(SB)
