package ecr

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"

	"github.com/optlift/optlift/aws/emulator/oci"
	"github.com/optlift/optlift/aws/emulator/oci/bases"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// Options describe the service.
type Options struct {
	Dir     string // for blobs; "" is a temporary directory that Close removes
	Account string // the home account, 12 digits
	Region  string // the home region
	// Host is the registry's "localhost:PORT", asked for whenever it is needed.
	Host func() string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Service is ECR. It is safe for concurrent use.
type Service struct {
	home       home
	host       func() string
	oci        *oci.Registry
	operations map[string]operation

	mu       sync.RWMutex
	repos    map[string]*repository // by path below the registry's host
	settings map[home]map[string]string
}

// home is a registry: one account in one region.
type home struct{ Account, Region string }

// repository is what ECR knows of a repository beside its content. Its fields
// are guarded by the service's lock.
type repository struct {
	Home       home
	Name       string
	ARN        string
	Created    time.Time
	Mutability types.ImageTagMutability
	Exclusions []types.ImageTagMutabilityExclusionFilter
	ScanOnPush bool
	Encryption types.EncryptionConfiguration
	Tags       map[string]string
	Policy     string // "" is none
	Lifecycle  string // "" is none
}

// New opens the service and publishes the base images.
func New(opts Options) (*Service, error) {
	s := &Service{
		home: home{opts.Account, opts.Region}, host: opts.Host,
		repos: map[string]*repository{}, settings: map[home]map[string]string{},
	}
	registry, err := oci.New(oci.Options{Dir: opts.Dir, Account: opts.Account, Now: opts.Now, MayMount: s.mayMount})
	if err != nil {
		return nil, err
	}
	if err := bases.Publish(registry); err != nil {
		return nil, errors.Join(fmt.Errorf("publish the base images: %w", err), registry.Close())
	}
	s.oci = registry
	s.operations = s.table()
	return s, nil
}

// Close ends running uploads and removes a temporary directory.
func (s *Service) Close() error { return s.oci.Close() }

// ServeHTTP serves the registry under /v2/.
func (s *Service) ServeHTTP(w http.ResponseWriter, req *http.Request) { s.oci.ServeHTTP(w, req) }

// Registry is the registry below.
func (s *Service) Registry() *oci.Registry { return s.oci }

// Host is the registry's "localhost:PORT".
func (s *Service) Host() string { return s.host() }

// operation is one call of the API.
type operation func(ctx context.Context, call wire.Call, body []byte) ([]byte, error)

// handle fits a typed function to the wire.
func handle[I, O any](in, out *smithy.Schema, f func(wire.Call, *I) (*O, error)) operation {
	return func(_ context.Context, call wire.Call, body []byte) ([]byte, error) {
		var input I
		if err := wire.Unmarshal(in, body, &input); err != nil {
			return nil, err
		}
		output, err := f(call, &input)
		if err != nil {
			return nil, err
		}
		return wire.Marshal(out, output)
	}
}

// Call answers one operation of the API.
func (s *Service) Call(ctx context.Context, call wire.Call, body []byte) ([]byte, error) {
	op, ok := s.operations[call.Operation]
	if !ok {
		return nil, wire.Errorf(400, "UnknownOperationException", "The embedded account has no ECR operation %s.", call.Operation)
	}
	return op(ctx, call, body)
}

// path is where a repository lies below the registry's host.
func (s *Service) path(h home, name string) string {
	switch {
	case h == s.home:
		return name
	case h.Account == s.home.Account:
		return h.Region + "/" + name
	}
	return h.Account + "/" + h.Region + "/" + name
}

// find looks a repository up. registryID, which may be nil, names another account.
// The caller holds the lock.
func (s *Service) find(call wire.Call, registryID, name *string) (*repository, string, error) {
	h := home{call.Account, call.Region}
	if registryID != nil {
		h.Account = *registryID
	}
	if name == nil || *name == "" {
		return nil, "", invalid("repositoryName", "must not be null")
	}
	path := s.path(h, *name)
	repo := s.repos[path]
	if repo == nil {
		return nil, "", wire.Errorf(400, "RepositoryNotFoundException",
			"The repository with name '%s' does not exist in the registry with id '%s'", *name, h.Account)
	}
	return repo, path, nil
}

// invalid has the form of ECR's validation messages.
func invalid(parameter, format string, args ...any) *wire.Error {
	return wire.Errorf(400, "InvalidParameterException",
		"Invalid parameter at '%s' failed to satisfy constraint: '%s'", parameter, fmt.Sprintf(format, args...))
}

func (s *Service) uri(path string) string { return s.host() + "/" + path }

func (s *Service) mayMount(from, to string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	source, target := s.repos[from], s.repos[to]
	return source != nil && target != nil && source.Home == target.Home &&
		source.Encryption.EncryptionType == target.Encryption.EncryptionType &&
		s.settings[source.Home][blobMounting] == "ENABLED"
}

// Found is a repository as Lambda sees it.
type Found struct {
	Path    string // below the registry's host, and its name for the registry below
	Account string
	Region  string
	Policy  string
}

// At returns the repository at a path below the registry's host.
func (s *Service) At(path string) (Found, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	repo := s.repos[path]
	if repo == nil {
		return Found{}, false
	}
	return Found{Path: path, Account: repo.Home.Account, Region: repo.Home.Region, Policy: repo.Policy}, true
}

// Path is where the registry keeps the repository of an account and region.
func (s *Service) Path(account, region, name string) string {
	return s.path(home{account, region}, name)
}

// SetPolicy replaces a repository's policy, as Lambda does when it adds its own
// statement. It reports false when there is no such repository.
func (s *Service) SetPolicy(path, policy string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.repos[path]
	if repo != nil {
		repo.Policy = policy
	}
	return repo != nil
}
