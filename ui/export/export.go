package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
)

// Formats are the endings that choose a format, for people.
const Formats = ".csv, .json or .md"

// List is what is written: functions in their order.
type List struct {
	Created   string // when the audit ended, RFC 3339; "" where a saved report does not say
	Account   string // the first one's where there are several
	Regions   []string
	Accounts  []account.AccountReport
	Functions []*account.Facts
	// Others are the functions left out, which may use the same layer versions.
	Others    []*account.Facts
	Histories map[string]*account.History // by ARN, of those that were asked for
	Newest    []*account.NewestLayers
	Errors    []account.RegionError // without a region: of a profile, which Accounts tell, too
}

// several reports whether there is more than one account to tell apart.
func (l *List) several() bool { return len(l.Accounts) > 1 }

// Write writes a list to a new file, whose ending chooses the format; see File.
func Write(path string, l List) error {
	write, err := writer(path, l.several())
	if err != nil {
		return err
	}
	return File(path, func(w io.Writer) error { return write(w, l.report()) })
}

// File writes a new file. One that is there is left alone, and one that could not
// be written whole is taken away.
func File(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("export: %s is there already: type another name", path)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	err = errors.Join(write(f), f.Close())
	if err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("export to %s: %w", path, err)
	}
	return nil
}

func writer(path string, several bool) (func(io.Writer, *account.Report) error, error) {
	more := func(ids []string) []string {
		if several {
			ids = append(ids, "account", "profile")
		}
		return ids
	}
	switch ending(path) {
	case ".csv":
		return columns(report.WriteCSV, more(report.DefaultCSV())), nil
	case ".md":
		return columns(report.WriteMarkdown, more(report.DefaultTable())), nil
	case ".json":
		return func(w io.Writer, r *account.Report) error { return JSON(w, r) }, nil
	}
	return nil, wrongEnding(path, Formats)
}

// JSON writes a document as the commands print it.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func columns(write func(io.Writer, *account.Report, []report.Column) error, ids []string) func(io.Writer, *account.Report) error {
	return func(w io.Writer, r *account.Report) error {
		picked, err := report.Pick(ids)
		if err != nil {
			return err
		}
		return write(w, r, picked)
	}
}

// report is the audit's document with the functions in the list's order.
func (l List) report() *account.Report {
	errs := slices.DeleteFunc(slices.Clone(l.Errors), func(e account.RegionError) bool { return e.Region == "" })
	r := account.NewReport(l.Account, l.Regions, slices.Concat(l.Functions, l.Others), errs)
	r.Created, r.Accounts = l.Created, l.Accounts
	for _, n := range l.Newest {
		r.TakeNewest(n)
	}
	profiles := map[string]string{}
	for _, a := range l.Accounts {
		if l.several() && a.Message == "" {
			profiles[a.Account] = a.Profile
		}
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		f.Profile, f.History = profiles[f.Account], l.Histories[f.ARN]
	}
	at := make(map[string]int, len(l.Functions))
	for i, f := range l.Functions {
		at[f.ARN] = i
	}
	r.Functions = slices.DeleteFunc(r.Functions, func(f account.FunctionReport) bool {
		_, listed := at[f.ARN]
		return !listed
	})
	used := map[string]bool{}
	for i := range r.Functions {
		for _, x := range r.Functions[i].Layers {
			used[x.ARN] = true
		}
	}
	r.Layers = slices.DeleteFunc(r.Layers, func(x account.LayerVersionReport) bool { return !used[x.ARN] })
	slices.SortFunc(r.Functions, func(a, b account.FunctionReport) int { return at[a.ARN] - at[b.ARN] })
	return r
}
