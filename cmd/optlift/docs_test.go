package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write topics/flags.txt anew from the program's flags")

// tree is the program's commands as they are at run time.
func tree(t *testing.T) *cobra.Command {
	t.Helper()
	t.Setenv("OPTLIFT_BASE_REGISTRY", "")
	root := newRoot(newApp(&streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}}))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// TestFlagReference holds the help topic "flags" against the program: every flag is
// documented, with the text that --help shows.
func TestFlagReference(t *testing.T) {
	const file = "topics/flags.txt"
	want := flagReference(tree(t))
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("cmd/optlift/%s is not what the program takes (- is in the file, + in the program).\n"+
			"To write it anew: go test ./cmd/optlift -run TestFlagReference -update\n%s", file, diff)
	}
}

// documents are the texts that speak of commands and flags.
func documents(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("topics/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d topics, %v", len(files), err)
	}
	out := map[string]string{}
	for _, file := range append(files, "../../README.md", "../../.github/SECURITY.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimPrefix(file, "../../")] = string(text)
	}
	return out
}

// foreign are flags in the documents that belong to other programs.
var foreign = []string{"--ldflags"}

// TestDocumentedFlagsExist finds flags in the documents that no command has, and
// commands in them that the program does not have.
func TestDocumentedFlagsExist(t *testing.T) {
	root := tree(t)
	flags, commands := map[string]bool{}, map[string]bool{}
	note := func(f *pflag.Flag) { flags["--"+f.Name] = true }
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.InitDefaultVersionFlag()
		c.Flags().VisitAll(note)
		c.PersistentFlags().VisitAll(note)
		commands[c.Name()] = true
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	long := regexp.MustCompile("(?:^|[\\s`(\\[|])(--[a-z][a-z-]*)")
	call := regexp.MustCompile("(?m)(?:^|[\\s`(])optlift ([a-z][a-z-]*)")
	for file, text := range documents(t) {
		for _, m := range long.FindAllStringSubmatch(text, -1) {
			if !flags[m[1]] && !slices.Contains(foreign, m[1]) {
				t.Errorf("%s speaks of %s, which no command takes", file, m[1])
			}
		}
		for _, m := range call.FindAllStringSubmatch(text, -1) {
			// In running text the name of the program may be followed by any word.
			quoted := strings.Contains(text, "`"+strings.TrimSpace(m[0])) || strings.Contains(text, "\n  "+strings.TrimSpace(m[0])) || strings.Contains(text, "\n"+strings.TrimSpace(m[0])+" ")
			if !commands[m[1]] && quoted && !prose[m[1]] {
				t.Errorf("%s speaks of `optlift %s`, which is no command", file, m[1])
			}
		}
	}
}

// prose are words that follow the program's name in sentences.
var prose = map[string]bool{"is": true, "reads": true, "writes": true, "lists": true}

// TestCommandsAreInTheReadme finds commands that the README's table lacks.
func TestCommandsAreInTheReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			table.WriteString(line)
		}
	}
	for _, c := range tree(t).Commands() {
		if c.Hidden || !c.Runnable() || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if !strings.Contains(table.String(), "`"+c.Name()+"`") {
			t.Errorf("README.md: the table of commands lacks `%s`: add the row | `%s` | %s |", c.Name(), c.Name(), c.Short)
		}
	}
}

// TestTopics reads every help topic through the program.
func TestTopics(t *testing.T) {
	for _, topic := range []string{"sizes", "merging", "switching", "many", "rolling-back", "strictness", "trust", "flags", "changes"} {
		var out, problems bytes.Buffer
		if got := run(context.Background(), []string{"help", topic}, &streams{in: strings.NewReader(""), out: &out, err: &problems}); got != 0 || problems.Len() > 0 {
			t.Errorf("optlift help %s exits %d: %s", topic, got, problems.String())
		}
		if strings.Count(out.String(), "\n") < 12 {
			t.Errorf("optlift help %s says only %q", topic, out.String())
		}
		if topic == "flags" {
			continue
		}
		for line := range strings.Lines(out.String()) {
			if len(strings.TrimRight(line, "\n")) > 95 {
				t.Errorf("optlift help %s: a line of %d characters: %s", topic, len(line), line)
			}
		}
	}
}

// TestLicenses holds the table of licences against the modules that the program is
// made of, on each system, and against the licences that these come with.
func TestLicenses(t *testing.T) {
	table := licenses()
	used := map[string]string{}
	for _, system := range []string{"linux", "windows", "darwin"} {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Dir}}{{end}}", ".")
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", system, err)
		}
		for line := range strings.Lines(string(out)) {
			if module, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok && module != "github.com/optlift/optlift" {
				used[module] = dir
			}
		}
	}
	if len(used) < 30 {
		t.Fatalf("only %d modules", len(used))
	}
	for module, dir := range used {
		found := licenseIn(t, dir)
		if table[module] == "" {
			t.Errorf("cmd/optlift/licenses.txt lacks a module that the program is made of: add the line\n%s %s", module, found)
		} else if !strings.Contains(table[module], found) || found == "" {
			t.Errorf("cmd/optlift/licenses.txt says that %s is under %s: its own files say %q", module, table[module], found)
		}
	}
	for module := range table {
		if used[module] == "" {
			t.Errorf("cmd/optlift/licenses.txt: the program is not made of %s any more: remove its line", module)
		}
	}
}

// licenseIn tells the licence in a module's directory by its words.
func licenseIn(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.ToLower(f.Name())
		if !strings.HasPrefix(name, "licen") && !strings.HasPrefix(name, "copying") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Join(strings.Fields(string(text)), " ")
		for _, l := range []struct{ words, id string }{
			{"Apache License Version 2.0", "Apache-2.0"},
			{"Mozilla Public License", "MPL-2.0"},
			{"Permission is hereby granted, free of charge", "MIT"},
			{"Permission to use, copy, modify, and", "ISC"},
			{"endorse or promote products derived", "BSD-3-Clause"},
			{"Redistribution and use in source and binary forms", "BSD-2-Clause"},
		} {
			if strings.Contains(words, l.words) {
				return l.id
			}
		}
	}
	return ""
}
