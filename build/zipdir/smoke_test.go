package zipdir_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func TestSmoke(t *testing.T) {
	f := ziptest.File("a/b", "hello hello hello hello").Deflated()
	for _, a := range []ziptest.Archive{
		{Entries: []ziptest.Entry{f, ziptest.Dir("a"), ziptest.Link("a/c", "b")}},
		{Entries: []ziptest.Entry{f.Wide(), f.Wide().Streamed().Both(func(h *ziptest.Header) { h.Rename("x") })}, Wide: true, Prefix: "#!/bin/sh\n", Comment: "PK\x05\x06"},
	} {
		b := a.Bytes()
		d, err := zipdir.Read("x.zip", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.ReadLinks(); err != nil {
			t.Fatal(err)
		}
		for i := range d.Entries {
			r, err := d.Open(&d.Entries[i])
			if err != nil {
				t.Fatal(err)
			}
			c, err := io.ReadAll(r)
			t.Logf("%+v %q %v", d.Entries[i], c, err)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
