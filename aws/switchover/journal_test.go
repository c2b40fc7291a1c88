package switchover

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/optlift/optlift/aws/session"
)

func testJournal(t *testing.T, dir string) *journal {
	t.Helper()
	j, err := createJournal(dir, record{ID: newJournalID(time.Now()), Function: "shop", Region: "eu-central-1", Account: "1", Choices: &Choices{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.close() })
	return j
}

func TestJournalSurvivesACutOffLine(t *testing.T) {
	dir := t.TempDir()
	j := testJournal(t, dir)
	step := Step{ID: "a"}
	for _, err := range []error{
		j.write(record{Kind: "step", Step: &step, State: Done}), j.set("k", "v"),
		j.write(record{Kind: "before", In: "a", Call: "DeleteFunction"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	name := must(journalFile(dir, j.start.ID))
	whole := must(os.ReadFile(name))
	// Whatever part of the last line reached the disk, the journal reads as if it
	// was never written, and goes on cleanly.
	last := strings.LastIndexByte(string(whole[:len(whole)-1]), '\n') + 1
	for cut := last + 1; cut < len(whole); cut += 7 {
		if err := os.WriteFile(name, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := openJournal(dir, j.start.ID)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if again.wasSent("a", "DeleteFunction") || again.fact("k") != "v" || !again.finished("a") {
			t.Errorf("cut at %d: the journal reads wrong", cut)
		}
		if err := again.set("more", "x"); err != nil {
			t.Fatal(err)
		}
		again.close()
		if back := must(readJournal(dir, j.start.ID)); back.fact("more") != "x" {
			t.Errorf("cut at %d: what was written afterwards is lost", cut)
		}
	}
}

func TestJournalsAreOwnerOnlyAndListed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if got := must(Journals(dir)); got == nil || len(got) != 0 {
		t.Errorf("no state directory gives %v", got)
	}
	j := testJournal(t, dir)
	if err := j.write(record{Kind: "run", Mode: modeApply}); err != nil {
		t.Fatal(err)
	}
	entries := must(Journals(dir))
	if len(entries) != 1 || entries[0].State != StateStopped || entries[0].Function != "shop" {
		t.Errorf("lists %+v", entries)
	}
	l := must(takeLock(dir, "1", "eu-central-1", "shop"))
	if e := must(ReadJournal(dir, j.start.ID)); e.State != StateRunning {
		t.Errorf("a running migration shows as %s", e.State)
	}
	if _, err := takeLock(dir, "1", "eu-central-1", "shop"); err == nil || !strings.Contains(err.Error(), "another optlift") {
		t.Errorf("a second lock: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	must(takeLock(dir, "1", "eu-central-1", "shop")).Release()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if mode := must(d.Info()).Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %v", path, mode)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestJournalRefusesForeignIDs(t *testing.T) {
	for _, id := range []string{"", "../../etc/passwd", "20261101-000000-abcdef/x", "20261101-000000-ABCDEF"} {
		if _, err := ReadJournal(t.TempDir(), id); err == nil {
			t.Errorf("%q is read", id)
		}
	}
	if _, err := ReadJournal(t.TempDir(), "20261101-000000-abcdef"); err == nil || !strings.Contains(err.Error(), "no migration") {
		t.Errorf("a missing journal: %v", err)
	}
}

func TestScrubber(t *testing.T) {
	s := newScrubber([]string{"hunter2-hunter2", `pa"ss\word`, "1", "hunter2-hunter2-and-more", "orders"},
		"arn:aws:lambda:eu-central-1:123456789012:function:orders-checkout")
	err := s.fault(&smithy.GenericAPIError{Code: "InvalidParameterValueException",
		Message: `String measured: {"A":"hunter2-hunter2-and-more","B":"pa\"ss\\word","C":"1"} of orders-checkout` + "\x1b[2J"})
	text := err.Error()
	for _, secret := range []string{"hunter2", "ss\\", "and-more", "\x1b"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q holds %q", text, secret)
		}
	}
	if !strings.Contains(text, `"C":"1"`) || !strings.Contains(text, "orders-checkout") {
		t.Errorf("%q lost what is no secret", text)
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		t.Error("the error itself, secrets included, can be had from the fault")
	}
	if err := s.fault(errors.Join(session.ErrReadOnly)); !errors.Is(err, session.ErrReadOnly) {
		t.Error("the fault lost its sentinel")
	}
}
