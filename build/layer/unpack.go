package layer

import (
	"context"
	"fmt"
	"io"

	"github.com/optlift/optlift/build/layer/inflate"
	"github.com/optlift/optlift/build/zipdir"
)

// piece is a part of the tar, and what its files' data were in the archive.
type piece struct {
	buf  []byte // inflate.Window bytes of what came before, then the piece
	end  int
	cuts []cut
	raw  []byte // of the archive; the cuts' data lie in it
	pos  int64  // how far in the archive it goes; 0 if it holds nothing of it
	err  error  // instead of all else

	home    chan *piece // where the piece goes back to
	rawHome chan []byte // where raw goes back to, if no later piece needs it
}

// tar is the piece's part of the tar.
func (p *piece) tar() []byte { return p.buf[inflate.Window:p.end] }

// cut is a header, or a part of an entry's data, or one behind the other.
type cut struct {
	head, headEnd int   // of the padding and the header in the piece's buf
	data, dataEnd int   // of the data in the piece's raw
	stored        int64 // the size of the stored entry that begins here
	deflated      bool  // the data are of a deflate stream, less the mark of its last block
	begins        bool  // and its first
	tail          code  // and the bits of its last byte, if it does not fill it
}

// unpacker reads and inflates sections of an archive.
type unpacker struct {
	ctx    context.Context
	l      *layout
	feed   *feed
	chunk  int
	dec    inflate.Decoder
	heads  headerWriter
	head   []byte
	pieces chan *piece // those not in use; nil is one to be made
	loads  chan []byte // the same

	p       *piece
	out     chan<- *piece
	raw     []byte // a part of the archive
	at      int    // raw[at:] is unread
	held    int    // how many bytes before at are not decoded to their end: 0 or 1
	next    int64  // where in the archive the bytes behind raw lie
	end     int64  // where the section ends
	reading bool   // the feed's lock is held
}

func newUnpacker(ctx context.Context, l *layout, f *feed, p pace) *unpacker {
	u := &unpacker{
		ctx: ctx, l: l, feed: f, chunk: p.chunk, heads: headerWriter{time: l.time},
		pieces: make(chan *piece, piecesEach), loads: make(chan []byte, loadsEach),
	}
	for range piecesEach {
		u.pieces <- nil
	}
	for range loadsEach {
		u.loads <- nil
	}
	return u
}

// run unpacks sections until there are no more, or one fails.
func (u *unpacker) run() {
	defer func() {
		u.lock()
		u.feed.end()
		u.unlock()
	}()
	for {
		p, err := u.newPiece()
		if err != nil {
			return
		}
		u.p = p
		u.lock()
		s, ok, err := u.feed.take()
		if !ok {
			u.unlock()
			return
		}
		u.out = s.out
		if err == nil {
			err = u.section(s)
		}
		u.unlock()
		u.p.err = err
		u.hand(true)
		close(s.out)
		if err != nil {
			return
		}
	}
}

func (u *unpacker) lock() {
	u.feed.mu.Lock()
	u.reading = true
}

func (u *unpacker) unlock() {
	if u.reading {
		u.reading = false
		u.feed.mu.Unlock()
	}
}

// newPiece waits for an empty piece.
func (u *unpacker) newPiece() (*piece, error) {
	select {
	case <-u.ctx.Done():
		return nil, context.Cause(u.ctx)
	case p := <-u.pieces:
		if p == nil {
			p = &piece{buf: make([]byte, inflate.Window+u.chunk+inflate.Slack), home: u.pieces}
		}
		*p = piece{buf: p.buf, end: inflate.Window, cuts: p.cuts[:0], home: p.home}
		return p, nil
	}
}

// hand gives the piece to the splicer; rawDone says that raw is not needed any
// more. An unpacker's pieces all fit into out.
func (u *unpacker) hand(rawDone bool) {
	if u.raw != nil {
		u.p.raw, u.p.pos = u.raw, u.pos()
		if rawDone {
			u.p.rawHome, u.raw = u.loads, nil
		}
	}
	u.out <- u.p
	u.p = nil
}

// pos is where in the archive the next unread byte lies.
func (u *unpacker) pos() int64 { return u.next - int64(len(u.raw)-u.at) }

// section unpacks one section. The lock is held until it is read.
func (u *unpacker) section(s section) error {
	if s.start >= 0 {
		u.next, u.end = s.start, s.end
		if err := u.load(nil); err != nil {
			return u.readError(s.from, err)
		}
	} else {
		u.unlock()
	}
	for i := s.from; i < s.to; i++ {
		r := u.l.named(i)
		u.head = append(u.head[:0], u.padding(i)...)
		var err error
		if u.head, err = u.heads.append(u.head, &r); err != nil {
			return fmt.Errorf("convert %s: write the tar header of %s: %w", u.l.src.Name, r.name, err)
		}
		if err := u.putHead(u.head); err != nil {
			return err
		}
		if r.hasData() {
			if err := u.data(r.entry); err != nil {
				return err
			}
		}
	}
	return nil
}

// padding ends the file before record i, whose header lies on a block's start.
func (u *unpacker) padding(i int) []byte {
	if i == 0 {
		return nil
	}
	return zeros[:-u.l.records[i-1].size&511]
}

// load reads on in the archive, behind a copy of rest.
func (u *unpacker) load(rest []byte) error {
	var raw []byte
	select {
	case <-u.ctx.Done():
		return context.Cause(u.ctx)
	case raw = <-u.loads:
	}
	if raw == nil {
		raw = make([]byte, min(int64(u.feed.pace.load), u.l.src.Dir.Size))
	}
	raw = raw[:cap(raw)]
	k := copy(raw, rest)
	n := int(min(int64(len(raw)-k), u.end-u.next))
	got, err := u.l.src.Dir.ReaderAt().ReadAt(raw[k:k+n], u.next)
	if got < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	u.next += int64(n)
	u.raw, u.at = raw[:k+n], u.held
	if u.next == u.end {
		u.unlock()
	}
	return nil
}

// readError is for a section whose first load failed.
func (u *unpacker) readError(record int, err error) error {
	for ; ; record++ {
		if r := &u.l.records[record]; r.hasData() {
			return u.entryError(r.entry, err)
		}
	}
}

func (u *unpacker) entryError(e *zipdir.Entry, err error) error {
	return fmt.Errorf("convert %s: read %s: %w", u.l.src.Name, e.Name, err)
}

// putHead appends padding and a header to the piece, or to a new one. They may
// be longer than a chunk.
func (u *unpacker) putHead(head []byte) error {
	if u.p.end > inflate.Window && u.p.end+len(head) > inflate.Window+u.chunk {
		next, err := u.newPiece()
		if err != nil {
			return err
		}
		u.hand(false)
		u.p = next
	}
	p := u.p
	if need := p.end + len(head) + inflate.Slack; need > len(p.buf) {
		p.buf = append(p.buf, make([]byte, need-len(p.buf))...)
	}
	from := p.end
	p.end += copy(p.buf[from:], head)
	p.cuts = append(p.cuts, cut{head: from, headEnd: p.end})
	return nil
}

// cut is the one at hand.
func (u *unpacker) cut() *cut { return &u.p.cuts[len(u.p.cuts)-1] }

// goOn hands the piece on in the middle of an entry and continues in another,
// behind a copy of the last bytes, which matches may reach back to. With more,
// it continues in another load as well.
func (u *unpacker) goOn(more bool) error {
	done := u.at - u.held
	c := u.cut()
	c.dataEnd = done
	rest := cut{deflated: c.deflated, data: done}
	next, err := u.newPiece()
	if err != nil {
		return err
	}
	p := u.p
	copy(next.buf[:inflate.Window], p.buf[p.end-inflate.Window:p.end])
	if more {
		raw, pos := u.raw, u.pos()
		if err := u.load(raw[done:]); err != nil {
			return err
		}
		rest.data = 0
		p.raw, p.pos, p.rawHome = raw, pos, u.loads
		u.out <- p
	} else {
		u.hand(false)
	}
	next.cuts = append(next.cuts, rest)
	u.p = next
	return nil
}
