package inflate

// codes decodes symbols of a compressed block: the fast loop while both slices
// are far from their ends, then one symbol at a time.
func (d *Decoder) codes(dst []byte, w int, src []byte, r int, last bool) (int, int, string) {
	first := w - int(min(d.out, int64(w))) // the stream's first byte in dst
	w, r, ended, what := d.fast(dst, w, src, r, first)
	for what == "" && !ended && w <= len(dst)-Slack && last && r <= len(src) {
		w, r, ended, what = d.oneCode(dst, w, src, r, first)
	}
	if ended {
		d.blockEnd()
	}
	return w, r, what
}

// Reasons of refusal found here.
const (
	unusedCode = "an unused code"
	farMatch   = "a match that reaches back before the data's start"
)

// fastCodes needs inputMargin bytes of input and Slack bytes of output at the
// top of each round. Each round takes at most 16 bytes of the one (two refills
// of 7 bytes, each reading 8) and gives at most 2 + 258 of the other, writing
// up to 16 behind.
func (d *Decoder) fastCodes(dst []byte, w int, src []byte, r, first int) (int, int, bool, string) {
	rEnd, wEnd := len(src)-inputMargin, len(dst)-Slack
	if r > rEnd || w > wEnd || r < 0 || w < 0 {
		return w, r, false, ""
	}
	lit, dist := &d.lit, &d.dist
	b, n := d.bits, uint64(d.n) // only the low 6 bits of n count: see below
	ended, what := false, ""

	b |= load64(src, r) << (n & 63)
	r += 7 - int(n>>3&7)
	n |= 56
	e := lit[b&litMask]
	for {
		if int32(e) < 0 {
			// Up to three literals of at most 11 bits each fit into one refill.
			// Subtracting the whole entry takes its low byte from n; what else
			// happens to n does not reach the bits that count.
			b >>= e & 63
			n -= uint64(e)
			dst[w] = byte(e >> 16)
			w++
			e = lit[b&litMask]
			if int32(e) < 0 {
				b >>= e & 63
				n -= uint64(e)
				dst[w] = byte(e >> 16)
				w++
				e = lit[b&litMask]
				if int32(e) < 0 {
					b >>= e & 63
					n -= uint64(e)
					dst[w] = byte(e >> 16)
					w++
					if r > rEnd || w > wEnd {
						break
					}
					b |= load64(src, r) << (n & 63)
					r += 7 - int(n>>3&7)
					n |= 56
					e = lit[b&litMask]
					continue
				}
			}
		}
		if e&exceptional != 0 {
			if e&subtable != 0 {
				b >>= e & 63
				n -= uint64(e)
				e = lit[(uint64(e>>16)+b&(1<<(e>>8&15)-1))%litTable]
			}
			if int32(e) < 0 {
				b >>= e & 63
				n -= uint64(e)
				dst[w] = byte(e >> 16)
				w++
				if r > rEnd || w > wEnd {
					break
				}
				b |= load64(src, r) << (n & 63)
				r += 7 - int(n>>3&7)
				n |= 56
				e = lit[b&litMask]
				continue
			}
			if e&exceptional != 0 {
				if e&endOfBlock == 0 {
					what = unusedCode
					break
				}
				b >>= e & 63
				n -= uint64(e)
				ended = true
				break
			}
		}
		was := b
		b >>= e & 63
		n -= uint64(e)
		length := int(e>>16) + int(was&(1<<(e&63)-1)>>(e>>8&15))

		if n&63 < 28 {
			b |= load64(src, r) << (n & 63)
			r += 7 - int(n>>3&7)
			n |= 56
		}
		e = dist[b&distMask]
		if e&exceptional != 0 {
			if e&subtable == 0 {
				what = unusedCode
				break
			}
			b >>= e & 63
			n -= uint64(e)
			e = dist[(uint64(e>>16)+b&(1<<(e>>8&15)-1))%distTable]
			if e&exceptional != 0 {
				what = unusedCode
				break
			}
		}
		was = b
		b >>= e & 63
		n -= uint64(e)
		back := int(e>>16) + int(was&(1<<(e&63)-1)>>(e>>8&15))
		if back > w-first {
			what = farMatch
			break
		}
		from, end := w-back, w+length

		more := r <= rEnd
		if more {
			// The next entry is looked up while the copy goes on.
			b |= load64(src, r) << (n & 63)
			r += 7 - int(n>>3&7)
			n |= 56
			e = lit[b&litMask]
		}
		switch {
		case back >= 16:
			copy16(dst, w, from)
			copy16(dst, w+16, from+16)
			for w += 32; w < end; w += 16 {
				copy16(dst, w, w-back)
			}
		case back >= 8:
			store64(dst, w, load64(dst, from))
			store64(dst, w+8, load64(dst, from+8))
			for w += 16; w < end; w += 8 {
				from += 8
				store64(dst, w, load64(dst, from+8))
			}
		case back == 1:
			v := uint64(dst[from]) * 0x0101010101010101
			store64(dst, w, v)
			for w += 8; w < end; w += 8 {
				store64(dst, w, v)
			}
		default:
			// Of each word only the first back bytes are right, and enough.
			for ; w < end; w, from = w+back, from+back {
				store64(dst, w, load64(dst, from))
			}
		}
		w = end
		if !more || w > wEnd {
			break
		}
	}
	return w, d.giveBack(b, uint(n&63), r), ended, what
}

// oneCode decodes one literal, match or end of block, at any distance from the
// input's end.
func (d *Decoder) oneCode(dst []byte, w int, src []byte, r, first int) (int, int, bool, string) {
	b, n, r := refill(d.bits, d.n, src, r)
	e := d.lit[b&litMask]
	if e&literal == 0 && e&subtable != 0 {
		b >>= e & 63
		n -= uint(e & 63)
		e = d.lit[uint64(e>>16)+b&(1<<(e>>8&15)-1)]
	}
	was := b
	if e&literal != 0 || e&exceptional == 0 || e&endOfBlock != 0 {
		b >>= e & 63
		n -= uint(e & 63)
	}
	switch {
	case e&literal != 0:
		dst[w] = byte(e >> 16)
		return w + 1, d.giveBack(b, n, r), false, ""
	case e&exceptional != 0 && e&endOfBlock != 0:
		return w, d.giveBack(b, n, r), true, ""
	case e&exceptional != 0:
		return w, d.giveBack(b, n, r), false, unusedCode
	}
	length := int(e>>16) + int(was&(1<<(e&63)-1)>>(e>>8&15))
	b, n, r = refill(b, n, src, r)
	e = d.dist[b&distMask]
	if e&subtable != 0 {
		b >>= e & 63
		n -= uint(e & 63)
		e = d.dist[uint64(e>>16)+b&(1<<(e>>8&15)-1)]
	}
	if e&exceptional != 0 {
		return w, d.giveBack(b, n, r), false, unusedCode
	}
	was = b
	b >>= e & 63
	n -= uint(e & 63)
	back := int(e>>16) + int(was&(1<<(e&63)-1)>>(e>>8&15))
	if back > w-first {
		return w, d.giveBack(b, n, r), false, farMatch
	}
	for range length {
		dst[w] = dst[w-back]
		w++
	}
	return w, d.giveBack(b, n, r), false, ""
}
