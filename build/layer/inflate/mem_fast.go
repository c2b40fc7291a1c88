//go:build !purego && (amd64 || arm64)

package inflate

import "unsafe"

// These three skip bounds checks: the decoder's loop keeps margins at the ends
// of both slices instead (see inputMargin and Slack). Both machines are little
// endian and read words at any address. Build with the tag purego for the
// checked ones.

func load64(b []byte, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}

func store64(b []byte, i int, v uint64) {
	*(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = v
}

func store8(b []byte, i int, v byte) {
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = v
}
