package image

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
	"golang.org/x/sync/errgroup"
)

// pass goes once over everything there is to read: it converts the archives, and
// meanwhile reads the base and the growing layers for the lint, and for the proof
// holds each of these layers against its archive, right behind the conversion. It
// returns what the archives hold.
//
// b.Base may be nil. An archive's faults are told by its conversion: what those who read beside it
// met counts only after that.
func (r *Request) pass(ctx context.Context, scanner *scanner, b *Built, links []layer.Link) (expected, error) {
	want, err := expect(r.Layers, r.code())
	if err != nil {
		return nil, err
	}
	if b.Base != nil {
		base, err := b.Base.Image.Layers()
		if err != nil {
			return nil, fmt.Errorf("read the layers of the base image %s: %w", b.Base.Reference, err)
		}
		for _, l := range base {
			r.Early(l)
		}
	}
	aside, stop := context.WithCancel(ctx)
	defer stop()
	var converted atomic.Bool // before, one stage's progress is enough
	proving := func(p Progress) {
		if converted.Load() {
			r.report(p)
		}
	}
	var reading errgroup.Group
	if b.Base != nil {
		reading.Go(func() error {
			if _, err := scanner.scan(aside, b.Base.Image); err != nil {
				return fmt.Errorf("read the base image %s: %w", b.Base.Reference, err)
			}
			return nil
		})
	}
	reading.Go(func() error { return want.links(aside) })
	beside := &beside{ctx: aside, progress: counted(StageProve, want.bytes(), proving), scans: make(map[v1.Layer]*layerScan)}
	if b.Layers, err = r.convert(ctx, links, beside); err == nil {
		err = r.verify(ctx)
	}
	if err != nil {
		stop()
	}
	converted.Store(true)
	beside.running.Wait()
	if readErr := reading.Wait(); err == nil {
		err = readErr
	}
	if err != nil {
		return nil, err
	}
	beside.give(scanner)
	return want, nil
}

// verify waits for the archives that were not converted, because their layers
// were at hand.
func (r *Request) verify(ctx context.Context) error {
	for _, src := range r.sources() {
		if src.Verify != nil {
			if err := src.Verify(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// convert turns every archive into an image layer, several at a time, and an
// archive that is there twice once. Links go into the code's.
func (r *Request) convert(ctx context.Context, links []layer.Link, beside *beside) ([]*layer.Layer, error) {
	sources := r.sources()
	done := make([]*layer.Layer, len(sources))
	first := make(map[string]int, len(sources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel())
	for i, src := range sources {
		opts := layer.Options{Time: r.Created, Executables: r.Executables}
		if i == len(r.Layers) {
			opts.Links = links
		} else {
			if _, again := first[identity(src)]; again {
				continue
			}
			first[identity(src)] = i
		}
		group.Go(func() error {
			p := Progress{Stage: StageConvert, Item: src.Name, Total: src.Dir.Size}
			r.report(p)
			growing := false
			l, err := r.Store.ConvertFollowed(ctx, src, opts, func(n int64) {
				p.Done = n
				r.report(p)
			}, func(g *layer.Growing) {
				growing = true
				beside.scan(g, &src)
				r.Early(g)
			})
			if err != nil {
				return fmt.Errorf("make an image layer of %s: %w", src.Name, err)
			}
			if !growing {
				r.Early(l)
				beside.scan(l, &src)
			}
			done[i] = l
			r.report(Progress{Stage: StageConvert, Item: src.Name, Done: src.Dir.Size, Total: src.Dir.Size, Finished: true})
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, src := range sources {
		if done[i] == nil {
			same := *done[first[identity(src)]]
			same.Source = src
			done[i] = &same
		}
	}
	return done, nil
}

// beside reads layers, beside their archives, while they are converted.
type beside struct {
	ctx      context.Context
	progress func(int64)
	running  sync.WaitGroup
	mu       sync.Mutex
	scans    map[v1.Layer]*layerScan
}

func (b *beside) scan(l v1.Layer, src *layer.Source) {
	b.running.Go(func() {
		// Whether the conversion failed is its own to tell.
		if s := scanTwin(b.ctx, l, src, b.progress); s != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.scans[l] = s
		}
	})
}

// give makes what was read known to the scanner.
func (b *beside) give(to *scanner) {
	if to.known == nil {
		to.known = make(map[v1.Hash]*layerScan)
	}
	for l, s := range b.scans {
		if digest, err := l.Digest(); err == nil {
			s.digest = digest
			to.known[digest] = s
		}
	}
}
