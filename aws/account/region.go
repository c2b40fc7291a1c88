package account

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/account/answers"
	"github.com/optlift/optlift/aws/session"
)

// place is a region of an audit.
type place struct {
	name   string
	client *lambda.Client
	slots  chan struct{} // for layers: each region has its own rate
	book   *answers.Book
	// newestOld is set where the newest versions were told from an earlier
	// answer; read when the audit is over.
	newestOld bool
}

func (r *run) place(region string) *place {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.places[region]
	if p == nil {
		p = &place{name: region, client: r.session.Lambda(region), slots: make(chan struct{}, layersAtOnce)}
		p.book = r.openBook(p)
		r.places[region] = p
	}
	return p
}

// region lists one region and starts measuring what it finds.
func (r *run) region(ctx context.Context, p *place, events chan<- Event) {
	pages := lambda.NewListFunctionsPaginator(p.client, &lambda.ListFunctionsInput{}, func(o *lambda.ListFunctionsPaginatorOptions) {
		o.StopOnDuplicateToken = true
	})
	seen, layers := map[string]bool{}, map[string]bool{}
	own, whole := false, true
	// Functions of which earlier answers tell something wait until it is known
	// whether there are few enough to ask for all of them again.
	var held []*Function
	decided, trust := false, false
	start := func(f *Function) {
		trust := trust
		for _, l := range f.Layers {
			r.layer(ctx, p, l, trust)
		}
		r.work.Go(func() {
			facts := r.measure(ctx, f, nil, trust)
			if ctx.Err() == nil {
				events <- Event{Facts: facts.light()}
			}
		})
	}
	decide := func(t bool) {
		if decided {
			return
		}
		decided, trust = true, t
		for _, f := range held {
			start(f)
		}
		held = nil
	}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if ctx.Err() == nil {
				events <- Event{Region: &RegionError{Region: p.name, Message: session.Explain(fmt.Errorf("list functions: %w", err))}}
			}
			whole = false
			break
		}
		for i := range page.Functions {
			f := FromConfiguration(&page.Functions[i])
			// A function that is created while pages are turned may come twice.
			if seen[f.ARN] {
				continue
			}
			seen[f.ARN] = true
			f.Region = p.name
			for _, l := range f.Layers {
				layers[l.ARN] = true
				own = own || OwnerOfLayer(l.ARN) == r.session.Account
			}
			events <- Event{Listed: &f}
			if !decided && r.knows(p, &f) {
				held = append(held, &f)
			} else {
				start(&f)
			}
		}
		events <- Event{Listing: &Listing{Region: p.name, Found: len(seen)}}
		if len(seen) > alwaysFunctions || len(layers) > alwaysLayers {
			decide(true)
		}
	}
	decide(false)
	if own && !r.layersOnly && ctx.Err() == nil {
		r.work.Go(func() { r.newest(ctx, p, events, trust) })
	}
	if whole && ctx.Err() == nil {
		p.book.Retain(func(arn string) bool { return seen[arn] }, func(arn string) bool { return layers[arn] })
	}
	events <- Event{Listing: &Listing{Region: p.name, Found: len(seen), Done: true}}
}

// NewestLayers tells the newest versions of the layers that the account itself
// publishes in a region. Those of other accounts can't be asked for: a layer's
// policy may grant GetLayerVersion, and nothing that lists.
type NewestLayers struct {
	Account  string
	Region   string
	Versions map[string]int64 // by the layer's ARN without a version; nil unless State is OK
	State    State
	Message  string    // why State is not OK
	Asked    time.Time // by an earlier run; zero where this one did
}

// newest asks for the newest versions of the account's own layers: 50 layers a
// call, of the rate that layers share.
func (r *run) newest(ctx context.Context, p *place, events chan<- Event, trust bool) {
	if known := p.book.Newest(); trust && known != nil && r.young(known.Asked) {
		p.newestOld = true
		events <- Event{Newest: &NewestLayers{Account: r.session.Account, Region: p.name, Versions: known.Versions, State: OK, Asked: known.Asked}}
		return
	}
	asked := r.now().UTC()
	pages := lambda.NewListLayersPaginator(p.client, &lambda.ListLayersInput{}, func(o *lambda.ListLayersPaginatorOptions) {
		o.StopOnDuplicateToken = true
	})
	versions := map[string]int64{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if ctx.Err() == nil {
				p.book.PutNewest(nil)
				events <- Event{Newest: &NewestLayers{Account: r.session.Account, Region: p.name, State: StateOf(err), Message: session.Explain(fmt.Errorf("list layers: %w", err))}}
			}
			return
		}
		for _, l := range page.Layers {
			if l.LatestMatchingVersion != nil {
				versions[aws.ToString(l.LayerArn)] = l.LatestMatchingVersion.Version
			}
		}
	}
	p.book.PutNewest(&answers.Newest{Versions: versions, Asked: asked})
	events <- Event{Newest: &NewestLayers{Account: r.session.Account, Region: p.name, Versions: versions, State: OK}}
}
