package target

import (
	"context"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
)

// Archive is one opened zip.
type Archive struct {
	Name   string // ARN, path, or "code of NAME"
	Root   layer.Root
	SHA256 string // hex; "" when unknown
	Dir    *zipdir.Directory
}

// Set is what one or more targets stand for.
type Set struct {
	// Function is set when the only target is a function.
	Function *account.Function
	Layers   []Archive // in merge order
	Code     *Archive  // a function's code; nil for layers and zips
}

// Opener opens targets. Session is called once, and only when a target is not
// a local file, so that local work needs no account.
type Opener struct {
	Session func(ctx context.Context) (*session.Session, error)
	// Scratch is where whole archives are kept when a job needs all their bytes.
	Scratch string
}

// Open opens targets for looking into: remote archives are read by range.
func (o *Opener) Open(ctx context.Context, targets ...string) (*Set, error) { panic("not written yet") }

// Fetch opens targets for converting: remote archives are downloaded to
// Scratch and verified against Lambda's SHA-256 first.
func (o *Opener) Fetch(ctx context.Context, progress func(name string, done, total int64), targets ...string) (*Set, error) {
	panic("not written yet")
}

// Close closes every archive.
func (s *Set) Close() error { panic("not written yet") }
