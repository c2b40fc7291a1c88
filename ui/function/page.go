package function

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/theme"
)

// page collects the lines of the screen.
type page struct {
	st  *theme.Styles
	w   int
	out []string
}

const label = 13

func (p *page) line() *draw.Line { return draw.NewLine(p.st, p.w, false).Gap(1) }

func (p *page) put(l *draw.Line) { p.out = append(p.out, l.String()) }

func (p *page) say(t theme.Tone, text string) {
	p.out = append(p.out, draw.Para(p.st, p.w-1, 2, t, text)...)
}

// blank ends a group, once.
func (p *page) blank() {
	if n := len(p.out); n > 0 && p.out[n-1] != "" {
		p.out = append(p.out, "")
	}
}

func (p *page) head(title, note string) {
	p.blank()
	p.put(p.line().Put(theme.Head, title).Put(theme.Dim, "  "+note))
}

func (p *page) field(name, value string) {
	if value == "" {
		return
	}
	p.put(p.line().Cell(theme.Dim, name, label).Put(theme.Plain, value))
}

func (p *page) function(inv *inventory.Inventory, r *inventory.Row, running bool) {
	kind := []string{r.PackageType}
	if r.Runtime != "" {
		kind = append(kind, r.Runtime)
	}
	if r.Architecture != "" {
		kind = append(kind, r.Architecture)
	}
	kind = append(kind, fmt.Sprintf("%d MB memory", r.MemoryMB), fmt.Sprintf("%d s timeout", r.TimeoutSec))
	p.field("function", strings.Join(kind, " · "))
	p.field("handler", r.Handler)
	p.field("about", r.Description)
	if r.Facts != nil {
		switch {
		case r.Facts.ManagedBy != "":
			p.put(p.line().Cell(theme.Dim, "managed by", label).Put(theme.Warn, r.Facts.ManagedBy))
		case r.Facts.TagsState == account.Denied:
			p.put(p.line().Cell(theme.Dim, "managed by", label).Put(theme.Warn, "? the tags may not be read (denied)"))
		}
	}
	p.size(inv, r, running)
	p.extensions(r, running)
	p.findings(r, running)
	p.history(r.History)
	switch {
	case r.EnvError != "":
		p.head("ENVIRONMENT", "? "+r.EnvError)
	case len(r.EnvNames) > 0:
		p.head("ENVIRONMENT", "names only; values are never shown")
		p.say(theme.Plain, strings.Join(r.EnvNames, "  "))
	}
	p.blank()
	p.field("arn", r.ARN)
	p.field("role", r.Role)
	if r.Wrapper != "" {
		p.field("exec wrapper", r.Wrapper)
	}
	if !r.LastModified.IsZero() {
		p.field("changed", r.LastModified.UTC().Format("2006-01-02 15:04 UTC"))
	}
}

// size draws what the function weighs: the sum, the bar, and a legend with a
// line for the code and each layer in the order they are merged.
func (p *page) size(inv *inventory.Inventory, r *inventory.Row, running bool) {
	if r.PackageType == "Image" {
		p.head("SIZE", "a container image has no zip and no layers; its limit is 10 GB")
		return
	}
	limit := int64(account.UnzippedLimit)
	p.head("UNZIPPED SIZE", "our count of what code and layers weigh on disk")
	if n, known := r.Unzipped(); known {
		_, tone := draw.Fill(n, limit)
		l := p.line().Gap(1).Put(tone, draw.Percent(n, limit)).Put(theme.Plain, " of the limit   ").
			Put(theme.Strong, draw.Exact(n)).Put(theme.Dim, " of ").Put(theme.Plain, draw.Exact(limit)).Put(theme.Dim, " bytes   ")
		if n <= limit {
			l.Put(theme.Dim, "headroom ").Put(theme.Plain, draw.Bytes(limit-n))
		} else {
			l.Put(theme.Bad, draw.Bytes(n-limit)+" over")
		}
		p.put(l)
	} else {
		text, tone := mark.Unzipped(r, running)
		l := p.line().Gap(1).Put(tone, text)
		why := r.Why()
		if why != "" && r.Facts.Total > 0 {
			l.Put(theme.Plain, "   at least "+draw.Exact(r.Facts.Total)).Put(theme.Dim, " of ").Put(theme.Plain, draw.Exact(limit)).Put(theme.Dim, " bytes")
		}
		p.put(l)
	}
	parts := p.parts(inv, r)
	segments := make([]draw.Segment, 0, len(parts))
	for _, part := range parts {
		segments = append(segments, draw.Segment{Tone: part.block, Letter: part.letter, Size: part.unzipped})
	}
	p.put(p.line().Gap(1).Stack(segments, limit, min(p.w-4, 120)))
	p.blank()
	longest := 4
	for _, part := range parts {
		longest = max(longest, sanitize.Width(part.name))
	}
	for _, part := range parts {
		p.part(part, min(longest, max(p.w-58, 20)))
	}
}

// part is one archive of a function.
type part struct {
	letter      string
	tone, block theme.Tone
	name        string
	zip         int64
	state       account.State
	message     string
	unzipped    int64 // 0 unless state is OK
	publisher   inventory.Publisher
}

func (p *page) parts(inv *inventory.Inventory, r *inventory.Row) []part {
	code := part{letter: "c", tone: theme.Code, block: theme.CodeBlock, name: "code", zip: r.CodeSize, state: account.Unknown}
	if r.Facts != nil {
		code.take(r.Facts.Code)
	}
	out := []part{code}
	for i, ref := range r.Layers {
		l := part{
			letter: theme.Letter(i + 1), tone: theme.Layer(i + 1), block: theme.Block(i + 1),
			name: inventory.ShortLayer(ref.ARN), zip: ref.Size, state: account.Unknown,
			publisher: inv.Publisher(ref.ARN),
		}
		if r.Facts != nil && i < len(r.Facts.LayerFacts) {
			l.take(r.Facts.LayerFacts[i].Archive)
		}
		out = append(out, l)
	}
	return out
}

func (p *part) take(a account.Archive) {
	if a.State != "" {
		p.state = a.State
	}
	p.message = a.Message
	if a.State == account.OK {
		p.unzipped = a.Unzipped
	}
}

func (p *page) part(x part, name int) {
	l := p.line().Gap(1).Put(x.block, " "+x.letter+" ").Gap(1).Cell(theme.Plain, x.name, name).Gap(1)
	const exact = 18
	narrow := p.w < 76
	if !narrow {
		l.Right(theme.Dim, draw.Bytes(x.zip)+" zip", 15).Gap(1)
	}
	state, tone := mark.State(x.state)
	if x.state == account.OK {
		l.Right(theme.Plain, draw.Exact(x.unzipped)+" bytes", exact)
	} else {
		l.Right(theme.Warn, "?", exact)
	}
	l.Gap(2).Put(tone, state)
	p.put(l)
	if x.publisher.Name != "" {
		by := "by " + x.publisher.Name
		if x.publisher.Image != "" {
			by += ", which publishes the same files as " + x.publisher.Image
		}
		p.out = append(p.out, draw.Para(p.st, p.w-1, 6, theme.Dim, by)...)
	}
	if x.message != "" && x.state != account.OK {
		p.out = append(p.out, draw.Para(p.st, p.w-1, 6, theme.Dim, x.message)...)
	}
}

func (p *page) extensions(r *inventory.Row, running bool) {
	if r.Facts == nil {
		return
	}
	switch {
	case len(r.Facts.Extensions) == 0 && r.PackageType == "Image":
		return
	case len(r.Facts.Extensions) == 0 && !r.Facts.Known:
		p.head("EXTENSIONS", "? not all layers could be read")
		return
	case len(r.Facts.Extensions) == 0:
		p.head("EXTENSIONS", "none")
		return
	}
	p.head("EXTENSIONS", strconv.Itoa(len(r.Facts.Extensions)))
	longest := 4
	for _, e := range r.Facts.Extensions {
		longest = max(longest, sanitize.Width(e.Name))
	}
	for _, e := range r.Facts.Extensions {
		l := p.line().Gap(1).Cell(theme.Plain, e.Name, min(longest, p.w/2)).Gap(1).Cell(theme.Dim, e.Kind, 9)
		source := inventory.ShortLayer(e.Source)
		for i, ref := range r.Layers {
			if ref.ARN == e.Source {
				l.Put(theme.Layer(i+1), theme.Letter(i+1)+" ")
			}
		}
		l.Put(theme.Dim, source)
		if e.Kind == "external" && !e.Executable {
			l.Put(theme.Bad, "  ✗ not executable")
		}
		p.put(l)
	}
}

func (p *page) findings(r *inventory.Row, running bool) {
	if r.Facts == nil {
		return
	}
	if len(r.Facts.Findings) == 0 {
		if r.Facts.Complete {
			p.head("FINDINGS", "none")
		}
		return
	}
	p.head("FINDINGS", strconv.Itoa(len(r.Facts.Findings)))
	for _, f := range r.Facts.Findings {
		shape, tone := mark.Severity(f.Severity)
		lines := draw.Para(p.st, p.w-1, 4, theme.Plain, f.Message)
		first := p.line().Gap(1).Put(tone, shape+" ").Put(theme.Dim, f.ID)
		p.put(first)
		p.out = append(p.out, lines...)
		if f.Remedy != "" {
			p.out = append(p.out, draw.Para(p.st, p.w-1, 4, theme.Dim, "→ "+f.Remedy)...)
		}
	}
}
