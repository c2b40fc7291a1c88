package image

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/zipdir"
)

// Converted is layers that were converted, and what lint and proof have read of
// them meanwhile.
type Converted struct {
	Layers []*layer.Layer // in the request's order

	// Programs are the programs and shared libraries of each layer.
	Programs [][]machine.Program

	scanner *scanner
	want    expected
}

// Convert turns a request's layers into image layers, as Build does, for an image
// that has neither a base nor code: of the request only Layers, Store,
// Executables, Created, Early and Progress count.
func Convert(ctx context.Context, req Request) (*Converted, error) {
	req = Request{
		Layers: req.Layers, Store: req.Store, Executables: req.Executables, Created: req.Created,
		Early: req.Early, Progress: req.Progress,
	}
	if err := req.completeLayers(); err != nil {
		return nil, err
	}
	if err := req.clashes(); err != nil {
		return nil, err
	}
	c := &Converted{scanner: &scanner{hashes: true}}
	b := &Built{}
	var err error
	if c.want, err = req.pass(ctx, c.scanner, b, nil); err != nil {
		return nil, err
	}
	c.Layers = b.Layers
	for i, l := range c.Layers {
		found, err := c.scanner.programs(ctx, l, req.Layers[i].Dir)
		if err != nil {
			return nil, err
		}
		c.Programs = append(c.Programs, found)
	}
	return c, nil
}

// programs lists the programs of a layer that was converted. Reading a twin has
// found them.
func (r *scanner) programs(ctx context.Context, l *layer.Layer, dir *zipdir.Directory) ([]machine.Program, error) {
	if s := r.known[l.Result.Digest]; s != nil && s.twin != "" {
		return s.programs, nil
	}
	return machine.Programs(ctx, dir)
}

// LintAndProve does what Lint and Prove do with an image of these layers. What
// was read while they were converted is not read again.
func (c *Converted) LintAndProve(ctx context.Context, img v1.Image) ([]Finding, *Proof, error) {
	s, err := c.scanner.scan(ctx, img)
	if err != nil {
		return nil, nil, fmt.Errorf("check the finished image: %w", err)
	}
	p, err := proveTwins(ctx, c.scanner, img, s, c.want, 0)
	return lint(s, lambdaLimits), p, err
}
