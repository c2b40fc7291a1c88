package migrate

import (
	"time"

	"github.com/optlift/optlift/build/image"
)

// imageProgress collects the progress of the archives inside one step.
type imageProgress struct {
	stage image.Stage
	items []item
}

type item struct {
	name        string
	done, total int64
	finished    bool
	from        int64 // done when it was first told of, at since
	since, at   time.Time
}

// rate is bytes a second, 0 while that can't be told.
func (it *item) rate() int64 {
	if d := it.at.Sub(it.since); d >= 200*time.Millisecond && it.done > it.from {
		return int64(float64(it.done-it.from) / d.Seconds())
	}
	return 0
}

// keepItems bounds what is shown: code, five layers, and the base's.
const keepItems = 16

// take returns the progress with one more report in it. A new stage starts afresh.
func (p *imageProgress) take(r image.Progress, at time.Time) *imageProgress {
	if p == nil || p.stage != r.Stage {
		p = &imageProgress{stage: r.Stage}
	}
	it := item{name: r.Item, done: r.Done, total: r.Total, finished: r.Finished, from: r.Done, since: at, at: at}
	for i := range p.items {
		if p.items[i].name == r.Item {
			it.from, it.since = p.items[i].from, p.items[i].since
			p.items[i] = it
			return p
		}
	}
	if len(p.items) < keepItems {
		p.items = append(p.items, it)
	}
	return p
}

// sum is the progress of all items together; total is 0 while any of them is unknown.
func (p *imageProgress) sum() (done, total int64) {
	for _, it := range p.items {
		if it.total == 0 && !it.finished {
			total = -1
		}
		done += it.done
		if total >= 0 {
			total += it.total
		}
	}
	return done, max(total, 0)
}
