package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/optlift/optlift/build/patch"
)

// writing is a changed file with what goes beside it.
type writing struct {
	name       string // of the changed file
	difference string // "" where nothing has to change
	notes      []string
	resource   string // its address, of Terraform
	files      map[string]string
}

func newWriting(name, before string, r *patch.Result) *writing {
	w := &writing{name: name, difference: udiff.Unified("a/"+name, "b/"+name, before, r.Text), notes: r.Notes, resource: r.Name}
	w.files = map[string]string{name: r.Text, name + ".patch": w.difference}
	return w
}

// save fills a directory that is new or empty. A template may hold secrets:
// everything is for its owner only.
func (w *writing) save(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s holds files already: nothing was written; name a new directory", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("write the patch: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write the patch: %w", err)
	}
	for file, text := range w.files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the patch: %w", err)
		}
	}
	return nil
}

// print shows the change, and where it was written.
func (w *writing) print(io *streams, dir string) error {
	if w.difference == "" {
		fmt.Fprintf(io.out, "%s says already what it should\n", printable(w.name))
	}
	for line := range strings.Lines(w.difference) {
		fmt.Fprintln(io.out, printable(strings.TrimRight(line, "\r\n")))
	}
	for _, n := range w.notes {
		fmt.Fprintf(io.err, "optlift: look first: %s\n", printable(n))
	}
	_, err := fmt.Fprintf(io.out, "\nwritten to %s; read %s next\n", printable(dir), printable(filepath.Join(dir, "STEPS.md")))
	return err
}
