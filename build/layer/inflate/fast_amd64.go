//go:build !purego

package inflate

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// canFast says that fastLoop runs here.
var canFast = cpu.X86.HasBMI2

// fast is fastCodes, by fastLoop where that runs.
func (d *Decoder) fast(dst []byte, w int, src []byte, r, first int) (int, int, bool, string) {
	rEnd, wEnd := len(src)-inputMargin, len(dst)-Slack
	if !canFast || d.plain || r > rEnd || w > wEnd || r < 0 || w < 0 || first < 0 || first > w {
		return d.fastCodes(dst, w, src, r, first)
	}
	w, r, why := fastLoop(d, unsafe.SliceData(dst), w, wEnd, unsafe.SliceData(src), r, rEnd, first)
	return w, d.giveBack(d.bits, d.n, r), why == loopEnded, loopWhat[why]
}

// Why fastLoop returned.
const (
	loopMargin = iota // little input or output is left
	loopEnded         // the block's end was read
	loopUnused
	loopFar
)

var loopWhat = [...]string{loopUnused: unusedCode, loopFar: farMatch}

// fastLoop does what fastCodes does, on the same conditions: src[r:rEnd+inputMargin]
// can be read and dst[:wEnd+Slack] written, r and w are not behind their ends.
// It leaves in d the bits taken, not given back.
//
//go:noescape
func fastLoop(d *Decoder, dst *byte, w, wEnd int, src *byte, r, rEnd, first int) (wNow, rNow, why int)
