package zipdir_test

import (
	"bytes"
	"compress/flate"
	"fmt"

	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func manyName(i int) string { return fmt.Sprintf("python/lib/package%d/module%d.py", i%700, i) }

func deflated(s string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.Bytes()
}

// cutOff drops the end of the stream of long.
func cutOff(e ziptest.Entry) ziptest.Entry {
	b := deflated(long)
	return e.Raw(b[:len(b)-4])
}

// trailing puts bytes behind the stream of long.
func trailing(e ziptest.Entry) ziptest.Entry { return e.Raw(append(deflated(long), "more"...)) }
