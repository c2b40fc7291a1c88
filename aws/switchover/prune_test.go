package switchover

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/optlift/optlift/aws/emulator"
)

// Only what is finished can be pruned, and what is pruned leaves no secret behind.
func TestPrune(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, name := range []string{"done", "back", "failed"} {
		b.plain(name)
	}
	done, err := b.apply("done", Choices{})
	ok(b, done, err)
	back, err := b.apply("back", Choices{})
	ok(b, back, err)
	_, err = b.s.Rollback(b.ctx, back.Journal, b.emit)
	ok(b, 0, err)
	b.server.Inject(emulator.Fault{Operation: "CreateFunction", Target: "failed", Kind: emulator.AccessDenied})
	failed, err := b.apply("failed", Choices{})
	if err == nil {
		t.Fatal("nothing has failed")
	}
	// A process that was killed before its journal existed has left a backup.
	orphan := newJournalID(time.Now())
	ok(b, 0, saveSnapshot(b.state, orphan, b.capture("failed")))

	if found := must(Prunables(b.state, time.Now().Add(-time.Hour))); len(found) != 0 {
		t.Errorf("too young: %+v", found)
	}
	lost := map[string]string{}
	for _, p := range must(Prunables(b.state, time.Now().Add(time.Hour))) {
		lost[p.ID] = p.Lost
		if p.Bytes == 0 {
			t.Errorf("%s has no size", p.ID)
		}
	}
	if len(lost) != 3 || !strings.Contains(lost[done.Journal], "optlift rollback can't") || !strings.Contains(lost[back.Journal], "nothing but the record") || lost[orphan] == "" {
		t.Errorf("prunable are %v", lost)
	}
	if err := Prune(b.state, failed.Journal); err == nil || !strings.Contains(err.Error(), "not finished") {
		t.Errorf("a migration that failed is pruned: %v", err)
	}
	l := must(takeLock(b.state, "123456789012", "eu-central-1", "done"))
	if err := Prune(b.state, done.Journal); err == nil || !strings.Contains(err.Error(), "another optlift") {
		t.Errorf("a migration at work is pruned: %v", err)
	}
	ok(b, 0, l.Release())
	for _, id := range []string{done.Journal, back.Journal, orphan} {
		if err := Prune(b.state, id); err != nil {
			t.Error(err)
		}
	}
	if got := must(os.ReadDir(filepath.Join(b.state, backupDir))); len(got) != 1 || got[0].Name() != failed.Journal {
		t.Errorf("backups %v", got)
	}
	if got := must(Journals(b.state)); len(got) != 1 || got[0].ID != failed.Journal {
		t.Errorf("journals %v", got)
	}
	if _, err := b.s.Rollback(b.ctx, done.Journal, b.emit); err == nil || !strings.Contains(err.Error(), "no migration") {
		t.Errorf("a pruned migration is rolled back: %v", err)
	}
	if _, err := b.s.Resume(b.ctx, failed.Journal, b.emit); err != nil {
		t.Errorf("what was not pruned: %v", err)
	}
	for _, id := range []string{"", "../x", "20261101-000000-ABCDEF"} {
		if err := Prune(b.state, id); err == nil {
			t.Errorf("%q is pruned", id)
		}
	}
}

// What a killed process has left half-written is taken away.
func TestHalfWrittenFilesAreSweptAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	b.server.Inject(emulator.Fault{Operation: "CreateFunction", Kind: emulator.AccessDenied})
	res, err := b.apply("shop", Choices{})
	if err == nil {
		t.Fatal("nothing has failed")
	}
	dir := filepath.Join(b.state, backupDir, res.Journal)
	for _, name := range []string{".x.zip.part-1", ".snapshot.json-2"} {
		ok(b, 0, os.WriteFile(filepath.Join(dir, name), []byte(plantedEnv), 0o600))
	}
	_, err = b.s.Resume(b.ctx, res.Journal, b.emit)
	ok(b, 0, err)
	if slices.ContainsFunc(must(os.ReadDir(dir)), func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }) {
		t.Errorf("left: %v", must(os.ReadDir(dir)))
	}
}
