package ui

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/smithy-go"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/target"
)

// refusal is what AWS answers for a layer version that can't be read, nil for one
// that can.
func (b *fakeBackend) refusal(arn string) error {
	for _, f := range b.functions {
		for _, l := range f.LayerFacts {
			if l.ARN != arn {
				continue
			}
			switch l.State {
			case account.Deleted:
				return fmt.Errorf("locate %s: %w", arn, &smithy.GenericAPIError{Code: "ResourceNotFoundException", Message: l.Message})
			case account.Denied:
				return fmt.Errorf("locate %s: %w", arn, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: l.Message})
			}
		}
	}
	return nil
}

func (b *fakeBackend) Fetch(ctx context.Context, progress func(name string, done, total int64), targets ...string) (*target.Set, error) {
	for _, t := range targets {
		names := []string{t}
		for _, f := range b.functions {
			if f.ARN == t {
				names = names[:0]
				for _, l := range f.Layers {
					names = append(names, l.ARN)
				}
				names = append(names, "code of "+f.Name)
			}
		}
		for _, name := range names {
			progress(name, 3*mib, 8*mib)
		}
	}
	if b.fetching != nil {
		select {
		case <-b.fetching:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for _, t := range targets {
		if err := b.refusal(t); err != nil {
			return nil, err
		}
	}
	return b.Open(ctx, targets...)
}

// holding makes an account whose layers hold packages, and in two versions.
func holding() *fakeBackend {
	b := newTold()
	b.files = maps.Clone(zips)
	b.files["otel-collector:12"] = maps.Clone(zips["otel-collector:12"])
	b.files["otel-collector:14"] = maps.Clone(zips["otel-collector:12"])
	old, now := b.files["otel-collector:12"], b.files["otel-collector:14"]
	old["nodejs/node_modules/otel/package.json"] = `{"name": "otel", "version": "1.9.0"}`
	now["nodejs/node_modules/otel/package.json"] = `{"name": "otel", "version": "1.14.2"}`
	now["nodejs/node_modules/protobuf/package.json"] = `{"name": "protobuf", "version": "7.2.0"}`
	now["nodejs/node_modules/protobuf/index.js"] = "module.exports = require('./runtime');\n"
	now["collector.yaml"] = "receivers:\n  otlp:\n    protocols: [grpc, http]\nexporters:\n  debug: {}\n"
	now["python/shared.py"] = "# the collector's copy\nVERSION = 3\n\n\ndef trace(name, at=None):\n    return name\n"
	delete(now, "python/same.py")
	deps := maps.Clone(zips["python-deps:4"])
	deps["python/numpy-2.1.0.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: numpy\nVersion: 2.1.0\n\nArrays.\n"
	deps["python/requests-2.32.3.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: requests\nVersion: 2.32.3\n\n"
	deps["nodejs/node_modules/otel/package.json"] = `{"name": "otel", "version": "1.8.1"}`
	b.files["python-deps:4"] = deps
	return b
}

// Find looks into the fake's layers one after the other; otel's list is on disk.
func (b *fakeBackend) Find(ctx context.Context, p *find.Pattern, layers []find.Layer, emit func(find.Result)) error {
	for _, l := range layers {
		if b.finding != nil {
			select {
			case <-b.finding:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := b.refusal(l.ARN); err != nil {
			emit(find.Result{ARN: l.ARN, State: account.StateOf(err), Message: b.remark + b.Explain(errors.Unwrap(err))})
			continue
		}
		set, err := b.Open(ctx, l.ARN)
		if err != nil {
			return err
		}
		hits := p.In(set.Layers[0].Dir)
		emit(find.Result{ARN: l.ARN, State: account.OK, OnDisk: l.SHA256 != "", Total: len(hits), Hits: hits})
		if err := set.Close(); err != nil {
			return err
		}
	}
	return ctx.Err()
}
