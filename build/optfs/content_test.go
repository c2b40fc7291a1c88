package optfs_test

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func TestOpen(t *testing.T) {
	tree := optfs.Merge(
		layer(t, "1", ziptest.File("d/x", "old").Deflated()),
		layer(t, "2", ziptest.File("d/x", "new").Deflated()))
	e, _ := tree.Lookup("d/x")
	for want, open := range map[string]func() (io.ReadCloser, error){
		"new": func() (io.ReadCloser, error) { return tree.Open(e) },
		"old": func() (io.ReadCloser, error) { return tree.OpenShadow(e.Shadows[0]) },
	} {
		r, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); string(got) != want || err != nil {
			t.Errorf("read %q, %v; want %q", got, err, want)
		}
		r.Close()
	}
	dir, _ := tree.Lookup("d")
	if _, err := tree.Open(dir); err == nil {
		t.Error("opened a directory")
	}
}

// collide returns two texts of one length and CRC-32. CRC-32 is linear, so
// four free bytes can make up for any difference.
func collide(t *testing.T) (a, b string) {
	t.Helper()
	a = "what layer one says" + "\x00\x00\x00\x00"
	want := crc32.ChecksumIEEE([]byte(a))
	head := []byte("what layer two says")
	// Solve for the four bytes bit by bit: Gauss over the effect of each.
	base := crc32.ChecksumIEEE(append(head[:len(head):len(head)], 0, 0, 0, 0))
	var rows [32]struct{ effect, bits uint32 }
	for i := range 32 {
		tail := make([]byte, 4)
		tail[i/8] = 1 << (i % 8)
		rows[i].effect = crc32.ChecksumIEEE(append(head[:len(head):len(head)], tail...)) ^ base
		rows[i].bits = 1 << i
	}
	need, bits := want^base, uint32(0)
	for bit := range 32 {
		for i := bit; i < 32; i++ {
			if rows[i].effect>>bit&1 == 1 {
				rows[bit], rows[i] = rows[i], rows[bit]
				break
			}
		}
		for i := range 32 {
			if i != bit && rows[i].effect>>bit&1 == 1 {
				rows[i].effect ^= rows[bit].effect
				rows[i].bits ^= rows[bit].bits
			}
		}
	}
	for bit := range 32 {
		if need>>bit&1 == 1 {
			bits ^= rows[bit].bits
		}
	}
	b = string(append(head, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24)))
	if crc32.ChecksumIEEE([]byte(b)) != want || a == b || len(a) != len(b) {
		t.Fatalf("no collision: %q and %q", a, b)
	}
	return a, b
}

func TestConfirmComparesBytes(t *testing.T) {
	one, two := collide(t)
	tree := optfs.Merge(
		layer(t, "1", ziptest.File("fake", one), ziptest.File("true", "same"), ziptest.File("empty", ""), ziptest.Link("l", "true")),
		layer(t, "2", ziptest.File("fake", one), ziptest.Link("l", "true")),
		layer(t, "3", ziptest.File("fake", two), ziptest.File("true", "same").Deflated(), ziptest.File("empty", "")))
	if tree.Conflicts != 0 {
		t.Fatalf("the directories alone already tell: %s", show(tree))
	}
	before := show(tree)
	sure, err := tree.Confirm(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := show(sure); got != "empty file 0644 3 =1\nfake file 0644 3 !2 !1\nl symlink 0777 2 =1\ntrue file 0644 3 =1\n" {
		t.Errorf("confirmed:\n%s", got)
	}
	if sure.Conflicts != 1 || sure.ShadowedBytes != tree.ShadowedBytes || sure.Size != tree.Size {
		t.Errorf("counts %d, %d, %d", sure.Conflicts, sure.ShadowedBytes, sure.Size)
	}
	if show(tree) != before || tree.Conflicts != 0 {
		t.Error("Confirm changed the tree it was called on")
	}
	if again, err := sure.Confirm(context.Background()); err != nil || again != sure {
		t.Errorf("a confirmed tree changed again: %v", err)
	}
}

func TestConfirmStops(t *testing.T) {
	tree := optfs.Merge(layer(t, "1", ziptest.File("x", "same")), layer(t, "2", ziptest.File("x", "same")))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tree.Confirm(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestConfirmReportsWhatCanNotBeRead(t *testing.T) {
	broken := ziptest.File("x", strings.Repeat("same", 9)).Raw([]byte(strings.Repeat("lies", 9)))
	tree := optfs.Merge(layer(t, "good.zip", ziptest.File("x", strings.Repeat("same", 9))), layer(t, "bad.zip", broken))
	_, err := tree.Confirm(context.Background())
	var refusal *zipdir.Error
	if !errors.As(err, &refusal) || refusal.Rule != zipdir.RuleCRC || refusal.Archive != "bad.zip" {
		t.Errorf("got %v", err)
	}
}
