package preview

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/chroma/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/theme"
)

const (
	// limit is how much of a file is read, in bytes.
	limit = 512 << 10
	// highlighted is up to which size text is highlighted, in bytes: lexers are
	// slower than people.
	highlighted = 128 << 10
	// piece is how long a line may be, in columns, before it goes on in the next.
	piece = 1000
)

// File is a file to look into.
type File struct {
	Label string // "2B deps:4"
	Role  string // what it is in a comparison: "shadowed", "used"; "" for nothing to say
	Path  string
	Size  int64 // bytes
	Open  func() (io.ReadCloser, error)
	// Architecture is that of the function it is for, "" where there is none.
	Architecture string
}

func (f File) role() string {
	if f.Role == "" {
		return ""
	}
	return " (" + f.Role + ")"
}

// read returns the first bytes of a file.
func (f File) read(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	stop := context.AfterFunc(ctx, func() { r.Close() })
	defer stop()
	data, err := io.ReadAll(io.LimitReader(r, limit))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return data, err
}

// span is a piece of a line in one tone, fit for a terminal.
type span struct {
	tone theme.Tone
	text string
}

// content is what a file looks like.
type content struct {
	text  [][]span // nil when it is not text
	facts []fact   // of what is known of its format
	data  []byte
	notes []string
	file  File
	diff  *diff // of a comparison, instead of all the above
}

func load(ctx context.Context, f File, progress func(int64)) (*content, error) {
	data, err := f.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Path, err)
	}
	c := &content{data: data, file: f}
	if c.facts, err = factsOf(ctx, f, data, progress); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Path, err)
	}
	if int64(len(data)) < f.Size {
		c.notes = append(c.notes, "the first "+draw.Bytes(int64(len(data)))+" of "+draw.Bytes(f.Size))
	}
	if isText(data) {
		c.text = tokens(f.Path, data)
	}
	return c, nil
}

// isText tells text from anything else: UTF-8 without NUL bytes. The last few
// bytes may be a character that was cut.
func isText(data []byte) bool {
	if bytes.IndexByte(data, 0) >= 0 {
		return false
	}
	for cut := 0; cut < utf8.UTFMax && cut <= len(data); cut++ {
		if utf8.Valid(data[:len(data)-cut]) {
			return true
		}
	}
	return false
}

// tokens splits text into lines of spans.
func tokens(path string, data []byte) [][]span {
	// Cleaned before it is split into tokens, which could tear a sequence apart.
	text := strings.Join(sanitize.Lines(string(data)), "\n")
	var lexer chroma.Lexer
	if len(data) <= highlighted && longest(text) <= 4*piece {
		if lexer = languages().Match(path); lexer == nil {
			lexer = shebang(text)
		}
	}
	if lexer == nil {
		var out [][]span
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
			out = appendLine(out, []span{{theme.Plain, line}})
		}
		return out
	}
	it, err := chroma.Coalesce(lexer).Tokenise(nil, text)
	if err != nil {
		return tokens("", data)
	}
	var out [][]span
	var line []span
	for _, token := range it.Tokens() {
		tone := toneOf(token.Type)
		for i, part := range strings.Split(token.Value, "\n") {
			if i > 0 {
				out = appendLine(out, line)
				line = nil
			}
			if part != "" {
				line = append(line, span{tone, part})
			}
		}
	}
	if len(line) > 0 {
		out = appendLine(out, line)
	}
	return out
}

func longest(text string) int {
	most := 0
	for line := range strings.SplitSeq(text, "\n") {
		most = max(most, len(line))
	}
	return most
}

// appendLine adds a line, broken into pieces where it is too long to be drawn
// again at every key.
func appendLine(out [][]span, line []span) [][]span {
	used := 0
	var now []span
	for _, s := range line {
		for s.text != "" {
			room := piece - used
			if room <= 0 {
				out, now, used = append(out, now), nil, 0
				continue
			}
			if len(s.text) <= room {
				now = append(now, s)
				used += len(s.text)
				break
			}
			cut := room
			for cut > 0 && !utf8.RuneStart(s.text[cut]) {
				cut--
			}
			if cut == 0 {
				cut = len(s.text)
			}
			now = append(now, span{s.tone, s.text[:cut]})
			used = piece
			s.text = s.text[cut:]
		}
	}
	return append(out, now)
}

func shebang(text string) chroma.Lexer {
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case !strings.HasPrefix(first, "#!"):
		return nil
	case strings.Contains(first, "python"):
		return languages().Get("python")
	case strings.Contains(first, "node"):
		return languages().Get("javascript")
	case strings.Contains(first, "ruby"):
		return languages().Get("ruby")
	case strings.Contains(first, "sh"):
		return languages().Get("shell")
	}
	return nil
}

func toneOf(t chroma.TokenType) theme.Tone {
	switch {
	case t.InCategory(chroma.Comment):
		return theme.Comment
	case t.InCategory(chroma.Keyword):
		return theme.Keyword
	case t.InSubCategory(chroma.LiteralString):
		return theme.String
	case t.InSubCategory(chroma.LiteralNumber):
		return theme.Number
	case t == chroma.NameFunction, t == chroma.NameClass, t == chroma.NameTag, t == chroma.NameBuiltin,
		t == chroma.NameAttribute, t == chroma.NameDecorator:
		return theme.Name
	}
	return theme.Plain
}

// hexRow is 16 bytes: "00000010  7f 45 …  |.ELF…|".
func hexRow(l *draw.Line, data []byte, row int) {
	from := row * 16
	part := data[from:min(from+16, len(data))]
	l.Put(theme.Dim, fmt.Sprintf("%08x  ", from))
	var hex, text strings.Builder
	for i := range 16 {
		if i == 8 {
			hex.WriteByte(' ')
		}
		if i >= len(part) {
			hex.WriteString("   ")
			continue
		}
		fmt.Fprintf(&hex, "%02x ", part[i])
		if part[i] >= 0x20 && part[i] < 0x7f {
			text.WriteByte(part[i])
		} else {
			text.WriteByte('.')
		}
	}
	l.Put(theme.Plain, hex.String()).Put(theme.Dim, " "+text.String())
}
