package image

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
)

// Request is everything an image is made from.
type Request struct {
	Runtime      string // Lambda's identifier, "nodejs22.x"
	Handler      string // may be "" for an OS-only runtime
	Architecture string // "x86_64" or "arm64"; "" is x86_64, as in Lambda's API
	Base         string // reference or "oci:DIR"; "" picks by Runtime below BaseRegistry
	BaseRegistry string // "" is DefaultBaseRegistry
	Layers       []layer.Source
	Code         layer.Source
	Labels       map[string]string
	Store        *layer.Store
	// BaseCache is a directory (0700) to keep the layers of base images in, so that
	// they are downloaded once; "" downloads them for each build and each output.
	BaseCache string
	// Executables are absolute paths, such as the exec wrapper's, that Lambda
	// starts and that become executable where their archive carries no modes.
	Executables []string
	// Created is the image's time and that of its files; zero is
	// SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/),
	// and the Unix epoch where that is not set.
	Created time.Time
	// Remote configures access to the base's registry.
	Remote []remote.Option
	// Early, which may be nil, is handed each of the image's layers as soon as its
	// bytes can be read, so that they are sent while the image is still made: the
	// base's, those in the store, and *layer.Growing ones when their conversion
	// begins; then, in the guise of a layer, the image's configuration. A build that is
	// refused or fails has handed out some for nothing. It is called from several
	// goroutines and must not wait for the layers.
	Early func(v1.Layer)
	// Progress, which may be nil, is called from several goroutines.
	Progress func(Progress)
}

// complete fills in what may be left out and refuses what can't be built.
func (r *Request) complete() error {
	if r.Architecture == "" {
		r.Architecture = "x86_64"
	}
	if _, err := PlatformFor(r.Architecture); err != nil {
		return err
	}
	if r.Code.Dir == nil {
		return errors.New("build an image: there is no code: a function's zip is needed")
	}
	r.Code.Root = layer.Task
	if r.Handler == "" {
		if !osOnly(r.Runtime) {
			return errors.New("build an image: no handler is named: AWS's base images need exactly one, such as index.handler")
		}
		// A runtime of one's own need not care, but the entrypoint wants a word:
		// this is the one AWS's documentation uses.
		r.Handler = "bootstrap"
	}
	return r.completeLayers()
}

// completeLayers does so with what concerns the layers.
func (r *Request) completeLayers() error {
	if r.Store == nil {
		return errors.New("build an image: no store for its layers was given")
	}
	r.Layers = append([]layer.Source(nil), r.Layers...)
	for i := range r.Layers {
		if r.Layers[i].Dir == nil {
			return fmt.Errorf("build an image: layer %d (%s) has no archive", i+1, r.Layers[i].Name)
		}
		r.Layers[i].Root = layer.Opt
	}
	if r.Created.IsZero() {
		var err error
		if r.Created, err = SourceDate(); err != nil {
			return err
		}
	}
	r.Created = r.Created.UTC().Truncate(time.Second)
	if r.Progress == nil {
		r.Progress = func(Progress) {}
	}
	if r.Early == nil {
		r.Early = func(v1.Layer) {}
	}
	return nil
}

// SourceDate is the time that SOURCE_DATE_EPOCH gives, or the Unix epoch.
func SourceDate() (time.Time, error) {
	v, set := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !set || v == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	seconds, err := strconv.ParseInt(v, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q: it takes a number of seconds since 1970", v)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func (r *Request) report(p Progress) { r.Progress(p) }

// sources are the archives in the image's order.
func (r *Request) sources() []layer.Source {
	all := append([]layer.Source(nil), r.Layers...)
	if code := r.code(); code != nil {
		all = append(all, *code)
	}
	return all
}

// code is the code's archive, nil in a request of layers alone.
func (r *Request) code() *layer.Source {
	if r.Code.Dir == nil {
		return nil
	}
	return &r.Code
}

// clashes refuses layers that disagree on whether a path is a directory.
func (r *Request) clashes() error {
	merge := make([]optfs.Layer, len(r.Layers))
	for i, l := range r.Layers {
		merge[i] = optfs.Layer{Source: l.Name, Dir: l.Dir}
	}
	clashes := optfs.Merge(merge...).Clashes
	if len(clashes) == 0 {
		return nil
	}
	c := clashes[0]
	return fmt.Errorf("build an image: /opt/%s is a %s in %s (layer %d) and a %s in %s (layer %d): what Lambda makes of that is not documented, so take it out of one of them",
		c.Path, kindName(c.Kinds[0]), r.Layers[c.Layers[0]-1].Name, c.Layers[0], kindName(c.Kinds[1]), r.Layers[c.Layers[1]-1].Name, c.Layers[1])
}

func (r *Request) baseReference() (string, error) {
	return BaseReference(r.Base, r.Runtime, r.BaseRegistry)
}

// BaseReference is the base that an image is built on: base where it is named,
// else the runtime's own below registry, which is DefaultBaseRegistry where it is
// "".
func BaseReference(base, runtime, registry string) (string, error) {
	if base != "" {
		return base, nil
	}
	tag, err := BaseFor(runtime)
	if err != nil {
		return "", err
	}
	if registry == "" {
		registry = DefaultBaseRegistry
	}
	return strings.TrimSuffix(registry, "/") + "/" + tag, nil
}

// identity is equal for sources that are the same archive for sure.
func identity(src layer.Source) string {
	if src.SHA256 != "" {
		return src.SHA256
	}
	return fmt.Sprintf("%p", src.Dir)
}

func kindName(k zipdir.Kind) string {
	switch k {
	case zipdir.Dir:
		return "directory"
	case zipdir.Symlink:
		return "link"
	default:
		return "file"
	}
}
