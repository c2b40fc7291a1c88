package upkeep

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/image"
)

// Config is what a Keeper works with.
type Config struct {
	Session      *session.Session
	BaseRegistry string // "" is image.DefaultBaseRegistry
	StateDir     string // journals and backups
}

// Keeper looks after the migrated functions of one account. Its methods may be
// called concurrently; it remembers which base images it has asked for.
type Keeper struct {
	config Config

	mu    sync.Mutex
	bases map[string]*base
}

// New returns a Keeper; it asks nobody.
func New(c Config) *Keeper { return &Keeper{config: c, bases: map[string]*base{}} }

// base is a base image as its registry has it now; it is asked for once.
type base struct {
	once    sync.Once
	digest  string
	created time.Time
	err     error
}

// newest resolves a base image for an architecture.
func (k *Keeper) newest(ctx context.Context, region, reference, architecture string) *base {
	k.mu.Lock()
	b := k.bases[reference+" "+architecture]
	if b == nil {
		b = &base{}
		k.bases[reference+" "+architecture] = b
	}
	k.mu.Unlock()
	b.once.Do(func() {
		found, err := image.ResolveBase(ctx, reference, architecture, registry.New(k.config.Session, region).ReadOptions(ctx, reference)...)
		if err != nil {
			b.err = err
			return
		}
		b.digest = found.Digest.String()
		config, err := found.Image.ConfigFile()
		if err != nil {
			b.err = err
			return
		}
		b.created = config.Created.Time
	})
	return b
}

// migrationTag is the tag that a switch puts on a function.
const migrationTag = "optlift:migration"

// function is a container image function and what is known of how it was made.
type function struct {
	name, region, arn, architecture string
	image                           string // pinned by digest
	tag                             string // the journal that the function's tag names
	// made is the journal whose image the function runs; nil when none of this
	// machine's is.
	made *switchover.Made
}

func (f *function) digest() string {
	_, digest, _ := strings.Cut(f.image, "@")
	return digest
}

// repository is the ECR repository of the function's image.
func (f *function) repository() string {
	name, _, _ := strings.Cut(f.image, "@")
	_, name, _ = strings.Cut(name, "/")
	return name
}

// read turns Lambda's answer into a function; nil when it is no container image.
func (k *Keeper) read(region string, got *lambda.GetFunctionOutput) (*function, error) {
	c := got.Configuration
	if c == nil || c.PackageType != types.PackageTypeImage || got.Code == nil {
		return nil, nil
	}
	f := &function{name: aws.ToString(c.FunctionName), region: region, arn: aws.ToString(c.FunctionArn), architecture: string(types.ArchitectureX8664),
		image: aws.ToString(got.Code.ResolvedImageUri), tag: got.Tags[migrationTag]}
	if len(c.Architectures) > 0 {
		f.architecture = string(c.Architectures[0])
	}
	if !strings.Contains(f.image, "@") && strings.Contains(aws.ToString(got.Code.ImageUri), "@") {
		f.image = aws.ToString(got.Code.ImageUri)
	}
	var err error
	f.made, err = k.journalOf(f)
	return f, err
}

// journalOf finds the newest journal whose image a function runs.
func (k *Keeper) journalOf(f *function) (*switchover.Made, error) {
	if f.digest() == "" {
		return nil, nil
	}
	entries, err := switchover.Journals(k.config.StateDir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		// A function that was made beside another has a name of its own.
		if e.Region != f.region || e.Account != k.config.Session.Account || e.Function != f.name && e.ID != f.tag {
			continue
		}
		made, err := switchover.ReadMade(k.config.StateDir, e.ID)
		if made == nil {
			return nil, err
		}
		// A backup that is gone leaves the journal to be told of.
		if strings.HasSuffix(made.Image, "@"+f.digest()) {
			return made, nil
		}
	}
	return nil, nil
}

// labels are those of an image in ECR.
func (k *Keeper) labels(ctx context.Context, f *function) (map[string]string, error) {
	img, err := image.Open(ctx, f.image, registry.New(k.config.Session, f.region).ReadOptions(ctx, f.image)...)
	if err != nil {
		return nil, fmt.Errorf("read the image of %s: %w", f.name, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the image of %s: %w", f.name, err)
	}
	return config.Config.Labels, nil
}

// The states of what was looked at, besides those that each field has of its own.
const (
	Denied  = "denied"  // not allowed to look
	Failed  = "failed"  // could not look
	Unknown = "unknown" // nothing here tells
)

// stateOf tells why something could not be read.
func stateOf(err error) string {
	var answer *transport.Error
	if session.KindOf(err) == session.Denied ||
		errors.As(err, &answer) && (answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized) {
		return Denied
	}
	return Failed
}

func explain(err error) string { return session.Clean(session.Explain(err)) }
