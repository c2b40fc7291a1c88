package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/spf13/pflag"

	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/overlay"
)

// layerImages says which layers come from images instead of their zips.
type layerImages struct {
	from    []string // LAYER=IMAGE
	vendors bool
}

func (l *layerImages) add(f *pflag.FlagSet) {
	l.addNamed(f)
	f.BoolVar(&l.vendors, "vendor-images", false, "take layers from their publishers' images where these hold the same files")
}

// addNamed leaves out the publishers' images: what is planned names them.
func (l *layerImages) addNamed(f *pflag.FlagSet) {
	f.StringArrayVar(&l.from, "layer-from", nil, "LAYER=IMAGE: take a layer, by its number, ARN or file, from an image that holds the same files; may be given several times")
}

// pairs checks and splits --layer-from.
func (l *layerImages) pairs() ([][2]string, error) {
	var out [][2]string
	for _, p := range l.from {
		which, reference, ok := strings.Cut(p, "=")
		if !ok || which == "" || reference == "" {
			return nil, usagef("--layer-from takes LAYER=IMAGE, not %q", p)
		}
		out = append(out, [2]string{which, reference})
	}
	return out, nil
}

// named reports whether the user names an image for the layer at a place, from 0.
func (l *layerImages) named(place int, name string) bool {
	pairs, err := l.pairs()
	for _, p := range pairs {
		if err == nil && (p[0] == name || p[0] == strconv.Itoa(place+1)) {
			return true
		}
	}
	return false
}

// byARN turns the numbers of layers, in images by layer, into their ARNs.
func byARN(images map[string]string, arns []string) map[string]string {
	if len(images) == 0 {
		return nil
	}
	out := map[string]string{}
	for which, reference := range images {
		if n, err := strconv.Atoi(which); err == nil && n >= 1 && n <= len(arns) {
			which = arns[n-1]
		}
		out[which] = reference
	}
	return out
}

// found is the image that a layer comes from.
type found struct {
	place int // from 0
	image *overlay.Image
}

// find opens the images and compares them with the layers' zips. What the user
// names must be there and hold the same; a publisher's may.
func (l *layerImages) find(ctx context.Context, a *app, set *target.Set, architecture string, sources []layer.Source) (all []found, notes []string, err error) {
	pairs, err := l.pairs()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range pairs {
		place, err := placeOf(sources, p[0])
		if err != nil {
			return nil, nil, err
		}
		opts, err := a.readOptions(ctx, set, p[1])
		if err != nil {
			return nil, nil, err
		}
		o, err := overlay.Open(ctx, p[1], architecture, opts...)
		if err != nil {
			return nil, nil, err
		}
		if gone := set.Layers[place].Missing; gone != nil {
			notes = append(notes, fmt.Sprintf("layer %d was not compared with its zip: %s", place+1, session.Explain(gone)))
		} else if err := o.Compare(ctx, sources[place]); err != nil {
			return nil, nil, err
		}
		all = append(all, found{place, o})
	}
	if !l.vendors {
		return all, notes, nil
	}
	for i := range sources {
		reference := overlay.ImageFor(sources[i].Name)
		if reference == "" || l.named(i, sources[i].Name) || set.Layers[i].Missing != nil {
			continue
		}
		o, err := overlay.Take(ctx, reference, architecture, sources[i])
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("layer %d stays with its zip: %v", i+1, err))
			continue
		}
		all = append(all, found{i, o})
	}
	return all, notes, nil
}

// placeOf finds a layer by its number, its ARN or its file.
func placeOf(layers []layer.Source, which string) (int, error) {
	if n, err := strconv.Atoi(which); err == nil && n >= 1 && n <= len(layers) {
		return n - 1, nil
	}
	for i := range layers {
		if layers[i].Name == which {
			return i, nil
		}
	}
	return 0, usagef("--layer-from %s: there is no such layer: it takes a number from 1 to %d, an ARN or a file", which, len(layers))
}

// readOptions are how an image is read: where there is a function there is an
// account, and the image may lie in its registry.
func (a *app) readOptions(ctx context.Context, set *target.Set, reference string) ([]remote.Option, error) {
	if set.Function == nil {
		return []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain)}, nil
	}
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return registry.New(s, set.Function.Region).ReadOptions(ctx, reference), nil
}

// taken are the archives that stand for layers during a build.
type taken struct {
	notes   []string
	closers []io.Closer
}

func (t *taken) close() error {
	var errs []error
	for _, c := range t.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// replace puts the images' files in the place of the layers' zips. What it
// returns has to be closed after the build, also when there is an error.
func (l *layerImages) replace(ctx context.Context, a *app, set *target.Set, req *image.Request) (*taken, error) {
	t := &taken{}
	all, notes, err := l.find(ctx, a, set, req.Architecture, req.Layers)
	if err != nil {
		return t, err
	}
	t.notes = notes
	dir, err := a.temp()
	if err != nil {
		return t, err
	}
	for _, f := range all {
		src, closer, err := f.image.Source(ctx, req.Layers[f.place].Name, dir)
		if err != nil {
			return t, err
		}
		t.closers = append(t.closers, closer)
		req.Layers[f.place] = src
	}
	return t, nil
}
