package image

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
)

const (
	// lambdaEntrypoint is the entrypoint of AWS's base images. It takes exactly one
	// argument, the handler, and starts runtimeBootstrap
	// (https://github.com/aws/aws-lambda-base-images).
	lambdaEntrypoint = "/lambda-entrypoint.sh"
	// runtimeBootstrap is what a managed runtime's base has and an OS-only one lacks.
	runtimeBootstrap = "/var/runtime/bootstrap"
)

// bootstrap returns the link that lets the base's entrypoint find a custom
// runtime. As a zip, the function is searched for /var/task/bootstrap, then
// /opt/bootstrap, then the runtime's own
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html); as an
// image only the last of these is started.
//
// An OS-only runtime always gets the link. Other runtimes get it where the base
// turns out to have nothing to start, which only a base of the caller's own can.
func (r *Request) bootstrap(ctx context.Context, scanner *scanner, base *Base) ([]layer.Link, error) {
	if !osOnly(r.Runtime) && r.Base == "" {
		return nil, nil // AWS's base for a managed runtime
	}
	config, err := base.Image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the configuration of the base image %s: %w", base.Reference, err)
	}
	lambda := len(config.Config.Entrypoint) == 1 && config.Config.Entrypoint[0] == lambdaEntrypoint
	target := r.ownBootstrap()
	if osOnly(r.Runtime) && target != "" {
		return []layer.Link{{Path: runtimeBootstrap, Target: target}}, nil
	}
	if !lambda {
		return nil, nil // the base starts something else, by its owner's choice
	}
	has, err := hasPath(ctx, scanner, base.Image, runtimeBootstrap)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for %s in the base image %s: %w", runtimeBootstrap, base.Reference, err)
	case has:
		return nil, nil
	case target != "":
		return []layer.Link{{Path: runtimeBootstrap, Target: target}}, nil
	default:
		return nil, fmt.Errorf("nothing would start in the image: the base %s has no %s, and neither the code nor a layer has a file named bootstrap: add one, or name a base with a runtime by --base",
			base.Reference, runtimeBootstrap)
	}
}

// ownBootstrap is where the function's own runtime lies, "" if it has none.
func (r *Request) ownBootstrap() string {
	if e, ok := r.Code.Dir.Lookup("bootstrap"); ok && e.Kind != zipdir.Dir {
		return "/" + string(layer.Task) + "/bootstrap"
	}
	for _, l := range r.Layers {
		if e, ok := l.Dir.Lookup("bootstrap"); ok && e.Kind != zipdir.Dir {
			return "/" + string(layer.Opt) + "/bootstrap"
		}
	}
	return ""
}

// hasPath reports whether an image has something at a path. It reads all layers,
// through scanner, so that the check of the finished image need not.
func hasPath(ctx context.Context, scanner *scanner, img v1.Image, path string) (bool, error) {
	s, err := scanner.scan(ctx, img)
	if err != nil {
		return false, err
	}
	for _, l := range s.layers {
		if l.err != nil {
			return false, fmt.Errorf("image layer %s: %w", l.digest, l.err)
		}
	}
	return newTree(s.layers).find(path, true) != nil, nil
}
