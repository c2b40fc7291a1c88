package inflate

import "fmt"

const (
	// Slack is how many bytes at the end of dst Decode keeps free: it needs them
	// for the longest match and for copying in words.
	Slack = 320
	// MinInput is how much input Decode wants to see unless it is the last: more
	// than the longest block header (RFC 1951, 3.2.7: 17 + 19*3 + 316*14 bits).
	MinInput = 640
	// inputMargin is how much the fast loop may read behind where it stands.
	inputMargin = 24
	// Window is how far back a match may reach.
	Window = 32 << 10
)

// Decoder decodes one stream at a time; Reset makes it ready for the next. The
// zero value is ready. A decoder holds some 12 KiB and allocates nothing.
type Decoder struct {
	// OnBlock, which may be nil, is told of each block before it is decoded: where in
	// the stream its first bit lies, and how many bytes the stream gave before.
	OnBlock func(bit, out int64)

	bits  uint64 // taken from the input but not used, lowest first
	n     uint   // how many; fewer than 8 between calls
	in    int64  // bytes taken, those in bits included
	out   int64
	state state

	final    bool  // the block at hand is the last
	finalBit int64 // where its header begins
	stored   int   // bytes left in a stored block

	plain bool // only Go, for tests
	fixed bool // the tables are those of the fixed code
	lit   [litTable]uint32
	dist  [distTable]uint32
	lens  [maxLits + maxDists]uint8
}

type state uint8

const (
	atHeader state = iota
	inStored
	inCodes
	done
)

// CorruptError says that a stream is not DEFLATE data, or ends early.
type CorruptError struct {
	Bit  int64 // near which bit of the stream
	What string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("broken deflate stream at byte %d: %s", e.Bit/8, e.What)
}

// Reset begins a new stream.
func (d *Decoder) Reset() {
	d.bits, d.n, d.in, d.out, d.state = 0, 0, 0, 0, atHeader
	d.final, d.finalBit, d.stored = false, 0, 0
}

// Done says whether the stream's end has been reached.
func (d *Decoder) Done() bool { return d.state == done }

// Out is how many bytes the stream gave so far.
func (d *Decoder) Out() int64 { return d.out }

// EndBit is the position behind the last bit used so far: once Done, where the
// stream ends.
func (d *Decoder) EndBit() int64 { return d.in*8 - int64(d.n) }

// FinalBit is the position of the BFINAL bit of the last block, if its header
// has been read.
func (d *Decoder) FinalBit() (bit int64, ok bool) { return d.finalBit, d.final }

// Decode goes on with the stream. src[r:] is the input, which may reach beyond
// the stream's end; last says that there is no more of it. The output is
// written from dst[w] on; before it must lie what the stream gave last, at least
// Window bytes or all of it. Decode returns where it stopped in both: at the
// stream's end, when fewer than Slack bytes of dst are free, or when fewer than
// MinInput bytes of input are left and last is false. dst beyond what it returns
// is scratch.
func (d *Decoder) Decode(dst []byte, w int, src []byte, r int, last bool) (int, int, error) {
	r0 := r
	var what string
	for what == "" && d.state != done && w <= len(dst)-Slack && (last || len(src)-r >= MinInput) {
		before := w
		switch d.state {
		case atHeader:
			r, what = d.header(src, r, d.in+int64(r-r0))
		case inStored:
			w, r, what = d.copyStored(dst[:len(dst)-Slack+1], w, src, r)
		case inCodes:
			w, r, what = d.codes(dst, w, src, r, last)
		}
		d.out += int64(w - before)
		if what == "" && r > len(src) {
			what = "it ends early"
		}
	}
	d.in += int64(r - r0)
	if what != "" {
		return w, r, &CorruptError{Bit: d.EndBit(), What: what}
	}
	return w, r, nil
}

// Behind the end of src the input is zeros: r runs past len(src), and Decode
// finds that when the bits have been given back.

// refill returns at least 56 bits.
func refill(b uint64, n uint, src []byte, r int) (uint64, uint, int) {
	if r <= len(src)-8 {
		b |= load64(src, r) << (n & 63)
		return b, n | 56, r + 7 - int(n>>3&7)
	}
	for ; n < 56; n, r = n+8, r+1 {
		if r < len(src) {
			b |= uint64(src[r]) << (n & 63)
		}
	}
	return b, n, r
}

// giveBack returns whole bytes that were taken but not used.
func (d *Decoder) giveBack(b uint64, n uint, r int) int {
	d.n = n & 7
	d.bits = b & (1<<d.n - 1)
	return r - int(n>>3)
}

// header reads a block's header, with the codes in it. at is the stream's
// position of src[r].
func (d *Decoder) header(src []byte, r int, at int64) (int, string) {
	first := at*8 - int64(d.n)
	if d.OnBlock != nil {
		d.OnBlock(first, d.out)
	}
	b, n, r := refill(d.bits, d.n, src, r)
	if d.final = b&1 != 0; d.final {
		d.finalBit = first
	}
	kind := b >> 1 & 3
	b >>= 3
	n -= 3
	switch kind {
	case 0:
		b >>= n & 7 // the rest of the byte
		n &^= 7
		b, n, r = refill(b, n, src, r)
		size := b & 0xffff
		if size != ^(b>>16)&0xffff {
			return d.giveBack(b, n, r), "a stored block's lengths disagree"
		}
		d.stored = int(size)
		d.state = inStored
		return d.giveBack(b>>32, n-32, r), ""
	case 1:
		d.state = inCodes
		if !d.fixed {
			d.fixed = true
			lens := fixedLens()
			build(d.lit[:], litBits, lens[:maxLits], litMeaning[:])
			build(d.dist[:], distBits, lens[maxLits:], distMeaning[:])
		}
		return d.giveBack(b, n, r), ""
	case 2:
		d.state = inCodes
		d.fixed = false
		return d.readCodes(b, n, src, r)
	}
	return d.giveBack(b, n, r), "a block of the reserved kind"
}

// preOrder is the order of the code length code's lengths: RFC 1951, 3.2.7.
var preOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readCodes reads the two codes of a dynamic block.
func (d *Decoder) readCodes(b uint64, n uint, src []byte, r int) (int, string) {
	lits, dists, pres := int(b&31)+257, int(b>>5&31)+1, int(b>>10&15)+4
	b >>= 14
	n -= 14
	if lits > 286 || dists > 30 {
		return d.giveBack(b, n, r), "a code with too many symbols"
	}
	var preLens [19]uint8
	for i := range pres {
		if n < 3 {
			b, n, r = refill(b, n, src, r)
		}
		preLens[preOrder[i]] = uint8(b & 7)
		b >>= 3
		n -= 3
	}
	// The distance table is not needed yet.
	pre := d.dist[:1<<preBits]
	if !build(pre, preBits, preLens[:], preMeaning[:]) {
		return d.giveBack(b, n, r), "the code of the code lengths is none"
	}
	lens := &d.lens
	for i := 0; i < lits+dists; {
		if n < 14 {
			b, n, r = refill(b, n, src, r)
		}
		e := pre[b&(1<<preBits-1)]
		if e&exceptional != 0 {
			return d.giveBack(b, n, r), "an unused code among the code lengths"
		}
		b >>= e & 15
		n -= uint(e & 15)
		sym := uint8(e >> 16)
		if sym < 16 {
			lens[i] = sym
			i++
			continue
		}
		var v uint8
		var times int
		switch sym {
		case 16:
			if i == 0 {
				return d.giveBack(b, n, r), "a repeated code length without one before"
			}
			v, times = lens[i-1], int(b&3)+3
			b >>= 2
			n -= 2
		case 17:
			times = int(b&7) + 3
			b >>= 3
			n -= 3
		default:
			times = int(b&127) + 11
			b >>= 7
			n -= 7
		}
		if i+times > lits+dists {
			return d.giveBack(b, n, r), "more code lengths than symbols"
		}
		for range times {
			lens[i] = v
			i++
		}
	}
	r = d.giveBack(b, n, r)
	if !build(d.lit[:], litBits, lens[:lits], litMeaning[:]) {
		return r, "the code of the literals is none"
	}
	if !build(d.dist[:], distBits, lens[lits:lits+dists], distMeaning[:]) {
		return r, "the code of the distances is none"
	}
	return r, ""
}

// copyStored copies what is left of a stored block. No bits are held here.
func (d *Decoder) copyStored(dst []byte, w int, src []byte, r int) (int, int, string) {
	if r >= len(src) && d.stored > 0 {
		return w, r, "it ends early"
	}
	k := copy(dst[w:], src[r:min(len(src), r+d.stored)])
	if d.stored -= k; d.stored == 0 {
		d.blockEnd()
	}
	return w + k, r + k, ""
}

func (d *Decoder) blockEnd() {
	d.state = atHeader
	if d.final {
		d.state = done
	}
}
