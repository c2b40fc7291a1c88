package main

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/optlift/optlift/build/image"
)

// printable replaces control characters of remote text, so that a file name or
// a description cannot drive a terminal.
func printable(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r < 0x20 || (r >= 0x7f && r < 0xa0) || r == 0x2028 || r == 0x2029 || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			out[i] = '\uFFFD'
		}
	}
	return string(out)
}

// plural puts a number before a word: "1 path", "2 paths".
func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return strconv.Itoa(n) + " " + word
}

// progressInterval is how often a progress line is rewritten at most.
const progressInterval = 100 * time.Millisecond

// progress rewrites one line on standard error while a long job runs. It says
// nothing where standard error is no terminal. Its methods may be called from
// several goroutines.
type progress struct {
	io *streams

	mu    sync.Mutex
	last  time.Time
	shown bool
	begun map[string]begun // by what is done
}

// begun is when something was first told of, and how far it was.
type begun struct {
	at   time.Time
	done int64
}

func newProgress(io *streams) *progress { return &progress{io: io, begun: make(map[string]begun)} }

func (p *progress) line(what string, done, total int64) {
	if !p.io.errTTY {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	from, known := p.begun[what]
	if !known || done < from.done {
		from = begun{now, done}
		p.begun[what] = from
	}
	if now.Sub(p.last) >= progressInterval {
		p.last = now
		p.shown = true
		text := printable(what)
		if total > 0 {
			text += fmt.Sprintf("  %3d%% of %s", done*100/total, humanize.IBytes(uint64(total)))
		} else if done > 0 {
			text += "  " + humanize.IBytes(uint64(done))
		}
		text += pace(done-from.done, total-done, now.Sub(from.at))
		fmt.Fprintf(p.io.err, "\r\x1b[2K%s", text)
	}
}

// pace is how many bytes a second were done and, if any are known to be left, how
// long those take. In the first second that would be a guess.
func pace(done, left int64, took time.Duration) string {
	if took < time.Second || done <= 0 {
		return ""
	}
	rate := float64(done) / took.Seconds()
	text := fmt.Sprintf("  %s/s", humanize.IBytes(uint64(rate)))
	if left > 0 {
		text += fmt.Sprintf("  %s left", (time.Duration(float64(left) / rate * float64(time.Second))).Round(time.Second))
	}
	return text
}

func (p *progress) image(e image.Progress) {
	p.line(string(e.Stage)+" "+e.Item, e.Done, e.Total)
}
func (p *progress) fetch(name string, done, total int64) { p.line("fetch "+name, done, total) }
func (p *progress) push(done, total int64)               { p.line("push", done, total) }

// done clears the line.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.shown = false
		fmt.Fprint(p.io.err, "\r\x1b[2K")
	}
}
