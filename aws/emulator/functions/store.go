package functions

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/events"
	"github.com/optlift/optlift/aws/emulator/objects"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// Images validates the images that functions are made of.
type Images interface {
	// Resolve checks, while CreateFunction or UpdateFunctionCode is answered, what
	// Lambda refuses at once, and pins the tag.
	Resolve(ctx context.Context, call wire.Call, uri, architecture string) (wire.Image, error)
	// Check finds what Lambda finds while it optimizes the image.
	Check(ctx context.Context, image wire.Image) (code types.StateReasonCode, reason string)
}

// Invoker runs functions.
type Invoker interface {
	Invoke(ctx context.Context, req wire.Invocation) wire.InvocationResult
	Forget(key string)
}

// Options are what a Store stands on.
type Options struct {
	Objects *objects.Store
	Images  Images
	Invoker Invoker
	Buckets Buckets
	Host    func() string // the registry's "localhost:PORT"
	Now     func() time.Time
	// Delay is how long Pending, InProgress, Creating and IN_PROGRESS last.
	Delay time.Duration
	// Lag is how long reads go on missing a new function and finding a deleted one.
	Lag time.Duration
}

// Buckets is where code may lie; nil has none. An error is an *s3.Error.
type Buckets interface {
	Read(account, region, bucket, key, version string) ([]byte, error)
	Write(account, region, bucket, key string, data []byte, now time.Time) error
}

// Store is Lambda, in every account and region. It is safe for concurrent use.
//
// Values behind pointers, slices and maps of the SDK's types never change once
// they are stored: a change replaces them. So an answer may share them.
type Store struct {
	opts Options

	mu      sync.Mutex // guards regions and everything under it; states move when they are read
	regions map[place]*region
	looks   sync.WaitGroup // looks into images under way
	events  *events.Queue  // asynchronous invocations
	life    context.Context
	stop    context.CancelFunc
}

// New makes an empty Lambda.
func New(opts Options) *Store {
	s := &Store{opts: opts, regions: map[place]*region{}}
	s.life, s.stop = context.WithCancel(context.Background())
	s.events = events.New(opts.Now, s.attempt, s.deliver)
	return s
}

// Close lets looks into images come to their end, and cuts asynchronous
// invocations off; they stay in the queue.
func (s *Store) Close() {
	s.looks.Wait()
	s.stop()
	s.events.Close()
}

type place struct{ account, region string }

// region is one account's Lambda in one region. Its exported fields are what is saved.
type region struct {
	Account, Region string
	Functions       map[string]*function
	Layers          map[string]*layer
	Mappings        map[string]*mapping // by UUID
	CodeSigning     map[string]*types.CodeSigningConfig
	SigningTags     map[string]map[string]string
	// Issued holds the last version number given out per function name; it
	// survives the function, because numbers are never used twice.
	Issued map[string]int

	running int      // invocations under way that no function has reserved
	names   []string // of the functions, sorted; nil when it must be made again
	past    map[string]past
}

// past is how reads go on seeing a function for a while; nil is not at all.
type past struct {
	function *function
	until    time.Time
}

// remember keeps what reads see of a function that is about to come or go.
func (s *Store) remember(r *region, name string) {
	if s.opts.Lag <= 0 {
		return
	}
	if r.past == nil {
		r.past = map[string]past{}
	}
	r.past[name] = past{r.Functions[name], s.opts.Now().Add(s.opts.Lag)}
}

// function is what an operation sees under a name, nil when there is none. The
// caller holds s.mu.
func (s *Store) function(c wire.Call, r *region, name string) *function {
	if p, ok := r.past[name]; ok && (strings.HasPrefix(c.Operation, "Get") || strings.HasPrefix(c.Operation, "List")) {
		if s.opts.Now().Before(p.until) {
			return p.function
		}
		delete(r.past, name)
	}
	return r.Functions[name]
}

// function is one function with all its versions and attachments.
type function struct {
	Name     string
	Latest   *version
	Versions []*version // published, by number
	Aliases  map[string]*types.AliasConfiguration
	Policies map[string]*policy // by qualifier; "" is the unqualified function
	Tags     map[string]string
	Reserved *int32
	// By qualifier: version number or alias; Async, Runtimes and URLs also "$LATEST".
	Provisioned map[string]*provisioned
	Async       map[string]*types.FunctionEventInvokeConfig
	URLs        map[string]*types.FunctionUrlConfig
	Runtimes    map[string]*runtimeManagement
	CodeSigning string // ARN; "" is none
	// Published is the fingerprint of $LATEST when PublishedAs was made of it.
	Published, PublishedAs string

	running   int // invocations under way
	Recursion types.RecursiveLoop
}

// version is $LATEST or a published version.
type version struct {
	// Config is what AWS answers when nothing is under way, State and
	// LastUpdateStatus included.
	Config types.FunctionConfiguration
	Object string      // SHA-256 of the zip; "" for an image
	Image  *wire.Image // for an image
	Layers []string    // SHA-256 of each layer's archive: the copy a function keeps
	Change *change     // under way; nil when settled
	Used   time.Time   // last invoked or made ready
	Build  string      // changes with the code or configuration
	Prior  *version    // what answers invocations while an update is under way
}

// runtimeManagement is a runtime update mode.
type runtimeManagement struct {
	Mode types.UpdateRuntimeOn
	ARN  *string
}

// in returns the caller's region. The caller holds s.mu.
func (s *Store) in(c wire.Call) *region {
	p := place{c.Account, c.Region}
	r := s.regions[p]
	if r == nil {
		r = &region{Account: c.Account, Region: c.Region}
		r.fill()
		s.regions[p] = r
	}
	return r
}

// fill makes the maps that a new or loaded region lacks.
func (r *region) fill() {
	if r.Functions == nil {
		r.Functions = map[string]*function{}
	}
	if r.Layers == nil {
		r.Layers = map[string]*layer{}
	}
	if r.Mappings == nil {
		r.Mappings = map[string]*mapping{}
	}
	if r.CodeSigning == nil {
		r.CodeSigning = map[string]*types.CodeSigningConfig{}
	}
	if r.SigningTags == nil {
		r.SigningTags = map[string]map[string]string{}
	}
	if r.Issued == nil {
		r.Issued = map[string]int{}
	}
}

// sorted lists the region's functions by name.
func (r *region) sorted() []string {
	if r.names == nil {
		r.names = slices.Sorted(maps.Keys(r.Functions))
	}
	return r.names
}

// all is $LATEST and the published versions.
func (f *function) all() []*version {
	return append([]*version{f.Latest}, f.Versions...)
}

// number finds a published version.
func (f *function) number(n string) *version {
	i := slices.IndexFunc(f.Versions, func(v *version) bool { return *v.Config.Version == n })
	if i < 0 {
		return nil
	}
	return f.Versions[i]
}

// uuid makes a random UUID, version 4.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ptr is &v.
func ptr[T any](v T) *T { return &v }

// val is *p, or the zero value.
func val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// keys lists a map's keys in order.
func keys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
