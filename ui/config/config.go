package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/adrg/xdg"
	"github.com/pelletier/go-toml/v2"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/theme"
)

// Config is what a configuration file says, with the defaults for what it does not.
type Config struct {
	// Profile and Regions are used where neither a flag nor the environment
	// names any; "" and nil leave the choice to the AWS configuration.
	Profile string
	Regions []string
	Theme   string // one of theme.Names
	Mouse   bool
	// Layout is the table of functions.
	Layout functions.Layout
	// Filters are saved filters by name, as aws/filter reads them after "@".
	Filters map[string]string
	Keys    keys.Bound
}

// Default is the configuration without a file.
func Default() Config {
	return Config{Theme: theme.Auto, Mouse: true, Layout: functions.DefaultLayout()}
}

// Path is where the file is looked for: optlift/config.toml in the directory that
// XDG_CONFIG_HOME names, usually ~/.config.
func Path() string { return filepath.Join(xdg.ConfigHome, "optlift", "config.toml") }

// maxSize is far above any configuration that a person writes.
const maxSize = 1 << 20

// Load reads a file. A file that does not exist says nothing: the defaults.
func Load(path string) (Config, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil
	}
	if err != nil {
		return Default(), fmt.Errorf("read the configuration: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSize {
		return Default(), fmt.Errorf("read the configuration %s: it is no file of less than %d bytes", path, maxSize)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Default(), fmt.Errorf("read the configuration: %w", err)
	}
	return Parse(path, text)
}

// document is the file as it is written. Pointers tell what is left out from
// what is set to nothing.
type document struct {
	Profile   string              `toml:"profile"`
	Regions   []string            `toml:"regions"`
	Theme     *string             `toml:"theme"`
	Mouse     *bool               `toml:"mouse"`
	Functions functable           `toml:"functions"`
	Filters   map[string]string   `toml:"filters"`
	Keys      map[string][]string `toml:"keys"`
}

type functable struct {
	Columns []string       `toml:"columns"`
	Sort    *string        `toml:"sort"`
	Widths  map[string]int `toml:"widths"`
}

// Parse reads a file's text; name is the file's, for errors. All errors come
// together, as an Errors.
func Parse(name string, text []byte) (Config, error) {
	c := Default()
	var d document
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return c, explain(name, err)
	}
	check := checker{file: name, lines: index(text)}
	c.Profile, c.Regions = d.Profile, d.Regions
	for _, r := range d.Regions {
		if !region.MatchString(r) && (r != "all" || len(d.Regions) > 1) {
			check.fail("regions", fmt.Sprintf("%q is no region", r))
		}
	}
	if d.Theme != nil {
		if c.Theme = *d.Theme; !theme.Known(c.Theme) {
			check.fail("theme", fmt.Sprintf("there is no theme %q, but %s", c.Theme, strings.Join(theme.Names(), ", ")))
		}
	}
	if d.Mouse != nil {
		c.Mouse = *d.Mouse
	}
	check.layout(&c, d.Functions)
	c.Filters = d.Filters
	for _, n := range slices.Sorted(maps.Keys(d.Filters)) {
		at := "filters." + n
		if !filter.ValidName(n) {
			check.fail(at, fmt.Sprintf("a filter's name is letters, digits, - and _, not %q", n))
		} else if f, err := filter.Parse(d.Filters[n], inventory.Columns()); err != nil {
			check.fail(at, err.Error())
		} else if f.Empty() {
			check.fail(at, n+" filters nothing")
		}
	}
	c.Keys = d.Keys
	for _, action := range slices.Sorted(maps.Keys(d.Keys)) {
		if err := c.Keys.Check(action); err != nil {
			check.fail("keys."+action, err.Error())
		}
	}
	if len(check.errs) > 0 {
		return Default(), check.sorted()
	}
	return c, nil
}

// region is the form of a region's name
// (https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
var region = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]+)+-[0-9]+$`)

func (k *checker) layout(c *Config, f functable) {
	known := functions.ColumnNames()
	if f.Columns != nil {
		c.Layout.Columns = f.Columns
		seen := map[string]bool{}
		for _, id := range f.Columns {
			switch {
			case !slices.Contains(known, id):
				k.fail("functions.columns", fmt.Sprintf("there is no column %q, but %s", id, strings.Join(known, ", ")))
			case seen[id]:
				k.fail("functions.columns", id+" stands twice")
			}
			seen[id] = true
		}
		if !seen["name"] {
			k.fail("functions.columns", "name can't be left out")
		}
	}
	if f.Sort != nil {
		c.Layout.Sort = *f.Sort
		if id := strings.TrimPrefix(*f.Sort, "-"); !slices.Contains(known, id) {
			k.fail("functions.sort", fmt.Sprintf("there is no column %q, but %s", id, strings.Join(known, ", ")))
		}
	}
	c.Layout.Widths = f.Widths
	for _, id := range slices.Sorted(maps.Keys(f.Widths)) {
		at := "functions.widths." + id
		if !slices.Contains(known, id) {
			k.fail(at, fmt.Sprintf("there is no column %q, but %s", id, strings.Join(known, ", ")))
		} else if w := f.Widths[id]; w < functions.MinWidth || w > functions.MaxWidth {
			k.fail(at, fmt.Sprintf("a column is %d to %d wide, not %d", functions.MinWidth, functions.MaxWidth, w))
		}
	}
}
