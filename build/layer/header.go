package layer

import (
	"encoding/binary"
	"math/bits"
)

// The fixed Huffman code of RFC 1951, 3.2.6, as it lies in the stream.
var (
	fixedLiterals = fixedLiteralCodes()
	fixedLengths  = fixedLengthCodes()
)

// code is n bits, the lowest first.
type code struct {
	bits uint32
	n    uint8
}

func fixedLiteralCodes() (c [288]code) {
	for sym := range c {
		var v uint16
		n := 8
		switch {
		case sym < 144:
			v = 0x30 + uint16(sym)
		case sym < 256:
			v, n = 0x190+uint16(sym-144), 9
		case sym < 280:
			v, n = uint16(sym-256), 7
		default:
			v = 0xc0 + uint16(sym-280)
		}
		c[sym] = code{uint32(bits.Reverse16(v) >> (16 - n)), uint8(n)}
	}
	return c
}

// fixedLengthCodes holds, for each length of a match, its symbol and extra bits.
func fixedLengthCodes() (c [maxMatch + 1]code) {
	base := 3
	for sym := 257; sym < 285; sym++ {
		extra := max(0, (sym-261)/4)
		lit := fixedLiterals[sym]
		for i := 0; i < 1<<extra && base+i < maxMatch; i++ {
			c[base+i] = code{lit.bits | uint32(i)<<lit.n, lit.n + uint8(extra)}
		}
		base += 1 << extra
	}
	c[maxMatch] = fixedLiterals[285]
	return c
}

const (
	minMatch    = 3
	maxMatch    = 258
	maxDistance = 32 << 10
	endOfBlock  = 256
)

// distanceCode is the symbol and the extra bits of a distance: RFC 1951, 3.2.5.
func distanceCode(distance int) code {
	d := uint32(distance - 1)
	sym, extra := d, 0
	if d >= 4 {
		extra = bits.Len32(d) - 2
		sym = uint32(2*extra) + d>>extra
	}
	return code{uint32(bits.Reverse8(uint8(sym))>>3) | (d&(1<<extra-1))<<5, uint8(5 + extra)}
}

// headerCoder writes tar headers as blocks of the fixed code. It finds repeats
// inside what it is given, and in the header before at the same place.
type headerCoder struct {
	out   []byte               // bytes of the stream, not taken yet
	acc   uint64               // the bits behind them
	n     uint                 // how many, fewer than 32 between calls
	coded int64                // bytes that blocks were given so far
	heads [1 << hashBits]int64 // where among them, counted from 1, the bytes of that hash were last
}

const hashBits = 9

func (c *headerCoder) put(v code) {
	c.acc |= uint64(v.bits) << c.n
	if c.n += uint(v.n); c.n >= 32 {
		c.out = binary.LittleEndian.AppendUint32(c.out, uint32(c.acc))
		c.acc >>= 32
		c.n -= 32
	}
}

// align ends the last byte with zeros.
func (c *headerCoder) align() {
	for ; c.n > 0; c.n -= min(c.n, 8) {
		c.out = append(c.out, byte(c.acc))
		c.acc >>= 8
	}
}

// stored begins a stored block of n bytes, which follow.
func (c *headerCoder) stored(n int) {
	c.put(code{0, 3})
	c.align()
	c.out = binary.LittleEndian.AppendUint16(c.out, uint16(n))
	c.out = binary.LittleEndian.AppendUint16(c.out, ^uint16(n))
}

// block writes data as one block. before, which may be nil, is what lies back
// bytes before the end of data that is as long as it; the stream's reader still has it if
// back is no more than maxDistance.
func (c *headerCoder) block(data, before []byte, back int, final bool) {
	kind := code{1 << 1, 3}
	if final {
		kind.bits |= 1
	}
	c.put(kind)
	if back > maxDistance || back < len(before) {
		before = nil
	}
	base := c.coded + 1
	c.coded += int64(len(data))
	offset := len(data) - len(before)
	for i := 0; i < len(data); {
		length, distance := 0, 0
		if j := i - offset; j >= 0 && j < len(before) {
			length, distance = common(data[i:], before[j:]), back
		}
		if len(data)-i >= 4 {
			h := binary.LittleEndian.Uint32(data[i:]) * 0x9e3779b1 >> (32 - hashBits)
			if k := int(c.heads[h] - base); k >= 0 {
				if n := common(data[i:], data[k:]); n > length || n == length && i-k < distance {
					length, distance = n, i-k
				}
			}
			c.heads[h] = base + int64(i)
		}
		if length < minMatch {
			c.put(fixedLiterals[data[i]])
			i++
			continue
		}
		c.put(fixedLengths[length])
		c.put(distanceCode(distance))
		i += length
	}
	c.put(fixedLiterals[endOfBlock])
}

// common is how many bytes a and b begin with alike, up to a match's length. b
// may be what a is part of.
func common(a, b []byte) int {
	n := min(len(a), len(b), maxMatch)
	a, b = a[:n], b[:n]
	i := 0
	for ; i <= n-8; i += 8 {
		if d := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); d != 0 {
			return i + bits.TrailingZeros64(d)/8
		}
	}
	for ; i < n; i++ {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
