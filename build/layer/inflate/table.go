package inflate

import "math/bits"

// A decoding table is indexed by the next bits of the stream. An entry holds
//
//	bits  0-7   how many bits to take: the code and the extra bits behind it
//	bits  8-11  how many of them are the code
//	bits 13-15  flags below; an entry without one is a length or a distance
//	bits 16-31  the literal, the length's or distance's base, or where the
//	            second table begins
//
// Codes longer than the table's index go through a second table: its entry in
// the first takes the index bits, and bits 8-11 say how many bits index the
// second.
const (
	literal     = 1 << 31
	exceptional = 1 << 15 // one of the next two, or no code at all
	subtable    = 1 << 14
	endOfBlock  = 1 << 13
	noCode      = exceptional
)

const (
	// How many bits index each table. More for the literals and lengths cost
	// short blocks more than they save long ones.
	litBits  = 11
	distBits = 8
	preBits  = 7
	litMask  = 1<<litBits - 1
	distMask = 1<<distBits - 1

	// The most entries that any code needs: for 288 symbols and 11 index bits,
	// for 32 symbols and 8 index bits, no code longer than 15 bits; the results
	// of zlib's enough.c, rounded up.
	litTable  = 2400
	distTable = 408

	maxCodeLen = 15
	maxLits    = 288
	maxDists   = 32
)

// The meaning of each symbol, without the length of its code: RFC 1951, 3.2.5.
var (
	litMeaning  = litMeanings()
	distMeaning = distMeanings()
	preMeaning  = preMeanings()
)

func litMeanings() (m [maxLits]uint32) {
	for i := range 256 {
		m[i] = literal | uint32(i)<<16
	}
	m[256] = exceptional | endOfBlock
	base := uint32(3)
	for i := 257; i < 285; i++ {
		extra := uint32(max(0, (i-261)/4))
		m[i] = base<<16 | extra
		base += 1 << extra
	}
	m[285] = 258 << 16
	m[286], m[287] = noCode, noCode // in the fixed code only
	return m
}

func distMeanings() (m [maxDists]uint32) {
	base := uint32(1)
	for i := range 30 {
		extra := uint32(max(0, i/2-1))
		m[i] = base<<16 | extra
		base += 1 << extra
	}
	m[30], m[31] = noCode, noCode
	return m
}

func preMeanings() (m [19]uint32) {
	for i := range m {
		m[i] = uint32(i) << 16
	}
	return m
}

// build fills table for the canonical code with these lengths, indexed by
// tableBits bits. It says whether the code is one: complete, or empty, or a
// single code of one bit.
func build(table []uint32, tableBits uint, lens []uint8, meaning []uint32) bool {
	// Neighbours are often of one length: counted apart, they don't wait for each
	// other.
	var count, odd, next [maxCodeLen + 1]uint16
	for i := 1; i < len(lens); i += 2 {
		count[lens[i-1]&15]++
		odd[lens[i]&15]++
	}
	if len(lens)&1 != 0 {
		count[lens[len(lens)-1]&15]++
	}
	for l := range count {
		count[l] += odd[l]
	}
	longest := maxCodeLen
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	size := 1 << tableBits
	if longest == 0 {
		fill(table[:size], noCode)
		return true
	}
	space := 1 // codes of the length looked at that are still free
	for l, at := 1, uint16(0); l <= maxCodeLen; l++ {
		next[l] = at
		at += count[l]
		if space = space<<1 - int(count[l]); space < 0 {
			return false
		}
	}
	var sorted [maxLits]uint16 // symbols by length of code, then by value
	for sym, l := range lens {
		if l != 0 {
			sorted[next[l&15]] = uint16(sym)
			next[l&15]++
		}
	}
	if space != 0 {
		if longest != 1 || count[1] != 1 {
			return false
		}
		e := entry(meaning[sorted[0]], 1)
		for i := 0; i < size; i += 2 {
			table[i], table[i+1] = e, noCode
		}
		return true
	}

	// Codes are packed with their first bit lowest, so they are counted up from
	// the top bit. A table for codes of l bits, twice over, is the one for l+1.
	var code uint
	sym := 0
	for l := uint(1); l <= tableBits; l++ {
		cur := uint(1) << l
		copy(table[cur/2:cur], table[:cur/2])
		for k := count[l]; k > 0; k-- {
			table[code] = entry(meaning[sorted[sym]], uint32(l))
			sym++
			if code == cur-1 {
				for ; cur < uint(size); cur *= 2 {
					copy(table[cur:2*cur], table[:cur])
				}
				return true
			}
			code = up(code, l)
		}
	}
	end, start := uint(size), uint(0)
	prefix := ^uint(0)
	for l := tableBits + 1; ; l++ {
		for k := count[l]; k > 0; k-- {
			if p := code & (uint(size) - 1); p != prefix {
				// The second table is as long as the codes in it need.
				prefix, start = p, end
				sub := l - tableBits
				for left := 1<<sub - int(k); left > 0; {
					sub++
					left = left<<1 - int(count[tableBits+sub])
				}
				end = start + 1<<sub
				table[p] = uint32(start)<<16 | exceptional | subtable | uint32(sub)<<8 | uint32(tableBits)
			}
			e := entry(meaning[sorted[sym]], uint32(l-tableBits))
			sym++
			for i := start + code>>tableBits; i < end; i += 1 << (l - tableBits) {
				table[i] = e
			}
			if code == 1<<l-1 {
				return true
			}
			code = up(code, l)
		}
	}
}

func entry(meaning, length uint32) uint32 { return meaning + length<<8 + length }

// up returns the code of l bits that follows code, which isn't the last.
func up(code, l uint) uint {
	bit := uint(1) << (bits.Len(code^(1<<l-1)) - 1)
	return code&(bit-1) | bit
}

func fill(t []uint32, e uint32) {
	for i := range t {
		t[i] = e
	}
}

// fixedLens are the code lengths of RFC 1951, 3.2.6.
func fixedLens() (lens [maxLits + maxDists]uint8) {
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		case i < maxLits:
			lens[i] = 8
		default:
			lens[i] = 5
		}
	}
	return lens
}
