//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The loop of fastCodes, with all it needs in registers, and with the shifts of
// BMI2, which take their count from any of them.
//
//	AX  bits taken from the input, lowest first
//	CX  how many, in its low byte; an entry is subtracted whole
//	BX  the entry at hand
//	SI  where to read        R8  where to stop
//	DI  where to write       R9  where to stop
//	R10 the literals' table  R11 how many bits index it
//	R12 the stream's first byte
//	DX, R13, R15 are scratch

// REFILL makes the bits at least 56.
#define REFILL \
	SHLXQ   CX, (SI), DX \
	MOVBLZX CX, R13      \
	ORQ     DX, AX       \
	SHRL    $3, R13      \
	ADDQ    $7, SI       \
	ORL     $56, CX      \
	SUBQ    R13, SI

// TAKE drops the bits of the entry in BX.
#define TAKE \
	SHRXQ BX, AX, AX \
	SUBL  BX, CX

// NEXT looks the next entry up.
#define NEXT \
	BZHIQ R11, AX, DX \
	MOVL  (R10)(DX*4), BX

// LITERAL writes the literal in BX, of which it leaves nothing.
#define LITERAL(at) \
	SHRL $16, BX \
	MOVB BX, at(DI)

// VALUE takes a length or a distance whose entry is in BX and leaves it in to.
#define VALUE(to) \
	BZHIQ BX, AX, DX  \
	MOVL  BX, R13     \
	SHRXQ BX, AX, AX  \
	SHRL  $8, R13     \
	SUBL  BX, CX      \
	SHRXQ R13, DX, to \
	SHRL  $16, BX     \
	ADDQ  BX, to

// SECOND looks up, in the second table of the entry in BX, the next. The tables
// begin base bytes behind the literals'.
#define SECOND(base) \
	TAKE                      \
	MOVL  BX, DX              \
	SHRL  $8, DX              \
	ANDL  $15, DX             \
	BZHIQ DX, AX, DX          \
	SHRL  $16, BX             \
	ADDQ  BX, DX              \
	MOVL  base(R10)(DX*4), BX

// func fastLoop(d *Decoder, dst *byte, w, wEnd int, src *byte, r, rEnd, first int) (wNow, rNow, why int)
TEXT ·fastLoop(SB), NOSPLIT, $0-88
	MOVQ d+0(FP), R13
	MOVQ dst+8(FP), R12
	MOVQ w+16(FP), DI
	MOVQ wEnd+24(FP), R9
	MOVQ src+32(FP), DX
	MOVQ r+40(FP), SI
	MOVQ rEnd+48(FP), R8
	ADDQ R12, DI
	ADDQ R12, R9
	ADDQ first+56(FP), R12
	ADDQ DX, SI
	ADDQ DX, R8
	MOVQ Decoder_bits(R13), AX
	MOVQ Decoder_n(R13), CX
	LEAQ Decoder_lit(R13), R10
	MOVL $const_litBits, R11
	JMP  refill

	PCALIGN $32
refill:
	REFILL
	NEXT

more:
	CMPQ SI, R8
	JHI  margin
	CMPQ DI, R9
	JHI  margin

	// Up to three literals of at most 11 bits each, or two and a length, fit
	// into one refill.
symbol:
	TESTL BX, BX
	JGE   notLiteral0
	TAKE
	LITERAL(0)
	NEXT
	TESTL BX, BX
	JGE   notLiteral1
	TAKE
	LITERAL(1)
	NEXT
	TESTL BX, BX
	JGE   notLiteral2
	TAKE
	LITERAL(2)
	ADDQ  $3, DI
	JMP   refill

notLiteral2:
	INCQ DI
notLiteral1:
	INCQ DI
notLiteral0:
	TESTL $const_exceptional, BX
	JNE   exceptional

length:
	VALUE(R15)
	CMPB    CX, $28
	JCS     refillDistance

distanceEntry:
	MOVBLZX AX, DX
	MOVL    const_litTable*4(R10)(DX*4), BX
	TESTL   $const_exceptional, BX
	JNE     exceptionalDistance

distance:
	VALUE(R13)
	MOVQ DI, DX
	SUBQ R12, DX
	CMPQ R13, DX
	JHI  far

	// The match: R15 becomes its end, R13 is how far back and DX where it is copied
	// from. The next entry is looked up meanwhile.
	SHLXQ   CX, (SI), DX
	MOVBLZX CX, BX
	ORQ     DX, AX
	SHRL    $3, BX
	ADDQ    $7, SI
	ORL     $56, CX
	SUBQ    BX, SI
	NEXT
	MOVQ    DI, DX
	SUBQ    R13, DX
	ADDQ    DI, R15
	CMPQ R13, $16
	JB   near
	MOVUPS (DX), X0
	MOVUPS X0, (DI)
	MOVUPS 16(DX), X1
	MOVUPS X1, 16(DI)
	ADDQ   $32, DI
	CMPQ   DI, R15
	JB     copy16

copied:
	MOVQ R15, DI
	JMP  more

copy16:
	MOVUPS 32(DX), X0
	MOVUPS X0, (DI)
	ADDQ   $16, DX
	ADDQ   $16, DI
	CMPQ   DI, R15
	JB     copy16
	JMP    copied

	// Closer than 16 bytes.
near:
	CMPQ R13, $8
	JB   nearer

copy8:
	MOVQ (DX), X0
	MOVQ X0, (DI)
	ADDQ $8, DX
	ADDQ $8, DI
	CMPQ DI, R15
	JB   copy8
	JMP  copied

nearer:
	CMPQ R13, $1
	JE   run

	// Of each word only the first R13 bytes are right, and enough.
copyFew:
	MOVQ (DX), X0
	MOVQ X0, (DI)
	ADDQ R13, DX
	ADDQ R13, DI
	CMPQ DI, R15
	JB   copyFew
	JMP  copied

	// One byte again and again.
run:
	MOVBLZX (DX), R13
	MOVQ    $0x0101010101010101, DX
	IMULQ   DX, R13
	MOVQ    R13, X0
	PUNPCKLQDQ X0, X0

fill:
	MOVUPS X0, (DI)
	ADDQ   $16, DI
	CMPQ   DI, R15
	JB     fill
	JMP    copied

exceptional:
	TESTL $const_subtable, BX
	JEQ   noLength
	SECOND(0)
	TESTL BX, BX
	JLT   lastLiteral
	TESTL $const_exceptional, BX
	JEQ   length

noLength:
	TESTL $const_endOfBlock, BX
	JEQ   unused
	TAKE
	MOVQ $const_loopEnded, R13
	JMP  done

lastLiteral:
	TAKE
	LITERAL(0)
	INCQ DI
	JMP  refill

refillDistance:
	REFILL
	JMP distanceEntry

exceptionalDistance:
	TESTL $const_subtable, BX
	JEQ   unused
	SECOND(const_litTable*4)
	TESTL $const_exceptional, BX
	JEQ   distance

unused:
	MOVQ $const_loopUnused, R13
	JMP  done

far:
	MOVQ $const_loopFar, R13
	JMP  done

margin:
	MOVQ $const_loopMargin, R13

done:
	MOVQ d+0(FP), DX
	ANDL $63, CX
	MOVQ AX, Decoder_bits(DX)
	MOVQ CX, Decoder_n(DX)
	SUBQ dst+8(FP), DI
	SUBQ src+32(FP), SI
	MOVQ DI, wNow+64(FP)
	MOVQ SI, rNow+72(FP)
	MOVQ R13, why+80(FP)
	RET
