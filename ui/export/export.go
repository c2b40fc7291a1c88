package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
)

// Formats are the endings that choose a format, for people.
const Formats = ".csv, .json or .md"

// List is what is written: functions in their order.
type List struct {
	Account   string
	Regions   []string
	Functions []*account.Facts
	Errors    []account.RegionError
}

// Write writes a list to a new file, whose ending chooses the format. A file that
// is there is left alone, and one that could not be written whole is taken away.
func Write(path string, l List) (err error) {
	write, err := writer(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("export: %s is there already: type another name", path)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	err = errors.Join(write(f, l.report()), f.Close())
	if err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("export to %s: %w", path, err)
	}
	return nil
}

func writer(path string) (func(io.Writer, *account.Report) error, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return columns(report.WriteCSV, report.DefaultCSV()), nil
	case ".md":
		return columns(report.WriteMarkdown, report.DefaultTable()), nil
	case ".json":
		return func(w io.Writer, r *account.Report) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(r)
		}, nil
	}
	return nil, fmt.Errorf("export: the name must end in %s, which chooses the format: %s does not", Formats, path)
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
	r := account.NewReport(l.Account, l.Regions, l.Functions, l.Errors)
	at := make(map[string]int, len(l.Functions))
	for i, f := range l.Functions {
		at[f.ARN] = i
	}
	slices.SortFunc(r.Functions, func(a, b account.FunctionReport) int { return at[a.ARN] - at[b.ARN] })
	return r
}
