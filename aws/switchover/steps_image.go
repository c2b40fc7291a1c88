package switchover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
)

// ensureRepository finds or makes the repository that Lambda pulls from.
func ensureRepository(ctx context.Context, r *run) (outcome, error) {
	name := repositoryName(r.snap.Function, r.choices)
	client := registry.New(r.s.config.Session, r.s.config.Region)
	var repo registry.Repository
	err := r.mutate(ctx, "CreateRepository", name, func(ctx context.Context) (err error) {
		repo, err = client.Ensure(ctx, name)
		return err
	})
	if err != nil {
		return outcome{}, fmt.Errorf("prepare repository %s: %w", name, err)
	}
	note := repo.URI
	if repo.Lifecycle != "" {
		note += "; it has a lifecycle policy: make sure that it never expires this image, or the function fails"
	}
	return outcome{skipped: !repo.Created, note: note}, nil
}

// buildImage builds, checks and pushes the image of the versions of b.
func buildImage(b build) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		if ref := r.j.fact(imageFact(b.qualifiers[0])); ref != "" {
			return outcome{skipped: true, note: ref}, nil
		}
		if turn := r.s.config.Turn; turn != nil {
			giveBack, err := turn(ctx)
			if err != nil {
				return outcome{}, err
			}
			defer giveBack()
		}
		req, done, err := r.request(ctx, b.qualifiers[0])
		if err != nil {
			return outcome{}, err
		}
		defer done()
		name := repositoryName(r.snap.Function, r.choices)
		client := registry.New(r.s.config.Session, r.s.config.Region)
		repo, found, err := client.Look(ctx, name)
		if err != nil {
			return outcome{}, err
		}
		if !found {
			return outcome{}, fmt.Errorf("repository %s is gone", name)
		}
		// Layers are sent while others are converted. They are nothing to anybody
		// until an image names them, which waits for lint and proof.
		sending := client.Uploader(ctx, func(context.Context) (registry.Repository, error) { return repo, nil })
		defer sending.Close()
		req.Early = sending.Add
		var built *image.Built
		err = r.upload(ctx, "UploadLayerPart", name, func(ctx context.Context) (err error) {
			built, err = image.Build(ctx, req)
			return err
		})
		if err != nil {
			return outcome{}, fmt.Errorf("build the image of %s:%s: %w", r.snap.Function, b.qualifiers[0], err)
		}
		var ref string
		err = r.upload(ctx, "PutImage", name, func(ctx context.Context) (err error) {
			ctx, moved, stop := watched(ctx, r.s.callTimeout)
			defer stop()
			ref, err = sending.Push(ctx, "", built.Image, func(done, total int64) {
				moved()
				r.progress(image.Progress{Stage: image.StageWrite, Item: name, Done: done, Total: total})
			})
			if err != nil && errors.Is(context.Cause(ctx), errSilent) {
				err = errSilent
			}
			return err
		})
		if err != nil {
			return outcome{}, fmt.Errorf("push the image of %s:%s: %w", r.snap.Function, b.qualifiers[0], err)
		}
		for _, q := range b.qualifiers {
			if err := r.j.set(imageFact(q), ref); err != nil {
				return outcome{}, err
			}
		}
		return outcome{note: ref, facts: imageFacts(built)}, nil
	}
}

// imageFacts is what is worth knowing of a finished image: what it is made from, what
// the lint says, what the proof compared.
func imageFacts(b *image.Built) []Fact {
	out := []Fact{{"base", b.Base.Reference + "@" + b.Base.Digest.String()}, {"platform", b.Base.Platform.String()}}
	for _, l := range b.Report("").Layers {
		out = append(out, Fact{"layer", fmt.Sprintf("%s, %d bytes sent, %d unpacked, %s", l.Source, l.Size, l.Uncompressed, l.Digest)})
	}
	out = append(out, Fact{"size", fmt.Sprintf("%d bytes sent, %d unpacked", b.Size, b.Uncompressed)})
	broken := image.Broken(b.Findings)
	if len(broken) == 0 {
		out = append(out, Fact{"lint", "every rule of Lambda's image reader that can be checked here holds"})
	}
	for _, f := range broken {
		out = append(out, Fact{"lint", strings.TrimSpace(string(f.Severity) + " " + f.Rule + " " + f.Path + ": " + f.Message)})
	}
	if b.Proof != nil {
		out = append(out, Fact{"proof", fmt.Sprintf("%s below /opt and /var/task equal to the merged zips", plural(b.Proof.Compared, "path"))})
		for _, p := range b.Proof.Repairs {
			out = append(out, Fact{"repaired", p.Path + ": " + p.What})
		}
	}
	return out
}

// errSilent is a transfer in which nothing moved for too long.
var errSilent = errors.New("the registry took no byte for minutes: check the network and resume")

// watched ends ctx when moved was not called for the given time: a registry that
// accepts a request and never answers must not hold a run for ever.
func watched(ctx context.Context, silence time.Duration) (watched context.Context, moved, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(silence, func() { cancel(errSilent) })
	return watched, func() { timer.Reset(silence) }, func() { timer.Stop(); cancel(nil) }
}

// request is what the image of one version is made from: the verified archives
// of the backup. done closes them.
func (r *run) request(ctx context.Context, q string) (req image.Request, done func(), err error) {
	c, err := r.snap.ConfigOf(q)
	if err != nil {
		return req, nil, err
	}
	var open []io.Closer
	closeAll := func() {
		for _, f := range open {
			_ = f.Close() // read only
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	of, err := r.origin(q)
	if err != nil {
		return req, nil, err
	}
	source := func(a Archive, root layer.Root) (layer.Source, error) {
		f, err := os.Open(a.file(r.s.config.StateDir, r.j.start.ID))
		if err != nil {
			return layer.Source{}, fmt.Errorf("open %s in the backup: %w", a.Name, err)
		}
		open = append(open, f)
		info, err := f.Stat()
		if err != nil {
			return layer.Source{}, err
		}
		dir, err := zipdir.Read(a.Name, f, info.Size())
		return layer.Source{Name: a.Name, Dir: dir, SHA256: a.SHA256, Root: root}, err
	}
	req = image.Request{
		Runtime: of.Runtime, Handler: of.Handler, Architecture: of.Architecture,
		Base: r.choices.Base, BaseRegistry: r.s.config.BaseRegistry, Store: r.s.config.Store, BaseCache: r.s.config.BaseCache,
		Labels:   map[string]string{image.LabelFunction: r.snap.ARN},
		Progress: r.progress,
	}
	if req.Code, err = source(of.Code, layer.Task); err != nil {
		return req, nil, err
	}
	var names []string
	for _, a := range of.Layers {
		names = append(names, a.Name)
		l, err := source(a, layer.Opt)
		if err != nil {
			return req, nil, err
		}
		l, closer, err := r.layerImage(ctx, l, req.Architecture)
		if err != nil {
			return req, nil, err
		}
		if closer != nil {
			open = append(open, closer)
		}
		req.Layers = append(req.Layers, l)
	}
	if len(names) > 0 {
		req.Labels[image.LabelLayers] = strings.Join(names, ",")
	}
	if c.Environment != nil {
		if wrapper := c.Environment.Variables["AWS_LAMBDA_EXEC_WRAPPER"]; wrapper != "" {
			req.Executables = []string{wrapper}
		}
	}
	return req, closeAll, nil
}

// architecture is the one a function has; Lambda's default is x86_64.
func architecture(c types.FunctionConfiguration) string {
	if len(c.Architectures) > 0 {
		return string(c.Architectures[0])
	}
	return string(types.ArchitectureX8664)
}
