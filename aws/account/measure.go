package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/account/answers"
	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/session"
)

// light leaves out the archives' file lists.
func (f *Facts) light() *Facts {
	f.Code.Dir = nil
	for i, l := range f.LayerFacts {
		c := *l
		c.Dir = nil
		f.LayerFacts[i] = &c
	}
	return f
}

// measure reads a function's archives and judges them. out is the answer of
// GetFunction where it is at hand; trust allows an earlier run's answers.
func (r *run) measure(ctx context.Context, f *Function, out *lambda.GetFunctionOutput, trust bool) *Facts {
	p := r.place(f.Region)
	facts := &Facts{Function: *f, TagsState: Unknown, Code: Archive{State: Unknown}}
	waits := make([]*pending[*LayerVersion], len(f.Layers))
	for i, l := range f.Layers {
		waits[i] = r.layer(ctx, p, l, trust)
	}
	if r.layersOnly {
		for _, w := range waits {
			facts.LayerFacts = append(facts.LayerFacts, w.wait())
		}
		return facts
	}
	known, ok := p.book.Function(f.ARN)
	usable := out == nil && trust && ok && r.young(known.Asked) && known.SHA256 == f.CodeSHA256
	if !usable || !r.recall(ctx, facts, known) {
		r.ask(ctx, p, facts, out)
	}
	old := !facts.Asked.IsZero()
	for _, w := range waits {
		l := w.wait()
		old = old || !l.Asked.IsZero()
		facts.LayerFacts = append(facts.LayerFacts, l)
	}
	r.conclude(ctx, facts)
	if old {
		r.mu.Lock()
		r.old = append(r.old, f)
		r.mu.Unlock()
	}
	return facts
}

// ask reads a function's tags and code as AWS tells them now.
func (r *run) ask(ctx context.Context, p *place, facts *Facts, out *lambda.GetFunctionOutput) {
	image := facts.PackageType == "Image"
	asked := r.now().UTC()
	var err error
	if out == nil {
		out, err = r.getFunction(ctx, p.client, facts.ARN)
	}
	if err != nil {
		facts.TagsState = StateOf(err)
		if !image {
			facts.Code = Archive{State: StateOf(err), Message: session.Explain(err)}
		}
	} else {
		facts.ManagedBy, facts.TagsState = managedBy(out)
		if !image {
			facts.Code = r.archive(ctx, "code of "+facts.Name, facts.CodeSHA256, wrapperIn("/var/task", facts.Wrapper), CodeLocator(p.client, facts.ARN, out))
		}
	}
	switch {
	case ctx.Err() != nil:
	case facts.TagsState == OK && (image || facts.Code.State == OK):
		p.book.PutFunction(facts.ARN, &answers.Function{SHA256: facts.CodeSHA256, ManagedBy: facts.ManagedBy, Asked: asked})
	default:
		p.book.PutFunction(facts.ARN, nil)
	}
}

// recall tells of a function what an earlier run was answered; false where its
// code is not at hand any more.
func (r *run) recall(ctx context.Context, facts *Facts, known answers.Function) bool {
	if facts.PackageType != "Image" {
		code := r.archive(ctx, "code of "+facts.Name, facts.CodeSHA256, wrapperIn("/var/task", facts.Wrapper), notAtHand)
		if code.State != OK {
			return false
		}
		facts.Code = code
	}
	facts.ManagedBy, facts.TagsState, facts.Asked = known.ManagedBy, OK, known.Asked
	return true
}

// notAtHand locates nothing: what an earlier run has not read is asked for.
func notAtHand(context.Context) (archive.Location, error) {
	return archive.Location{}, errors.New("not at hand")
}

// conclude works out what the archives mean together.
func (r *run) conclude(ctx context.Context, f *Facts) {
	f.sum()
	s := &subject{Facts: f, now: r.now()}
	if f.PackageType != "Image" {
		s.opt = r.opt(ctx, f)
		f.Extensions = s.extensions()
	}
	f.Findings = judge(s)
	f.Complete = true
}

func (r *run) getFunction(ctx context.Context, client *lambda.Client, arn string) (*lambda.GetFunctionOutput, error) {
	if err := acquire(ctx, r.calls); err != nil {
		return nil, err
	}
	defer release(r.calls)
	out, err := client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &arn})
	if err != nil {
		return nil, fmt.Errorf("read function: %w", err)
	}
	return out, nil
}

// sum adds up code and layers.
func (f *Facts) sum() {
	f.Known = f.Code.State == OK
	f.Total = f.Code.Unzipped
	for _, l := range f.LayerFacts {
		f.Known = f.Known && l.State == OK
		f.Total += l.Unzipped
	}
}

// layer reads a layer version, once per run.
func (r *run) layer(ctx context.Context, p *place, ref LayerRef, trust bool) *pending[*LayerVersion] {
	return once(r, r.layers, ref.ARN, func() *LayerVersion {
		if known, ok := p.book.Layer(ref.ARN); trust && ok && r.young(known.Asked) {
			if l := r.recallLayer(ctx, ref, known); l != nil {
				return l
			}
		}
		return r.askLayer(ctx, p, ref)
	})
}

// recallLayer tells of a layer version what an earlier run was answered; nil
// where its archive is not at hand any more, or is not the one that is listed.
func (r *run) recallLayer(ctx context.Context, ref LayerRef, known answers.Layer) *LayerVersion {
	l := &LayerVersion{
		ARN: ref.ARN, Size: ref.Size, CodeSHA256: known.SHA256, Asked: known.Asked,
		Runtimes: known.Runtimes, Architectures: known.Architectures,
	}
	if known.Gone != "" {
		l.Archive = Archive{State: Deleted, Message: known.Gone}
		return l
	}
	if known.Size != ref.Size {
		return nil
	}
	l.Archive = r.archive(ctx, ref.ARN, l.CodeSHA256, "", notAtHand)
	if l.State != OK {
		return nil
	}
	l.content = contentOf(l.Dir)
	return l
}

// askLayer reads a layer version as AWS tells it now.
func (r *run) askLayer(ctx context.Context, p *place, ref LayerRef) *LayerVersion {
	l := &LayerVersion{ARN: ref.ARN, Size: ref.Size}
	fail := func(err error) *LayerVersion {
		l.Archive = Archive{State: StateOf(err), Message: session.Explain(err)}
		switch {
		case ctx.Err() != nil:
		case l.State == Deleted:
			p.book.PutLayer(ref.ARN, &answers.Layer{Gone: l.Message, Asked: r.now().UTC()})
		default:
			p.book.PutLayer(ref.ARN, nil)
		}
		return l
	}
	if err := acquire(ctx, p.slots); err != nil {
		return fail(err)
	}
	asked := r.now().UTC()
	out, err := layerVersion(ctx, p.client, ref.ARN)
	release(p.slots)
	if err != nil {
		return fail(err)
	}
	l.CodeSHA256 = aws.ToString(out.Content.CodeSha256)
	for _, v := range out.CompatibleRuntimes {
		l.Runtimes = append(l.Runtimes, string(v))
	}
	for _, v := range out.CompatibleArchitectures {
		l.Architectures = append(l.Architectures, string(v))
	}
	l.Archive = r.archive(ctx, ref.ARN, l.CodeSHA256, "", LayerLocator(p.client, ref.ARN, out))
	switch {
	case ctx.Err() != nil:
	case l.State == OK:
		l.content = contentOf(l.Dir)
		p.book.PutLayer(ref.ARN, &answers.Layer{SHA256: l.CodeSHA256, Size: out.Content.CodeSize, Runtimes: l.Runtimes, Architectures: l.Architectures, Asked: asked})
	default:
		p.book.PutLayer(ref.ARN, nil)
	}
	return l
}
