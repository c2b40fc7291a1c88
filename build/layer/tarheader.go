package layer

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"time"
)

// headerWriter writes tar headers, byte for byte as archive/tar does: itself
// those that fit into USTAR without splitting the name, which are nearly all,
// and the others with its help.
type headerWriter struct {
	time  time.Time
	spare bytes.Buffer
}

// append appends r's header to b.
func (w *headerWriter) append(b []byte, r *record) ([]byte, error) {
	const maxNumber = 1<<33 - 1 // eleven octal digits
	at := w.time.Unix()
	if len(r.name) > 100 || len(r.target) > 100 || !ascii(r.name) || !ascii(r.target) || r.size > maxNumber || at < 0 || at > maxNumber {
		w.spare.Reset()
		err := tar.NewWriter(&w.spare).WriteHeader(&tar.Header{
			Typeflag: r.typ, Name: r.name, Linkname: r.target, Size: r.size, Mode: int64(r.mode), ModTime: w.time,
		})
		return append(b, w.spare.Bytes()...), err
	}
	// The fields of POSIX.1-1988's header, in which the checksum counts as spaces.
	start := len(b)
	b = append(b, zeros[:512]...)
	h := b[start:]
	copy(h[:100], r.name)
	octal(h[100:107], uint64(r.mode))
	octal(h[108:115], 0) // owner
	octal(h[116:123], 0) // group
	octal(h[124:135], uint64(r.size))
	octal(h[136:147], uint64(at))
	copy(h[148:156], "        ")
	h[156] = r.typ
	copy(h[157:257], r.target)
	copy(h[257:265], "ustar\x0000")
	octal(h[329:336], 0) // device
	octal(h[337:344], 0)
	octal(h[148:154], byteSum(h))
	h[154] = 0
	return b, nil
}

// byteSum adds the bytes of a header up, four sums of two bytes side by side.
func byteSum(h []byte) uint64 {
	const even = 0x00ff00ff00ff00ff
	var sum uint64
	for ; len(h) >= 8; h = h[8:] {
		v := binary.LittleEndian.Uint64(h)
		sum += v&even + v>>8&even
	}
	return sum&0xffff + sum>>16&0xffff + sum>>32&0xffff + sum>>48
}

// octal fills b with v in octal digits.
func octal(b []byte, v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = '0' + byte(v&7)
		v >>= 3
	}
}

// ascii says whether s can stand in a USTAR header.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] == 0 || s[i] >= 0x80 {
			return false
		}
	}
	return true
}
