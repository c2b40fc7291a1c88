package layer

import (
	"archive/tar"
	"sync"
)

// feed gives the archive to the unpackers, a section each in turn. Whoever holds
// its lock reads; so the archive is read forward, once, whoever reads.
type feed struct {
	l    *layout
	pace pace
	// sections are the unpackers' pieces, section by section in the archive's
	// order. It is closed behind the last, or when an unpacker gave up.
	sections chan (<-chan *piece)

	mu    sync.Mutex
	next  int // the first record that nobody has taken
	ended bool
}

func newFeed(l *layout, p pace) *feed {
	// An unpacker takes a section only with a piece in its hand, so there are no
	// more sections under way than pieces: to send one never blocks.
	return &feed{l: l, pace: p, sections: make(chan (<-chan *piece), p.unpackers*piecesEach)}
}

// section is some records in a row whose data one unpacker reads and inflates.
type section struct {
	from, to   int   // of the layout's records
	start, end int64 // where in the archive their data lies, local headers included
	out        chan *piece
}

// sectionRecords is the most records in a section.
const sectionRecords = 512

// take returns the next section, and false behind the last. The caller holds
// the lock. A section is one file, or several that fit into a load together. An
// error belongs to the section.
func (f *feed) take() (s section, ok bool, err error) {
	records := f.l.records
	if f.next == len(records) || f.ended {
		return s, false, nil
	}
	s = section{from: f.next, to: f.next, start: -1, out: make(chan *piece, piecesEach)}
	var size int64
	for ; s.to < len(records) && s.to-s.from < sectionRecords && err == nil; s.to++ {
		r := &records[s.to]
		if r.hasData() {
			if s.start < 0 {
				s.start = r.entry.HeaderOffset
			} else if r.end-s.start > int64(f.pace.load) || size+r.size > int64(f.pace.section) {
				break
			}
			s.end = r.end
			size += r.size
		}
		if r.typ == tar.TypeSymlink && r.target == "" {
			r.target, err = f.l.src.Dir.LinkTarget(r.entry)
		}
	}
	f.next = s.to
	f.sections <- s.out
	return s, true, err
}

// end says that there will be no more sections. The caller holds the lock.
func (f *feed) end() {
	if !f.ended {
		f.ended = true
		close(f.sections)
	}
}
