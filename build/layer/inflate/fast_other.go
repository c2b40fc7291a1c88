//go:build !amd64 || purego

package inflate

// fast is fastCodes.
func (d *Decoder) fast(dst []byte, w int, src []byte, r, first int) (int, int, bool, string) {
	return d.fastCodes(dst, w, src, r, first)
}
