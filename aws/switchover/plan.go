package switchover

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/optlift/optlift/aws/session"
)

// Strategy is how a function is switched.
type Strategy string

// The strategies; see the design of each in its own file.
const (
	Replace Strategy = "replace" // same name: delete and create again
	Beside  Strategy = "beside"  // a new function, triggers moved over
	Refresh Strategy = "refresh" // an image function gets a new image
	// Rehearse builds the image, tries it under a temporary name and changes nothing.
	Rehearse Strategy = "rehearse"
)

// Choices are what the user decided.
type Choices struct {
	Strategy   Strategy `json:"strategy"`             // "" is Replace
	Repository string   `json:"repository,omitempty"` // ECR repository name; "" is the function's name in lower case
	Base       string   `json:"base,omitempty"`       // "" picks by runtime
	Accept     []string `json:"accept,omitempty"`     // ids of warnings or blockers the user accepts by name
	Events     []string `json:"events,omitempty"`     // files with events for the rehearsal
	// Terraform says, in words for people, what of whose configuration the function
	// is; "" where nobody has said that Terraform keeps it. AWS can't tell.
	Terraform string `json:"terraform,omitempty"`
	// Ignore are paths in answers that may differ in a rehearsal, such as $.requestId
	// or $.items[*].at.
	Ignore []string `json:"ignore,omitempty"`
	// Bucket is NAME or NAME/PREFIX of an S3 bucket of the function's region, for the
	// way back of zips that are too large for a call.
	Bucket string `json:"bucket,omitempty"`
	// LayerImages are images that layers' files are taken from, by the ARN of the
	// layer version; the other layers come from their zips. See layerImages.
	LayerImages map[string]string `json:"layerImages,omitempty"`
	// Origin is set for a refresh: what the new image is made from.
	Origin *Origin `json:"origin,omitempty"`
}

// Action is what a step does to its target, in terraform's sense.
type Action string

// The actions of steps.
const (
	Create Action = "create"
	Delete Action = "delete"
	Change Action = "change"
	Keep   Action = "keep"
)

// Step is one thing that will be done.
type Step struct {
	ID     string `json:"id"` // stable: "create-function", "alias:live"
	Action Action `json:"action"`
	Call   string `json:"call"`   // API operation, or "local" for work on this machine
	Target string `json:"target"` // ARN, UUID, reference
	Undo   string `json:"undo"`   // what takes it back, "" when nothing needs to
	// NoReturn says that before this step nobody has noticed, and from it on callers do.
	NoReturn bool `json:"noReturn,omitempty"`
}

// Plan is an ordered list of steps and what stands against it. It holds no
// secret and can be printed and saved.
type Plan struct {
	Schema     int      `json:"schema"`
	Function   string   `json:"function"`
	ARN        string   `json:"arn"`
	Strategy   Strategy `json:"strategy"`
	RevisionID string   `json:"revisionId"` // of the function it was made for
	CodeSHA256 string   `json:"codeSha256"`
	Blockers   []Notice `json:"blockers"`
	Warnings   []Notice `json:"warnings"`
	Lost       []Notice `json:"lost"`
	Notes      []Notice `json:"notes"` // good to know; nothing to accept
	Steps      []Step   `json:"steps"`
	Choices    Choices  `json:"choices"` // it was made with
}

// PlanFor makes the plan; it asks nobody and changes nothing.
func PlanFor(snap *Snapshot, c Choices) *Plan {
	c = c.withDefaults()
	found := preflight(snap, c)
	p := &Plan{
		Schema: 1, Function: snap.Function, ARN: snap.ARN, Strategy: c.Strategy,
		RevisionID: snap.RevisionID, CodeSHA256: snap.CodeSHA256, Choices: c,
		Blockers: list(found.blockers), Warnings: list(found.warnings), Lost: list(found.lost), Notes: list(found.notes), Steps: []Step{},
	}
	tasks, err := tasksFor(snap, c)
	if err != nil {
		p.Blockers = append(p.Blockers, Notice{"snapshot", session.Clean(err.Error())})
	}
	for _, t := range tasks {
		p.Steps = append(p.Steps, t.Step)
	}
	return p
}

func (c Choices) withDefaults() Choices {
	if c.Strategy == "" {
		c.Strategy = Replace
	}
	return c
}

// Matches refuses a plan that was made for another state of the function than
// the one captured.
func (p *Plan) Matches(snap *Snapshot) error {
	switch {
	case p.ARN != snap.ARN:
		return fmt.Errorf("the plan is for %s, not for %s", session.Clean(p.ARN), snap.ARN)
	case p.RevisionID != snap.RevisionID || p.CodeSHA256 != snap.CodeSHA256:
		return fmt.Errorf("function %s was changed since the plan was made: nothing was changed; make a new plan", snap.Function)
	}
	return nil
}

// list keeps an empty list from becoming null in JSON.
func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

// planSchema is the version of the saved form.
const planSchema = 1

// Save writes the plan to file, owner-only; the file appears whole or not at all.
func (p *Plan) Save(file string) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	if err := WriteWhole(file, append(data, '\n')); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	return nil
}

// LoadPlan reads a plan that Save wrote.
func LoadPlan(file string) (*Plan, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("load the plan: %w", err)
	}
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("load the plan %s: %w", file, err)
	}
	if p.Schema != planSchema || p.Function == "" || p.RevisionID == "" {
		return nil, fmt.Errorf("load the plan %s: not a plan that this version wrote", file)
	}
	return &p, nil
}

// WriteWhole writes data to file, owner-only and synced, through a temporary file
// beside it.
func WriteWhole(file string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once renamed
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Sync(); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
