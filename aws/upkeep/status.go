package upkeep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sync/errgroup"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/image"
)

// Report is the status of migrated functions. A list is never null.
type Report struct {
	Schema    int        `json:"schema"`
	Account   string     `json:"account"`
	Regions   []string   `json:"regions"`
	Functions []Function `json:"functions"` // by region and name
	// Errors are regions that could not be listed and functions that could not be
	// looked at, so that whether they were migrated is not known.
	Errors []Unread `json:"errors"`
}

// Unread is what could not be looked at.
type Unread struct {
	Region   string `json:"region"`
	Function string `json:"function,omitempty"`
	Message  string `json:"message"`
}

// Function is the status of one migrated function.
type Function struct {
	Function string `json:"function"`
	Region   string `json:"region"`
	ARN      string `json:"arn"`
	Image    string `json:"image"` // pinned by digest
	// Journal is the migration or refresh that made the image; "" when none of
	// this machine's did. Tag is the migration that the function's tag names.
	Journal string     `json:"journal,omitempty"`
	Tag     string     `json:"migration,omitempty"`
	Made    *time.Time `json:"made,omitempty"` // when Journal began

	Base     Base     `json:"base"`
	Registry Look     `json:"registry"`  // "present", "absent" or why that is not known
	Expiry   Expiring `json:"lifecycle"` // "none", "safe", "at-risk" or why that is not known
	Backup   Backup   `json:"backup"`    // "present", "verified", "broken", "absent"
}

// Look is a state and, for people, what is behind it.
type Look struct {
	State   string `json:"state"`
	Message string `json:"message,omitempty"`
}

// Base is the image that the function's image was built on. State is "current",
// "newer" (there is a newer one) or why that is not known.
type Base struct {
	Look
	Reference     string     `json:"reference,omitempty"`
	Digest        string     `json:"digest,omitempty"`
	Newest        string     `json:"newest,omitempty"`        // digest
	NewestCreated *time.Time `json:"newestCreated,omitempty"` // where the image says so
	// Age is how long ago the function's image was built on its base, in seconds.
	Age int64 `json:"ageSeconds,omitempty"`
}

// Expiring is what a lifecycle policy does to the function's image.
type Expiring struct {
	Look
	At *time.Time `json:"at,omitempty"` // when a rule of age takes it away
}

// Backup is the way back to the Zip function.
type Backup struct {
	Look
	// Until is when AWS stops creating Zip functions of the runtime, after which
	// the backup is of no use; not set where no date is known.
	Until *time.Time `json:"until,omitempty"`
}

// lookers is how many functions are looked at at once.
const lookers = 8

// Status looks at the migrated functions of the session's regions, or at one by
// name or ARN. With verify the archives of the backups are read and held against
// their SHA-256; else it is enough that they are there.
func (k *Keeper) Status(ctx context.Context, one string, verify bool) (*Report, error) {
	r := &Report{Schema: 1, Account: k.config.Session.Account, Regions: k.config.Session.Regions, Functions: []Function{}, Errors: []Unread{}}
	if one != "" {
		return r, k.statusOf(ctx, r, one, verify)
	}
	for _, region := range r.Regions {
		if err := k.region(ctx, r, region, verify); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (k *Keeper) statusOf(ctx context.Context, r *Report, name string, verify bool) error {
	_, got, err := account.Lookup(ctx, k.config.Session, name)
	if err != nil {
		return err
	}
	region := account.RegionOfARN(aws.ToString(got.Configuration.FunctionArn))
	f, err := k.read(region, got)
	switch {
	case err != nil:
		return err
	case f == nil:
		return fmt.Errorf("function %s is no container image: optlift migrate makes it one", name)
	case f.made == nil && f.tag == "":
		return fmt.Errorf("function %s is a container image that optlift did not make", name)
	}
	r.Functions = append(r.Functions, k.look(ctx, f, verify))
	return ctx.Err()
}

// region adds the migrated functions of one region.
func (k *Keeper) region(ctx context.Context, r *Report, region string, verify bool) error {
	api := k.config.Session.Lambda(region)
	g, work := errgroup.WithContext(ctx)
	g.SetLimit(lookers)
	var mu sync.Mutex
	found := []Function{}
	pages := lambda.NewListFunctionsPaginator(api, &lambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			mu.Lock()
			r.Errors = append(r.Errors, Unread{Region: region, Message: explain(err)})
			mu.Unlock()
			break
		}
		for _, c := range page.Functions {
			if c.PackageType != types.PackageTypeImage {
				continue
			}
			g.Go(func() error {
				got, err := api.GetFunction(work, &lambda.GetFunctionInput{FunctionName: c.FunctionName})
				var f *function
				if err == nil {
					f, err = k.read(region, got)
				}
				var status Function
				ours := f != nil && (f.made != nil || f.tag != "")
				if ours {
					status = k.look(work, f, verify)
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case work.Err() != nil:
					return work.Err()
				case err != nil:
					r.Errors = append(r.Errors, Unread{Region: region, Function: session.Clean(aws.ToString(c.FunctionName)), Message: explain(err)})
				case ours:
					found = append(found, status)
				}
				return nil
			})
		}
	}
	if err := errors.Join(g.Wait(), ctx.Err()); err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b Function) int { return cmp.Compare(a.Function, b.Function) })
	r.Functions = append(r.Functions, found...)
	return nil
}

// look looks at everything that one function stands on.
func (k *Keeper) look(ctx context.Context, f *function, verify bool) Function {
	s := Function{Function: session.Clean(f.name), Region: f.region, ARN: f.arn, Image: f.image, Tag: session.Clean(f.tag)}
	if f.made != nil {
		s.Journal, s.Made = f.made.Entry.ID, &f.made.Entry.Started
	}
	s.Base = k.base(ctx, f)
	s.Registry, s.Expiry = k.stored(ctx, f)
	s.Backup = k.backup(f, verify)
	return s
}

// base compares the base that the image names with the one that its name means
// today.
func (k *Keeper) base(ctx context.Context, f *function) Base {
	labels, err := k.labels(ctx, f)
	if err != nil {
		return Base{Look: Look{stateOf(err), explain(err)}}
	}
	b := Base{Reference: session.Clean(labels[image.LabelBaseName]), Digest: session.Clean(labels[image.LabelBaseDigest])}
	reference := b.Reference
	if f.made != nil {
		b.Age = int64(time.Since(f.made.Entry.Started).Seconds())
		// The base's registry may have another address by now.
		if now, err := image.BaseReference(f.made.Choices.Base, cmp.Or(f.made.Origin.Runtime, labels[image.LabelRuntime]), k.config.BaseRegistry); err == nil {
			reference = now
		}
	}
	if reference == "" || b.Digest == "" {
		b.Look = Look{Unknown, "the image does not say what it was built on"}
		return b
	}
	newest := k.newest(ctx, f.region, reference, f.architecture)
	if newest.err != nil {
		b.Look = Look{stateOf(newest.err), explain(newest.err)}
		return b
	}
	b.Newest = newest.digest
	if newest.created.Unix() > 0 { // reproducible images say 1970
		b.NewestCreated = &newest.created
	}
	b.State = "current"
	if b.Newest != b.Digest {
		b.Look = Look{"newer", "optlift refresh " + session.Clean(f.name) + " builds on it"}
	}
	return b
}

// stored asks ECR for the image and for what will become of it.
func (k *Keeper) stored(ctx context.Context, f *function) (Look, Expiring) {
	client := registry.New(k.config.Session, f.region)
	img, found, err := client.Image(ctx, f.repository(), f.digest())
	switch {
	case err != nil:
		l := Look{stateOf(err), explain(err)}
		return l, Expiring{Look: l}
	case !found:
		return Look{"absent", "Lambda runs a copy of its own, and fails for good when it has to load the image again: refresh the function"},
			Expiring{Look: Look{Unknown, "the image is gone already"}}
	}
	present := Look{State: "present"}
	repo, found, err := client.Look(ctx, f.repository())
	switch {
	case err != nil:
		return present, Expiring{Look: Look{stateOf(err), explain(err)}}
	case !found:
		return present, Expiring{Look: Look{Unknown, "the repository is gone"}}
	case repo.LifecycleError != "":
		l := Look{Failed, session.Clean(repo.LifecycleError)}
		if repo.LifecycleDenied {
			l.State = Denied
		}
		return present, Expiring{Look: l}
	case repo.Lifecycle == "":
		return present, Expiring{Look: Look{State: string(registry.NoPolicy)}}
	}
	all, err := client.Images(ctx, f.repository())
	if err != nil {
		return present, Expiring{Look: Look{stateOf(err), explain(err)}}
	}
	e := registry.OutlookOf(repo.Lifecycle, img, all)
	out := Expiring{Look: Look{string(e.Risk), session.Clean(e.Message)}}
	if !e.At.IsZero() {
		out.At = &e.At
	}
	return present, out
}

// backup looks for the way back: that of the migration, however often its image
// was refreshed since.
func (k *Keeper) backup(f *function, verify bool) Backup {
	if f.made == nil {
		return Backup{Look: Look{"absent", "the journal of migration " + session.Clean(f.tag) + " is not on this machine"}}
	}
	migration := cmp.Or(f.made.Origin.Migration, f.made.Entry.ID)
	made, err := switchover.ReadMade(k.config.StateDir, migration)
	if err != nil {
		return Backup{Look: Look{"absent", explain(err)}}
	}
	b := Backup{Look: Look{State: "present"}}
	if err := switchover.CheckBackup(k.config.StateDir, migration, verify); err != nil {
		b.Look = Look{"broken", explain(err)}
	} else if verify {
		b.State = "verified"
	}
	if r, known := image.RuntimeFor(made.Origin.Runtime); known && !r.Deprecated.IsZero() {
		b.Until = &r.Deprecated
	}
	return b
}
