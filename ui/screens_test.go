package ui

import (
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

var updateScreenshots = flag.Bool("update-screenshots", false, "write ui/testdata/screens/*.svg anew")

// TestScreenshots holds the README's pictures to the frames that the program
// draws. Changed on purpose, they are written anew with:
// go test ./ui -run TestScreenshots -update-screenshots
func TestScreenshots(t *testing.T) {
	const w, h = 104, 30
	for _, name := range []string{"functions", "function", "opt", "plan", "migrate-paused"} {
		t.Run(name, func(t *testing.T) {
			for _, s := range scenes {
				if s.name != name {
					continue
				}
				got := svg(s.play(t, w, h).m.View().Content, w, h)
				file := filepath.Join("testdata", "screens", name+".svg")
				if *updateScreenshots {
					if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if string(want) != got {
					t.Errorf("%s is not what the program draws: go test ./ui -run TestScreenshots -update-screenshots", file)
				}
				return
			}
			t.Fatalf("there is no scene %s", name)
		})
	}
}

// The size of a cell in a picture, in pixels.
const cellW, cellH = 8.4, 18

// svg draws a frame of w × h cells: a rectangle for each background, a text for
// each word of one style, stretched to its columns so that any font keeps them.
func svg(frame string, w, h int) string {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" stroke="none" shape-rendering="crispEdges">`+"\n", float64(w)*cellW+16, h*cellH+16)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" rx="6" fill="#0f1115"/>`+"\n")
	for y, line := range strings.Split(frame, "\n") {
		x, style := 0, ""
		for line != "" {
			if i := strings.IndexByte(line, 0x1b); i == 0 {
				end := strings.IndexByte(line, 'm')
				style, line = line[2:end], line[end+1:]
				continue
			}
			text := line
			if i := strings.IndexByte(line, 0x1b); i > 0 {
				text = line[:i]
			}
			line = line[len(text):]
			n := ansi.StringWidth(text)
			fg, bg, bold := look(style)
			left, top, width := 8+float64(x)*cellW, 8+y*cellH, float64(n)*cellW
			if bg != "" {
				fmt.Fprintf(&out, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, top, width, cellH, bg)
			}
			weight := ""
			if bold {
				weight = ` font-weight="bold"`
			}
			// Word by word: not every viewer keeps spaces, or stretches a text.
			at := 0
			for _, word := range strings.SplitAfter(text, " ") {
				if shown := strings.TrimSpace(word); shown != "" {
					fmt.Fprintf(&out, `<text x="%.1f" y="%d" textLength="%.1f" fill="%s"%s>%s</text>`+"\n",
						left+float64(at)*cellW, top+13, float64(ansi.StringWidth(shown))*cellW, fg, weight, html.EscapeString(shown))
				}
				at += ansi.StringWidth(word)
			}
			x += n
		}
	}
	return out.String() + "</svg>\n"
}

// look turns the parameters of a style into colours.
func look(style string) (fg, bg string, bold bool) {
	fg = "#e6e9ee"
	parts := strings.FieldsFunc(style, func(r rune) bool { return r == ';' || r == ':' })
	for i := 0; i < len(parts); i++ {
		switch parts[i] {
		case "1":
			bold = true
		case "38", "48":
			if i+4 >= len(parts) || parts[i+1] != "2" {
				continue
			}
			rgb := "#"
			for _, p := range parts[i+2 : i+5] {
				n, _ := strconv.Atoi(p)
				rgb += fmt.Sprintf("%02x", n)
			}
			if parts[i] == "38" {
				fg = rgb
			} else {
				bg = rgb
			}
			i += 4
		}
	}
	return fg, bg, bold
}
