package upkeep

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/image"
)

// Wanted is what the user gives for a refresh; what is zero stays as it was.
type Wanted struct {
	Base   string // a reference or "oci:DIR"
	Code   *switchover.Archive
	Layers []switchover.Archive // all of them, in order
}

// Change is one thing that a refresh makes anew.
type Change struct {
	What string `json:"what"` // "base", "code", "layers"
	From string `json:"from"` // digest, hash or names
	To   string `json:"to"`
}

// Changes says what a refresh of a function would make anew, and what to hand to
// switchover.PlanFor for it. Without a change there is nothing to refresh.
type Changes struct {
	Function string             `json:"function"`
	Image    string             `json:"image"` // what it runs now
	Base     string             `json:"base"`  // reference
	Changes  []Change           `json:"changes"`
	Choices  switchover.Choices `json:"-"`
}

// Changes compares a function's image with what it would be built from today. The
// function must run an image that a journal of this machine made.
func (k *Keeper) Changes(ctx context.Context, region, name string, want Wanted) (*Changes, error) {
	got, err := k.config.Session.Lambda(region).GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name})
	if err != nil {
		return nil, fmt.Errorf("look at function %s: %w", name, err)
	}
	f, err := k.read(region, got)
	switch {
	case err != nil:
		return nil, err
	case f == nil:
		return nil, fmt.Errorf("function %s is no container image: optlift migrate makes it one", name)
	case f.made == nil && f.tag != "":
		return nil, fmt.Errorf("function %s runs an image that no journal on this machine knows, and its migration %s may have been made from another one: refresh it there", name, f.tag)
	case f.made == nil:
		return nil, fmt.Errorf("function %s runs an image that optlift did not make from this machine: there is nothing to build it from", name)
	case f.made.Origin.Code.From == "":
		_, err := switchover.ReadMade(k.config.StateDir, f.made.Entry.ID)
		return nil, fmt.Errorf("function %s can't be built again: %w", name, err)
	}
	before := f.made
	origin := before.Origin
	c := &Changes{Function: f.name, Image: f.image, Changes: []Change{}}
	c.Choices = switchover.Choices{Strategy: switchover.Refresh, Repository: f.repository(), Base: cmp.Or(want.Base, before.Choices.Base), Origin: &origin}
	if c.Base, err = image.BaseReference(c.Choices.Base, origin.Runtime, k.config.BaseRegistry); err != nil {
		return nil, err
	}
	labels, err := k.labels(ctx, f)
	if err != nil {
		return nil, err
	}
	newest := k.newest(ctx, region, c.Base, f.architecture)
	if newest.err != nil {
		return nil, newest.err
	}
	c.compare("base", labels[image.LabelBaseDigest], newest.digest)
	if want.Code != nil {
		c.compare("code", origin.Code.SHA256, want.Code.SHA256)
		origin.Code = *want.Code
	}
	if want.Layers != nil {
		c.compare("layers", sums(origin.Layers), sums(want.Layers))
		origin.Layers = want.Layers
	} else {
		c.Choices.LayerImages = before.Choices.LayerImages
	}
	return c, nil
}

func (c *Changes) compare(what, from, to string) {
	if from != to {
		c.Changes = append(c.Changes, Change{What: what, From: cmp.Or(from, "none"), To: cmp.Or(to, "none")})
	}
}

// sums are the archives' hashes: a layer that was published again without a change
// is no change.
func sums(all []switchover.Archive) string {
	text := ""
	for _, a := range all {
		if text != "" {
			text += ", "
		}
		text += a.SHA256
	}
	return text
}
