package fleet

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/optlift/optlift/aws/switchover"
)

// fleetDir, below the state directory, holds ID.jsonl of each fleet.
const fleetDir = "fleets"

var fleetID = regexp.MustCompile(`^fleet-[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$`)

// IsID tells the id of a fleet from that of a migration.
func IsID(id string) bool { return fleetID.MatchString(id) }

// newID is unique and sorts by time.
func newID(now time.Time) string {
	var random [3]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	return "fleet-" + now.UTC().Format("20060102-150405") + "-" + hex.EncodeToString(random[:])
}

// Entry is one fleet in the journal.
type Entry struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Started time.Time `json:"started"`
	// State is as in Report, or "running" while a process works on it. A run that
	// was killed left no end behind: it counts as "stopped".
	State     string    `json:"state"`
	Where     string    `json:"where,omitempty"`
	Functions []Outcome `json:"functions"`

	plan *Plan
	mode string
}

// Confirmation is what a user types to confirm a resume or a rollback.
func (e *Entry) Confirmation() string {
	ready := 0
	for _, o := range e.Functions {
		if o.State != Blocked {
			ready++
		}
	}
	return confirmation(ready, e.Account)
}

// record is one line of a fleet's journal.
type record struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // "start", "run", "function", "end"
	ID   string    `json:"id,omitempty"`
	Plan *Plan     `json:"plan,omitempty"`
	Mode string    `json:"mode,omitempty"`
	// Outcome is how one function ended in this run.
	Outcome *Outcome `json:"outcome,omitempty"`
	State   string   `json:"state,omitempty"`
}

// The modes of a run.
const (
	forward  = "apply"
	backward = "rollback"
)

// journal is a fleet's file, open for appending.
type journal struct {
	mu   sync.Mutex
	file *os.File
}

// createJournal keeps the plan on disk before anything is changed.
func createJournal(stateDir, id string, p *Plan) (*journal, error) {
	dir := filepath.Join(stateDir, fleetDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep the fleet's journal: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, id+".jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep the fleet's journal: %w", err)
	}
	j := &journal{file: file}
	if err := j.write(record{Kind: "start", ID: id, Plan: p}); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := switchover.SyncDir(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("keep the fleet's journal: %w", err), file.Close())
	}
	return j, nil
}

// openJournal opens a journal for appending, after what a crash left of its last
// line was cut off.
func openJournal(stateDir, id string) (*journal, error) {
	name := filepath.Join(stateDir, fleetDir, id+".jsonl")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("open the fleet's journal: %w", err)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the fleet's journal: %w", err)
	}
	if err := file.Truncate(int64(bytes.LastIndexByte(data, '\n') + 1)); err != nil {
		return nil, errors.Join(fmt.Errorf("repair the last line of the fleet's journal: %w", err), file.Close())
	}
	return &journal{file: file}, nil
}

// write appends one line and waits until it is on disk.
func (j *journal) write(r record) error {
	r.At = time.Now().UTC()
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the fleet's journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the fleet's journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("write the fleet's journal: %w", err)
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// Read returns one fleet. It holds no secret.
func Read(stateDir, id string) (*Entry, error) {
	if !IsID(id) {
		return nil, fmt.Errorf("%q is not the id of a fleet: see optlift journal", strings.ToValidUTF8(id, ""))
	}
	name := filepath.Join(stateDir, fleetDir, id+".jsonl")
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("no fleet %s was switched from this machine: see optlift journal", id)
	case err != nil:
		return nil, fmt.Errorf("read the fleet's journal: %w", err)
	}
	e := &Entry{}
	known := map[string]Outcome{}
	for i, line := range bytes.Split(data[:bytes.LastIndexByte(data, '\n')+1], []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("read the journal %s: line %d: %w", name, i+1, err)
		}
		switch r.Kind {
		case "start":
			e.ID, e.Started, e.plan = r.ID, r.At, r.Plan
		case "run":
			e.mode, e.State = r.Mode, ""
		case "function":
			known[r.Outcome.key()] = *r.Outcome
		case "end":
			e.State = r.State
		}
	}
	if e.ID != id || e.plan == nil {
		return nil, fmt.Errorf("read the journal %s: it has no beginning", name)
	}
	e.Account, e.Where = e.plan.Account, e.plan.Where
	if e.State == "" {
		e.State = switchover.StateStopped
		if switchover.Locked(stateDir, id) {
			e.State = switchover.StateRunning
		}
	}
	if e.Functions, err = outcomes(stateDir, id, e.plan, known); err != nil {
		return nil, err
	}
	return e, nil
}

// outcomes says where every function of a plan stands: what its own journal says,
// and what the fleet's knows besides.
func outcomes(stateDir, id string, p *Plan, known map[string]Outcome) ([]Outcome, error) {
	entries, err := switchover.Journals(stateDir)
	if err != nil {
		return nil, err
	}
	journals := map[string]switchover.Entry{}
	for _, e := range entries { // newest first
		key := Function{e.Function, e.Region}.key()
		if _, found := journals[key]; !found && e.Fleet == id {
			journals[key] = e
		}
	}
	out := make([]Outcome, 0, len(p.Members))
	for _, m := range p.Members {
		if !m.Ready() {
			b := m.Blockers()[0]
			out = append(out, Outcome{Function: m.Function, State: Blocked, Message: b.ID + ": " + b.Message})
			continue
		}
		o, found := known[m.key()]
		if !found {
			o = Outcome{Function: m.Function, State: Waiting}
		}
		if e, begun := journals[m.key()]; begun {
			if o.State != e.State {
				o.Message = ""
			}
			o.State, o.Journal = e.State, e.ID
		}
		out = append(out, o)
	}
	for w, wave := range p.Waves() {
		for _, m := range wave {
			i := slices.IndexFunc(out, func(o Outcome) bool { return o.Function == m.Function })
			out[i].Wave = w + 1
		}
	}
	return out, nil
}

// List lists the fleets kept in stateDir, newest first.
func List(stateDir string) ([]Entry, error) {
	files, err := os.ReadDir(filepath.Join(stateDir, fleetDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the fleets: %w", err)
	}
	entries := []Entry{}
	var broken []error
	for _, f := range files {
		id, ok := strings.CutSuffix(f.Name(), ".jsonl")
		if !ok || !IsID(id) {
			continue
		}
		e, err := Read(stateDir, id)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		entries = append(entries, *e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(b.ID, a.ID) })
	return entries, errors.Join(broken...)
}
