package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/ui/config"
)

func newConfig(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write a configuration file in which every setting is explained",
		Long: `optlift reads its configuration from config.toml in the directory that
XDG_CONFIG_HOME names (usually ~/.config/optlift), or from the file that --config
names: profile and regions, theme, mouse, columns, saved filters and keys. Without a
file, and for what a file leaves out, the defaults hold.

A flag counts more than the environment (AWS_PROFILE, AWS_REGION, NO_COLOR), and
that more than the file. Without a subcommand the file is written, all settings as
comments, where there is none yet.`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return writeConfig(a) },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "path",
			Short: "Print where the configuration file is looked for",
			Args:  args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprintln(a.io.out, a.configPath())
				return err
			},
		},
		&cobra.Command{
			Use:   "check",
			Short: "Tell whether the configuration file is understood",
			Args:  args(cobra.NoArgs),
			RunE:  func(*cobra.Command, []string) error { return checkConfig(a) },
		},
	)
	return cmd
}

func (a *app) configPath() string {
	if a.configFile != "" {
		return a.configFile
	}
	return config.Path()
}

// config reads the configuration. A file that was named must be there.
func (a *app) config() (config.Config, error) {
	if a.configFile != "" {
		if _, err := os.Stat(a.configFile); errors.Is(err, fs.ErrNotExist) {
			return config.Config{}, usagef("there is no configuration file %s: optlift config --config %s writes one", a.configFile, a.configFile)
		}
	}
	c, err := config.Load(a.configPath())
	if err != nil {
		return config.Config{}, usageError{err}
	}
	return c, nil
}

// sessionOptions are the flags, with the configuration's profile and regions
// where neither a flag nor the environment chooses the account. profile is the
// flag's, "" for none.
func (a *app) sessionOptions(profile string) (session.Options, error) {
	o := session.Options{Profile: profile, Regions: a.regions, Write: a.write, Unlimited: a.demo}
	if a.io.inTTY && a.io.errTTY || a.ask.Load() != nil {
		o.MFA = func() (string, error) { return a.askMFA(profile) }
	}
	if a.demo {
		return o, nil
	}
	c, err := a.config()
	if err != nil {
		return o, err
	}
	if o.Profile == "" && !set("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE") {
		o.Profile = c.Profile
	}
	if len(o.Regions) == 0 && !set("AWS_REGION", "AWS_DEFAULT_REGION") {
		o.Regions = c.Regions
	}
	return o, nil
}

// selection reads a filter and a sort order; "@name" stands for a saved filter.
func (a *app) selection(filterText, sortText string) (report.Selection, error) {
	saved := filter.Saved{}
	if strings.Contains(filterText, "@") {
		c, err := a.config()
		if err != nil {
			return report.Selection{}, err
		}
		for name, text := range c.Filters {
			saved[name] = text
		}
	}
	s, err := report.ParseSavedSelection(filterText, sortText, saved)
	if err != nil {
		return report.Selection{}, usageError{err}
	}
	return s, nil
}

// set reports whether any of these environment variables has a value.
func set(names ...string) bool {
	for _, n := range names {
		if os.Getenv(n) != "" {
			return true
		}
	}
	return false
}

func writeConfig(a *app) error {
	path := a.configPath()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and stays as it is: optlift config check reads it", path)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.WriteString(config.Template())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the configuration %s: %w", path, err)
	}
	_, err = fmt.Fprintln(a.io.out, "wrote "+path)
	return err
}

func checkConfig(a *app) error {
	path := a.configPath()
	if _, err := a.config(); err != nil {
		return err
	}
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = fmt.Fprintln(a.io.out, "there is no "+path+": the defaults hold. optlift config writes it")
		return err
	}
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	_, err = fmt.Fprintln(a.io.out, path+" is understood")
	return err
}
