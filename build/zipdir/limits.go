package zipdir

// Limits bound what an archive may unpack to before it is converted. Merely
// looking into an archive needs none of them.
type Limits struct {
	// Entries and Total are the most entries and the most unpacked bytes.
	Entries int
	Total   int64
	// Ratio is how many times its compressed size one entry, or all together,
	// may unpack to. It is judged only above Floor unpacked bytes: small files
	// of one repeated byte are no bomb.
	Ratio int64
	Floor int64
}

// DefaultLimits takes whatever fits in a container image of 10 GB
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
// Its Floor is the unzipped size that Lambda itself accepts, so that nothing
// which runs as a zip is ever called a bomb.
func DefaultLimits() Limits {
	return Limits{Entries: MaxEntries, Total: 10 << 30, Ratio: 200, Floor: 250 << 20}
}

// CheckBomb refuses an archive that would unpack to more than l allows,
// judging by its directory; Open holds every entry to what the directory says.
func (d *Directory) CheckBomb(l Limits) error {
	if len(d.Entries) > l.Entries {
		return d.refuse("", RuleBomb, "%d entries, at most %d", len(d.Entries), l.Entries)
	}
	if d.Unzipped > l.Total {
		return d.refuse("", RuleBomb, "%d bytes, at most %d", d.Unzipped, l.Total)
	}
	var compressed int64
	for i := range d.Entries {
		e := &d.Entries[i]
		if e.Size > l.Floor && e.Size/l.Ratio > e.CompressedSize {
			return d.refuse(e.rawName, RuleBomb, "%d bytes from %d, at most %d times", e.Size, e.CompressedSize, l.Ratio)
		}
		compressed += e.CompressedSize // extents don't overlap: no more than Size
	}
	if d.Unzipped > l.Floor && d.Unzipped/l.Ratio > compressed {
		return d.refuse("", RuleBomb, "%d bytes from %d, at most %d times", d.Unzipped, compressed, l.Ratio)
	}
	return nil
}
