package list

// Pager is a window on lines without a selection, for text.
type Pager struct {
	n, offset, height int
}

// Window returns the lines seen in h of n lines.
func (p *Pager) Window(n, h int) (from, to int) {
	p.n, p.height = n, max(h, 0)
	p.offset = max(min(p.offset, n-p.height), 0)
	return p.offset, min(p.offset+p.height, n)
}

// Top goes back to the start.
func (p *Pager) Top() { p.offset = 0 }

// Hint says that there is more than is seen: "↑", "↓", "↑↓", or "" when all is.
func (p *Pager) Hint() string {
	above, below := p.offset > 0, p.offset+p.height < p.n
	switch {
	case above && below:
		return "↑↓ more"
	case above:
		return "↑ more"
	case below:
		return "↓ more"
	}
	return ""
}

// Count joins what a screen counts with the hint.
func (p *Pager) Count(text string) string {
	hint := p.Hint()
	if hint == "" || text == "" {
		return text + hint
	}
	return text + " · " + hint
}

// Do performs one of Actions and reports whether id was one.
func (p *Pager) Do(id string) bool {
	page := max(p.height-1, 1)
	switch id {
	case "up":
		p.offset--
	case "down":
		p.offset++
	case "page-up":
		p.offset -= page
	case "page-down":
		p.offset += page
	case "half-up":
		p.offset -= max(page/2, 1)
	case "half-down":
		p.offset += max(page/2, 1)
	case "top":
		p.offset = 0
	case "bottom":
		p.offset = p.n
	default:
		return false
	}
	p.offset = max(min(p.offset, p.n-p.height), 0)
	return true
}
