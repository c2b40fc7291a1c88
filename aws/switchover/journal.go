package switchover

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
)

// Below the state directory lie journals/ID.jsonl, backups/ID/ and locks/.
const (
	journalDir = "journals"
	backupDir  = "backups"
	lockDir    = "locks"
)

// Entry is one migration in the journal.
type Entry struct {
	ID       string    `json:"id"`
	Function string    `json:"function"`
	Region   string    `json:"region"`
	Account  string    `json:"account"`
	Started  time.Time `json:"started"`
	// State is as in Result, or "running" while a process works on it. A run that
	// was killed left no end behind: it counts as "stopped".
	State string `json:"state"`
	// Fleet is the id of the fleet that the migration belongs to, if any.
	Fleet    string   `json:"fleet,omitempty"`
	Strategy Strategy `json:"strategy,omitempty"`
	Steps    []Event  `json:"steps,omitempty"`
}

// record is one line of a journal. Kind says which fields are set.
type record struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`

	// "start", the first line
	ID       string   `json:"id,omitempty"`
	Function string   `json:"function,omitempty"`
	ARN      string   `json:"arn,omitempty"`
	Region   string   `json:"region,omitempty"`
	Account  string   `json:"account,omitempty"`
	Choices  *Choices `json:"choices,omitempty"`
	Fleet    string   `json:"fleet,omitempty"`
	// "run": a process begins to work on it
	Mode string `json:"mode,omitempty"`
	// "step"
	Step    *Step     `json:"step,omitempty"`
	State   StepState `json:"state,omitempty"` // "step" and "end"
	Message string    `json:"message,omitempty"`
	Facts   []Fact    `json:"facts,omitempty"` // "step"
	// "before" and "after" a call that changes something
	In     string `json:"in,omitempty"` // step id
	Call   string `json:"call,omitempty"`
	Target string `json:"target,omitempty"`
	Error  string `json:"error,omitempty"`
	// "fact": what a later step needs to know
	Key   string `json:"key,omitempty"`
	Value string `json:"value,omitempty"`
}

// The modes of a run.
const (
	modeApply    = "apply"
	modeRollback = "rollback"
)

// journal is one migration's file, open for appending. Its methods may be called
// from several goroutines.
type journal struct {
	start record

	mu      sync.Mutex
	file    *os.File
	mode    string
	steps   map[string]StepState
	sent    map[string]bool // calls that have a "before", as "step call"
	facts   map[string]string
	ended   StepState
	records []record
}

var journalID = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$`)

// newJournalID is unique and sorts by time.
func newJournalID(now time.Time) string {
	var random [3]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	return now.UTC().Format("20060102-150405") + "-" + hex.EncodeToString(random[:])
}

// createJournal makes the file of a new migration, synced with its directory.
func createJournal(stateDir string, start record) (*journal, error) {
	dir := filepath.Join(stateDir, journalDir)
	if err := ownedDir(dir); err != nil {
		return nil, fmt.Errorf("keep a journal: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, start.ID+".jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep a journal: %w", err)
	}
	j := &journal{file: file, steps: map[string]StepState{}, sent: map[string]bool{}, facts: map[string]string{}}
	start.Kind = "start"
	if err := j.write(start); err != nil {
		file.Close()
		return nil, err
	}
	if err := SyncDir(dir); err != nil {
		file.Close()
		return nil, fmt.Errorf("keep a journal: %w", err)
	}
	return j, nil
}

// ownedDir makes a directory, and those above it, that only the owner may enter.
func ownedDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// SyncDir makes a new name in dir survive a crash.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Not every file system can sync a directory; those that can't keep names anyway.
	if err := d.Sync(); err != nil && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}

// journalFile is where the journal of a user-given id lies.
func journalFile(stateDir, id string) (string, error) {
	if !journalID.MatchString(id) {
		return "", fmt.Errorf("%q is not the id of a migration: see optlift journal", strings.ToValidUTF8(id, ""))
	}
	return filepath.Join(stateDir, journalDir, id+".jsonl"), nil
}

// readJournal reads a journal. A last line that was cut off by a crash is left out.
func readJournal(stateDir, id string) (*journal, error) {
	name, err := journalFile(stateDir, id)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("no migration %s was made from this machine: see optlift journal", id)
	case err != nil:
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	j := &journal{steps: map[string]StepState{}, sent: map[string]bool{}, facts: map[string]string{}}
	lines := bytes.Split(data[:bytes.LastIndexByte(data, '\n')+1], []byte("\n"))
	for i, line := range lines {
		if len(line) == 0 {
			continue
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("read the journal %s: line %d: %w", name, i+1, err)
		}
		j.note(r)
	}
	if j.start.ID != id {
		return nil, fmt.Errorf("read the journal %s: it has no beginning", name)
	}
	return j, nil
}

// openJournal reads a journal and opens it for appending.
func openJournal(stateDir, id string) (*journal, error) {
	j, err := readJournal(stateDir, id)
	if err != nil {
		return nil, err
	}
	name, err := journalFile(stateDir, id)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if err := endLine(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("repair the journal's last line: %w", err)
	}
	j.file = file
	return j, nil
}

// endLine cuts off what a crash left of a line.
func endLine(f *os.File) error {
	data, err := os.ReadFile(f.Name())
	if err != nil {
		return err
	}
	return f.Truncate(int64(bytes.LastIndexByte(data, '\n') + 1))
}

// note takes a record into account.
func (j *journal) note(r record) {
	switch r.Kind {
	case "start":
		j.start = r
	case "run":
		j.mode, j.ended = r.Mode, ""
	case "step":
		j.steps[r.Step.ID] = r.State
	case "before":
		j.sent[r.In+" "+r.Call] = true
	case "fact":
		j.facts[r.Key] = r.Value
	case "end":
		j.ended = r.State
	}
	j.records = append(j.records, r)
}

// write appends one line and waits until it is on disk.
func (j *journal) write(r record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.At = time.Now().UTC()
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	j.note(r)
	return nil
}

func (j *journal) set(key, value string) error {
	if j.fact(key) == value {
		return nil
	}
	return j.write(record{Kind: "fact", Key: key, Value: value})
}

func (j *journal) fact(key string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.facts[key]
}

// wasSent reports whether a call of a step may have reached AWS.
func (j *journal) wasSent(step, call string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sent[step+" "+call]
}

// finished reports whether a step ended well.
func (j *journal) finished(step string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.steps[step] == Done || j.steps[step] == Skipped
}

func (j *journal) close() error { return j.file.Close() }

// entry is the journal for people.
func (j *journal) entry(stateDir string) Entry {
	e := Entry{ID: j.start.ID, Function: j.start.Function, Region: j.start.Region, Account: j.start.Account,
		Started: j.start.At, State: string(j.ended), Fleet: j.start.Fleet}
	if j.start.Choices != nil {
		e.Strategy = j.start.Choices.withDefaults().Strategy
	}
	if e.State == "" {
		e.State = StateStopped
		if held(stateDir, j.start.Account, j.start.Region, j.start.Function) {
			e.State = StateRunning
		}
	}
	for _, r := range j.records {
		if r.Kind == "step" {
			e.Steps = append(e.Steps, Event{Step: *r.Step, State: r.State, Message: r.Message, Facts: r.Facts, At: r.At})
		}
	}
	return e
}

// Journals lists the migrations kept in stateDir, newest first. They come
// without their steps.
func Journals(stateDir string) ([]Entry, error) {
	files, err := os.ReadDir(filepath.Join(stateDir, journalDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the journals: %w", err)
	}
	entries := []Entry{}
	var broken []error
	for _, f := range files {
		id, ok := strings.CutSuffix(f.Name(), ".jsonl")
		if !ok || !journalID.MatchString(id) {
			continue
		}
		e, err := ReadJournal(stateDir, id)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		e.Steps = nil
		entries = append(entries, *e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(b.ID, a.ID) })
	return entries, errors.Join(broken...)
}

// ReadJournal returns one migration with its steps. It holds no secret.
func ReadJournal(stateDir, id string) (*Entry, error) {
	j, err := readJournal(stateDir, id)
	if err != nil {
		return nil, err
	}
	e := j.entry(stateDir)
	return &e, nil
}
