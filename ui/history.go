package ui

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/optlift/optlift/ui/sanitize"
)

// remembered is how many lines of each kind a history holds.
const remembered = 100

// maxHistory is the most that is read of a history's file: both kinds of lines at
// four times the length that anyone types.
const maxHistory = 1 << 20

// remember adds a line to a history, each line once, the last ones.
func remember(history []string, line string) []string {
	if line == "" {
		return history
	}
	history = slices.DeleteFunc(history, func(s string) bool { return s == line })
	return append(history[max(len(history)-remembered+1, 0):], line)
}

// recall reads what was typed in earlier sessions: a command or a filter in each
// line, after ":" or "/". What can't be read is not missed.
func (m *model) recall(path string) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxHistory {
		return
	}
	text, err := os.ReadFile(path)
	if err != nil || !utf8.Valid(text) {
		return
	}
	for line := range strings.Lines(string(text)) {
		line = sanitize.Text(strings.TrimSuffix(line, "\n"))
		if rest, ok := strings.CutPrefix(line, ":"); ok {
			m.lines = remember(m.lines, rest)
		} else if rest, ok := strings.CutPrefix(line, "/"); ok {
			m.filters = remember(m.filters, rest)
		}
	}
}

// keep writes the history for the next session, for its owner's eyes only.
func (m *model) keep(path string) error {
	if path == "" || len(m.lines)+len(m.filters) == 0 {
		return nil
	}
	var b bytes.Buffer
	for _, l := range m.lines {
		fmt.Fprintf(&b, ":%s\n", l)
	}
	for _, l := range m.filters {
		fmt.Fprintf(&b, "/%s\n", l)
	}
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, b.Bytes()) {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep the history: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep the history: %w", err)
	}
	// CreateTemp makes files that only their owner can read.
	f, err := os.CreateTemp(filepath.Dir(path), ".history-*")
	if err != nil {
		return fmt.Errorf("keep the history: %w", err)
	}
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep the history: %w", errors.Join(err, os.Remove(f.Name())))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("keep the history: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
