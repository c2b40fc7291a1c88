package main

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// topicFiles are the help topics: the first line says what each is about.
//
//go:embed topics/*.txt
var topicFiles embed.FS

// addTopics adds a help topic for each file. A command that can't be run is what
// cobra takes for one.
func addTopics(root *cobra.Command) error {
	files, err := topicFiles.ReadDir("topics")
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := topicFiles.ReadFile(path.Join("topics", f.Name()))
		if err != nil {
			return err
		}
		title, rest, _ := strings.Cut(string(text), "\n")
		root.AddCommand(&cobra.Command{Use: strings.TrimSuffix(f.Name(), ".txt"), Short: title, Long: title + "\n\n" + strings.TrimSpace(rest)})
	}
	return nil
}

// flagReference lists every flag of every command, for the help topic "flags".
func flagReference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("Every flag of every command\n")
	section := func(title string, flags *pflag.FlagSet) {
		found := false
		flags.VisitAll(func(f *pflag.Flag) {
			if f.Hidden || f.Name == "help" || f.Name == "version" {
				return
			}
			if !found {
				fmt.Fprintf(&b, "\n%s\n", title)
				found = true
			}
			fmt.Fprintf(&b, "  %s\n      %s\n", flagName(f), f.Usage)
		})
	}
	section("every command", root.PersistentFlags())
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden || !c.HasParent() && c != root {
			return
		}
		if c != root && c.Name() != "completion" && c.Name() != "help" {
			section(strings.TrimPrefix(c.CommandPath(), "optlift "), c.LocalNonPersistentFlags())
			section(strings.TrimPrefix(c.CommandPath(), "optlift ")+" and below", c.PersistentFlags())
		}
		if c.Name() == "completion" {
			return
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return b.String()
}

// flagName is a flag as it is typed.
func flagName(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if f.Value.Type() != "bool" {
		name += " VALUE"
	}
	return name
}
