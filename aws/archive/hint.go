package archive

import (
	"bytes"
	"encoding/binary"
)

// directoryStart finds where the central directory seems to begin, from the end
// record in the tail. It validates nothing and is used for nothing but to fetch
// the rest of the directory in one request: what an archive holds is decided by
// build/zipdir. Without a usable hint it returns the tail's own start.
//
// Layouts: APPNOTE.TXT 4.3.14 to 4.3.16.
func directoryStart(tail []byte, tailOff int64) int64 {
	const (
		endLen, locatorLen, end64Len = 22, 20, 56
	)
	for i := bytes.LastIndex(tail, []byte("PK\x05\x06")); i >= 0; i = bytes.LastIndex(tail[:i], []byte("PK\x05\x06")) {
		if len(tail)-i < endLen {
			continue
		}
		if comment := int(binary.LittleEndian.Uint16(tail[i+20:])); i+endLen+comment != len(tail) {
			continue
		}
		start, size := int64(i), int64(binary.LittleEndian.Uint32(tail[i+12:]))
		if j := i - locatorLen - end64Len; j >= 0 && bytes.HasPrefix(tail[j:], []byte("PK\x06\x06")) {
			start, size = int64(j), int64(binary.LittleEndian.Uint64(tail[j+40:]))
		}
		if off := tailOff + start - size; size >= 0 && off >= 0 && off < tailOff {
			return off
		}
		return tailOff
	}
	return tailOff
}
