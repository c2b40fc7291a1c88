package draw

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/optlift/optlift/ui/theme"
)

func TestLineNeverGrowsBeyondItsWidth(t *testing.T) {
	st := theme.New(true, theme.Full)
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.IntRange(0, 60).Draw(t, "w")
		l := NewLine(st, w, rapid.Bool().Draw(t, "selected"))
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"宽字宽字", "e\u0301e\u0301", "\x1b[31mred", "🇩🇪", "👩‍👩‍👧"})).Draw(t, "text")
			n := rapid.IntRange(-2, 30).Draw(t, "cell")
			switch rapid.IntRange(0, 7).Draw(t, "op") {
			case 0:
				l.Put(theme.Plain, text)
			case 1:
				l.Cell(theme.Dim, text, n)
			case 2:
				l.Tail(theme.Bad, text, n)
			case 3:
				l.Right(theme.Warn, text, n)
			case 4:
				l.Gap(n)
			case 5:
				l.Bar(theme.Good, int64(n), 20, n)
			case 6:
				l.Stack([]Segment{{theme.Code, "c", int64(n)}, {theme.Layer(1), "A", 3}, {theme.Layer(2), "B", 400}}, 300, n)
			case 7:
				l.Flush(theme.Accent, text)
			}
		}
		if got := ansi.StringWidth(l.String()); got > w {
			t.Fatalf("%d columns in a line of %d: %q", got, w, ansi.Strip(l.String()))
		}
	})
}

func plain(l *Line) string { return ansi.Strip(l.String()) }

func TestBar(t *testing.T) {
	st := theme.New(true, theme.Full)
	for _, c := range []struct {
		n, of int64
		want  string
	}{
		{0, 100, "──────────"}, {1, 100, "━─────────"}, {50, 100, "━━━━━─────"}, {99, 100, "━━━━━━━━━─"}, {100, 100, "━━━━━━━━━━"},
		{250, 100, "━━━━━━━━━━"}, {5, 0, "──────────"},
	} {
		if got := plain(NewLine(st, 40, false).Bar(theme.Good, c.n, c.of, 10)); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.n, c.of, got, c.want)
		}
	}
}

func TestStack(t *testing.T) {
	st := theme.New(true, theme.Full)
	parts := func(sizes ...int64) []Segment {
		var out []Segment
		for i, s := range sizes {
			out = append(out, Segment{theme.Layer(i + 1), theme.Letter(i + 1), s})
		}
		return out
	}
	for _, c := range []struct {
		sizes []int64
		want  string
	}{
		{[]int64{50}, "AAAAA·····"}, {[]int64{1, 1}, "AB········"}, {[]int64{30, 0, 30}, "AAACCC····"}, {[]int64{100, 100}, "AAAAABBBBB"},
		{[]int64{99, 1}, "AAAAAAAAAB"}, {nil, "··········"},
	} {
		if got := plain(NewLine(st, 40, false).Stack(parts(c.sizes...), 100, 10)); got != c.want {
			t.Errorf("%v: %s, want %s", c.sizes, got, c.want)
		}
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 262144000: "250.0 MiB", 10 << 30: "10.0 GiB", -1: "?"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for _, c := range []struct {
		n    int64
		want string
	}{{0, "0%"}, {1, "<1%"}, {999, "99%"}, {1000, "100%"}, {1001, "100%"}, {1100, "110%"}} {
		if got := Percent(c.n, 1000); got != c.want {
			t.Errorf("%d: %s, want %s", c.n, got, c.want)
		}
	}
	if got := Exact(262144000); got != "262,144,000" {
		t.Error(got)
	}
	if !strings.HasSuffix(Plural(2, "layer"), "layers") || Plural(1, "layer") != "1 layer" {
		t.Error("plural")
	}
}
