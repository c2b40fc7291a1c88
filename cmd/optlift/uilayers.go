package main

import (
	"context"
	"strings"

	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layerimage"
	"github.com/optlift/optlift/build/overlay"
)

// CompareLayer holds an image against a layer version of a function.
func (w *workspace) CompareLayer(ctx context.Context, function, layerARN, reference string) (string, error) {
	set, arch, err := w.layerOf(ctx, function, layerARN, nil)
	if err != nil {
		return "", err
	}
	defer set.Close()
	region, err := w.app.regionOf(ctx, function)
	if err != nil {
		return "", err
	}
	src := set.Request().Layers[0]
	o, err := overlay.Take(ctx, reference, arch, src, registry.New(w.in.Load().session, region).ReadOptions(ctx, reference)...)
	if err != nil {
		return "", err
	}
	return o.Pinned, nil
}

// PublishLayer pushes an image of one layer version alone.
func (w *workspace) PublishLayer(ctx context.Context, function, layerARN, to string, progress func(image.Progress)) (string, error) {
	const stageFetch image.Stage = "fetch"
	set, arch, err := w.layerOf(ctx, function, layerARN, func(name string, done, total int64) {
		progress(image.Progress{Stage: stageFetch, Item: name, Done: done, Total: total})
	})
	if err != nil {
		return "", err
	}
	defer set.Close()
	store, err := w.app.store()
	if err != nil {
		return "", err
	}
	built, err := layerimage.Build(ctx, layerimage.Request{Layers: set.Request().Layers, Architecture: arch, Store: store, Progress: progress})
	if err != nil {
		return "", err
	}
	region, err := w.app.regionOf(ctx, function)
	if err != nil {
		return "", err
	}
	name, tag, _ := strings.Cut(to, ":")
	client := registry.New(w.in.Load().session, region)
	repo, err := client.FindOrCreate(ctx, name)
	if err != nil {
		return "", err
	}
	return client.Push(ctx, repo, tag, built.Image, func(done, total int64) {
		progress(image.Progress{Stage: image.StageWrite, Item: to, Done: done, Total: total})
	})
}

// layerOf fetches a layer version, and tells the architecture of the function
// that it is for.
func (w *workspace) layerOf(ctx context.Context, function, layerARN string, progress func(name string, done, total int64)) (*target.Set, string, error) {
	facts, err := w.in.Load().auditor.Measure(ctx, function)
	if err != nil {
		return nil, "", err
	}
	opener, err := w.app.opener()
	if err != nil {
		return nil, "", err
	}
	set, err := opener.Fetch(ctx, progress, layerARN)
	if err != nil {
		return nil, "", err
	}
	return set, facts.Architecture, nil
}
