package switchover

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Prunable is a migration that is finished, so that its journal and backup can be
// deleted.
type Prunable struct {
	Entry
	Bytes int64 `json:"bytes"` // on disk
	// Lost is what goes with it: the way back, or only the record.
	Lost string `json:"lost"`
	// Objects are what stays in the user's bucket.
	Objects []string `json:"objects,omitempty"`
}

// Prunables lists what may be pruned and was started before a time, oldest first.
// A migration that is not finished is never among them: its journal is what brings
// the function into a whole state again. A backup whose migration never began
// comes with an Entry that has no State.
func Prunables(stateDir string, before time.Time) ([]Prunable, error) {
	entries, err := Journals(stateDir)
	if err != nil {
		return nil, err
	}
	found := []Prunable{}
	known := map[string]bool{}
	for _, e := range entries {
		known[e.ID] = true
		if !finished(e.State) || !e.Started.Before(before) {
			continue
		}
		p, err := prunable(stateDir, e)
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	backups, err := os.ReadDir(filepath.Join(stateDir, backupDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the backups: %w", err)
	}
	for _, b := range backups {
		info, err := b.Info()
		if err != nil || known[b.Name()] || !journalID.MatchString(b.Name()) || !info.ModTime().Before(before) {
			continue
		}
		e := Entry{ID: b.Name(), Started: info.ModTime()}
		if snap, err := loadSnapshot(stateDir, e.ID); err == nil {
			e.Function, e.Region, e.Account = snap.Function, snap.Region, snap.Account
		}
		p := Prunable{Entry: e, Lost: "nothing: the migration was ended before it began"}
		if p.Bytes, err = sizeOf(filepath.Join(stateDir, backupDir, e.ID)); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b Prunable) int { return strings.Compare(a.ID, b.ID) })
	return found, nil
}

// finished tells the states in which a journal is needed for nothing but the way
// back.
func finished(state string) bool { return state == StateDone || state == StateRolledBack }

func prunable(stateDir string, e Entry) (Prunable, error) {
	p := Prunable{Entry: e, Lost: "nothing but the record: " + e.Function + " is what it was"}
	j, err := readJournal(stateDir, e.ID)
	if err != nil {
		return p, err
	}
	switch {
	case e.State != StateDone, e.Strategy == Rehearse:
	case e.Strategy == Refresh:
		p.Lost = "the way back to the image that " + e.Function + " had before, and the proof that today's image is ours: a rollback to the Zip function refuses without it"
	case e.Strategy == Beside:
		p.Lost = "the way back: optlift rollback can't move the mappings of " + e.Function + " back; the Zip function itself is still there"
	default:
		p.Lost = "the way back: optlift rollback can't make " + e.Function + " the Zip function again"
	}
	for key, where := range j.facts {
		if strings.HasPrefix(key, objectFact("")) {
			p.Objects = append(p.Objects, "s3://"+where)
		}
	}
	slices.Sort(p.Objects)
	name, err := journalFile(stateDir, e.ID)
	if err != nil {
		return p, err
	}
	for _, part := range []string{name, filepath.Join(stateDir, backupDir, e.ID)} {
		n, err := sizeOf(part)
		if err != nil {
			return p, err
		}
		p.Bytes += n
	}
	return p, nil
}

// sizeOf adds up the files below a path, if there is one.
func sizeOf(path string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return sum, nil
	}
	return sum, err
}

// Prune deletes a migration's backup and then its journal. It refuses one that is
// not finished, and one that a process works on.
func Prune(stateDir, id string) error {
	name, err := journalFile(stateDir, id)
	if err == nil {
		err = prune(stateDir, id, name)
	}
	if err != nil {
		return fmt.Errorf("prune migration %s: %w", strings.ToValidUTF8(id, ""), err)
	}
	return nil
}

func prune(stateDir, id, name string) error {
	begun := func() (bool, error) {
		_, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return true, err
	}
	was, err := begun()
	if err != nil {
		return err
	}
	var of record
	if was {
		j, err := readJournal(stateDir, id)
		if err != nil {
			return err
		}
		of = j.start
	} else if snap, err := loadSnapshot(stateDir, id); err == nil {
		of = record{Account: snap.Account, Region: snap.Region, Function: snap.Function}
	}
	l, err := takeLock(stateDir, of.Account, of.Region, of.Function)
	if err != nil {
		return err
	}
	defer l.Release()
	// Now that nobody works on it: is it still what it was?
	if is, err := begun(); err != nil || is != was {
		return errors.Join(err, errors.New("it has changed meanwhile"))
	}
	if was {
		if j, err := readJournal(stateDir, id); err != nil || !finished(string(j.ended)) {
			return errors.Join(err, fmt.Errorf("the migration of %s is not finished: resume it or roll it back first", of.Function))
		}
	}
	// The backup first: what is left of a prune that was cut off is a journal that
	// can be pruned again, never a secret that nothing names.
	if err := os.RemoveAll(filepath.Join(stateDir, backupDir, id)); err != nil || !was {
		return err
	}
	return errors.Join(os.Remove(name), SyncDir(filepath.Dir(name)))
}
