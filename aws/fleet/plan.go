package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// PlanSchema is the version of a Plan's JSON. Fields may be added to it.
const PlanSchema = 1

// Plan is what Run will do. It holds no secret and can be printed and saved.
type Plan struct {
	Schema  int                `json:"schema"`
	Account string             `json:"account"`
	Where   string             `json:"where,omitempty"`
	Wave    int                `json:"wave"` // functions at once
	Choices switchover.Choices `json:"choices"`
	Members []Member           `json:"functions"`
}

// Counts are how many functions will be switched, are blocked, and are container
// images already.
func (p *Plan) Counts() (ready, blocked, images int) {
	for i := range p.Members {
		switch m := &p.Members[i]; {
		case m.Ready():
			ready++
		case m.IsImage():
			images++
		default:
			blocked++
		}
	}
	return ready, blocked, images
}

// Member is one function of a plan.
type Member struct {
	Function
	// Plan is nil where the function could not be read; Problem says why.
	Plan    *switchover.Plan `json:"plan,omitempty"`
	Problem string           `json:"problem,omitempty"`
}

// alreadyImage is the blocker of a function that needs no switch.
const alreadyImage = "already-image"

// Blockers are what stands against the function's switch, unreadable being one.
func (m *Member) Blockers() []switchover.Notice {
	if m.Plan == nil {
		return []switchover.Notice{{ID: "unreadable", Message: m.Problem}}
	}
	return m.Plan.Blockers
}

// Ready reports whether the function will be switched.
func (m *Member) Ready() bool { return len(m.Blockers()) == 0 }

// IsImage reports whether the function is a container image already.
func (m *Member) IsImage() bool {
	return slices.ContainsFunc(m.Blockers(), func(n switchover.Notice) bool { return n.ID == alreadyImage })
}

// planners is how many functions are captured at once; the session's limiter is
// what keeps calls within AWS's rates.
const planners = 8

// Plan captures the functions and plans each one's switch. It changes nothing. A
// function that can't be captured is in the plan with its problem. progress,
// which may be nil, gets the number of functions planned so far, one call at a
// time.
func (f *Fleet) Plan(ctx context.Context, functions []Function, o Options, progress func(done, total int)) (*Plan, error) {
	o.Choices.Strategy = cmp.Or(o.Choices.Strategy, switchover.Replace)
	o.Choices.Repository = cmp.Or(o.Choices.Repository, DefaultRepository)
	p := &Plan{Schema: PlanSchema, Account: f.config.Session.Account, Where: o.Where, Wave: max(o.Wave, 1), Choices: o.Choices, Members: []Member{}}
	seen := map[string]bool{}
	for _, fn := range functions {
		if !seen[fn.key()] {
			seen[fn.key()] = true
			p.Members = append(p.Members, Member{Function: fn})
		}
	}
	switchers := f.switchers("")
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(planners)
	var mu sync.Mutex
	done := 0
	for i := range p.Members {
		g.Go(func() error {
			m := &p.Members[i]
			s := switchers.of(m.Region)
			snap, err := s.Capture(ctx, m.Name)
			if err == nil {
				m.Plan, err = s.Plan(ctx, snap, choicesFor(snap, o.Choices))
			}
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				m.Problem = session.Clean(session.Explain(err))
			}
			mu.Lock()
			defer mu.Unlock()
			if done++; progress != nil {
				progress(done, len(p.Members))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for arn := range o.Choices.LayerImages {
		if !slices.ContainsFunc(p.Members, func(m Member) bool { return m.Plan != nil && m.Plan.Choices.LayerImages[arn] != "" }) {
			return nil, fmt.Errorf("no function of the fleet has the layer %s, for which the image %s is named", session.Clean(arn), session.Clean(o.Choices.LayerImages[arn]))
		}
	}
	return p, nil
}

// choicesFor are the fleet's choices with the images of the function's own layers.
func choicesFor(snap *switchover.Snapshot, c switchover.Choices) switchover.Choices {
	images := map[string]string{}
	for _, a := range snap.All(snapshot.KindLayer) {
		if from := c.LayerImages[a.Name]; from != "" {
			images[a.Name] = from
		}
	}
	c.LayerImages = nil
	if len(images) > 0 {
		c.LayerImages = images
	}
	return c
}

// Ready are the functions that will be switched, in order.
func (p *Plan) Ready() []Member {
	return slices.DeleteFunc(slices.Clone(p.Members), func(m Member) bool { return !m.Ready() })
}

// Waves are the ready functions as they are switched: those of a wave at once.
func (p *Plan) Waves() [][]Member { return slices.Collect(slices.Chunk(p.Ready(), max(p.Wave, 1))) }

// Tally is a notice and the functions that have it.
type Tally struct {
	ID        string   `json:"id"`
	Message   string   `json:"message"` // of the first function
	Functions []string `json:"functions"`
}

// Unaccepted are the warnings of ready functions that Choices.Accept does not
// name, by id. A fleet with any does not run.
func (p *Plan) Unaccepted() []Tally {
	return tally(p.Ready(), func(m Member) []switchover.Notice {
		return slices.DeleteFunc(slices.Clone(m.Plan.Warnings), func(n switchover.Notice) bool { return slices.Contains(p.Choices.Accept, n.ID) })
	})
}

// Lost is what the ready functions lose, by id.
func (p *Plan) Lost() []Tally {
	return tally(p.Ready(), func(m Member) []switchover.Notice { return m.Plan.Lost })
}

func tally(members []Member, notices func(Member) []switchover.Notice) []Tally {
	out := []Tally{}
	for _, m := range members {
		for _, n := range notices(m) {
			i := slices.IndexFunc(out, func(t Tally) bool { return t.ID == n.ID })
			if i < 0 {
				i = len(out)
				out = append(out, Tally{ID: n.ID, Message: n.Message})
			}
			if !slices.Contains(out[i].Functions, m.Name) {
				out[i].Functions = append(out[i].Functions, m.Name)
			}
		}
	}
	return out
}

// Confirmation is what a user types to confirm the plan: how many functions, and
// in which account. The number guards against a filter that finds too much, the
// account against one of its twins.
func (p *Plan) Confirmation() string { return confirmation(len(p.Ready()), p.Account) }

func confirmation(ready int, account string) string { return fmt.Sprintf("%d@%s", ready, account) }

// Accept enters the id of a warning into the choices, as if the plan had been
// made with it. A blocker stays one until the functions are planned again.
func (p *Plan) Accept(id string) {
	accept := func(c *switchover.Choices) {
		if !slices.Contains(c.Accept, id) {
			c.Accept = append(slices.Clone(c.Accept), id)
		}
	}
	accept(&p.Choices)
	for i := range p.Members {
		if m := &p.Members[i]; m.Plan != nil {
			accept(&m.Plan.Choices)
		}
	}
}

// Save writes the plan to file, owner-only; the file appears whole or not at all.
func (p *Plan) Save(file string) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err == nil {
		err = switchover.WriteWhole(file, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("save the fleet's plan: %w", err)
	}
	return nil
}

// LoadPlan reads a plan that Save wrote.
func LoadPlan(file string) (*Plan, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("load the fleet's plan: %w", err)
	}
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("load the fleet's plan %s: %w", file, err)
	}
	if p.Schema != PlanSchema || p.Account == "" || len(p.Members) == 0 {
		return nil, fmt.Errorf("load the fleet's plan %s: not a plan of many functions that this version wrote", file)
	}
	return &p, nil
}
