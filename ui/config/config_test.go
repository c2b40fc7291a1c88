package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/keys"
)

func TestNothingSaidIsTheDefault(t *testing.T) {
	for _, text := range []string{"", Template()} {
		c, err := Parse("config.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Default(), c); diff != "" {
			t.Error(diff)
		}
	}
	c, err := Load(filepath.Join(t.TempDir(), "none.toml"))
	if err != nil || !cmp.Equal(c, Default()) {
		t.Errorf("without a file: %v %v", c, err)
	}
}

// Every setting of the template is one: without its "#" it is understood, and says
// what is the default or an example.
func TestTemplateIsUnderstood(t *testing.T) {
	text := regexp.MustCompile(`(?m)^#([^ \n])`).ReplaceAllString(Template(), "$1")
	c, err := Parse("config.toml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	d := Default()
	if c.Theme != d.Theme || c.Mouse != d.Mouse || !cmp.Equal(c.Layout.Columns, d.Layout.Columns) || c.Layout.Sort != d.Layout.Sort {
		t.Errorf("the template's settings are not the defaults: %+v", c)
	}
	if len(c.Filters) == 0 || len(c.Keys) == 0 || len(c.Layout.Widths) == 0 || c.Profile == "" || len(c.Regions) == 0 {
		t.Errorf("the template has no example of everything: %+v", c)
	}
	for _, k := range keys.Catalogue() {
		if !strings.Contains(Template(), "#   "+k.ID+" ") {
			t.Errorf("the template does not name the action %s", k.ID)
		}
	}
}

func TestSettings(t *testing.T) {
	c, err := Parse("config.toml", []byte(`
profile = "prod"
regions = ["eu-west-1", "us-gov-west-1"]
theme = "safe"
mouse = false
functions = { columns = ["name", "percent"], sort = "name", widths = { name = 30 } }
[filters]
big = "size>200MB"
[keys]
refresh = ["f5", "ctrl+r"]
layers = ["z"]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{Profile: "prod", Regions: []string{"eu-west-1", "us-gov-west-1"}, Theme: "safe",
		Layout:  functions.Layout{Columns: []string{"name", "percent"}, Sort: "name", Widths: map[string]int{"name": 30}},
		Filters: map[string]string{"big": "size>200MB"},
		Keys:    keys.Bound{"refresh": {"f5", "ctrl+r"}, "layers": {"z"}}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsNameLineAndExample(t *testing.T) {
	for text, want := range map[string][]string{
		"theme = \"purple\"":                                              {`f:1: there is no theme "purple", but auto,`, `Write for example: theme = "light"`},
		"\n\ntheme = 3":                                                   {`f:3: theme takes a text in quotes`, `Write for example: theme = "light"`},
		"mouse = \"no\"":                                                  {`f:1: mouse takes true or false`, `mouse = false`},
		"\ncolour = 1\nfoo=2":                                             {`f:2: there is no setting "colour", but profile,`, `f:3: there is no setting "foo"`},
		"[window]\nx = 1":                                                 {`f:1: there is no setting "window"`},
		"[functions]\nrow = 1":                                            {`f:2: there is no setting "functions.row"`},
		"theme = dark":                                                    {`f:1: this is not TOML`},
		"theme = \"dark\"\ntheme = \"dark\"":                              {`f:2: `},
		"regions = \"eu-west-1\"":                                         {`f:1: regions takes a list of texts`, `regions = ["eu-west-1"`},
		"regions = [\"eu-west-1.evil.example\"]":                          {`f:1: "eu-west-1.evil.example" is no region`},
		"[functions]\ncolumns = [\"name\", \"size\"]":                     {`f:2: there is no column "size", but name,`, `columns = [`},
		"[functions]\ncolumns = [\"name\", \"name\"]":                     {`f:2: name stands twice`},
		"[functions]\ncolumns = [\"layers\"]":                             {`f:2: name can't be left out`},
		"[functions]\nsort = \"-nothing\"":                                {`f:2: there is no column "nothing"`},
		"[functions.widths]\nname = 1000":                                 {`f:2: a column is 3 to 120 wide, not 1000`},
		"[functions]\n\n[functions.widths]\nlayers = \"3\"":               {`f:4: functions.widths.layers takes a whole number`},
		"[filters]\nbig = \"/(/\"":                                        {`f:2: /(/ is not a regular expression`},
		"[filters]\n\"a b\" = \"x\"":                                      {`f:2: a filter's name is letters`},
		"[filters]\nx = \"\"":                                             {`f:2: x filters nothing`},
		"[keys]\nrefresh = [\"m\"]":                                       {`f:2: m already means migrate (functions)`, `migrate = ["ctrl+g"]`},
		"[keys]\nrefresh = [\"esc\"]":                                     {`f:2: esc always means back`},
		"[keys]\nrefresh = [\"ctrl+c\"]":                                  {`f:2: ctrl+c always means quit`},
		"[keys]\nrefresh = [\"return\"]":                                  {`f:2: "return" is no key`},
		"[keys]\nrefresh = []":                                            {`f:2: refresh needs a key`},
		"[keys]\nfly = [\"f\"]":                                           {`f:2: there is no action "fly"`},
		"[keys]\nrefresh = [\"z\"]\nexport = [\"z\"]":                     {`f:2: z already means export`, `f:3: z already means refresh`},
		"[keys]\nlayers = [\"?\"]":                                        {`f:2: ? already means help`},
		"theme = \"x\"\n[keys]\nfly = [\"f\"]\n[functions]\nsort = \"y\"": {"f:1: ", "f:3: ", "f:5: "},
		"[keys]\nrefresh = [\"m\"]\nmigrate = [\"m\"]\n[keys.x]\ny = [\"z\"]\n": {"f:4: "},
	} {
		_, err := Parse("f", []byte(text))
		var errs Errors
		if !errors.As(err, &errs) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %q is missing in\n%s", text, w, err)
			}
		}
	}
}

// Keys may change places: what is bound away is free.
func TestKeysMayChangePlaces(t *testing.T) {
	if _, err := Parse("f", []byte("[keys]\nlayers = [\"J\"]\njournal = [\"L\"]")); err != nil {
		t.Error(err)
	}
}

func TestOnlyAFileIsRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); err == nil {
		t.Error("a directory was read")
	}
	big := filepath.Join(dir, "big.toml")
	if err := os.WriteFile(big, make([]byte, maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(big); err == nil {
		t.Error("a huge file was read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("theme = \"dark\"\n[keys]\nx = [\"y\"]")
	f.Add("functions = { widths = { name = 3 } }\n[[a]]\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Parse("f", []byte(text))
		var errs Errors
		if err != nil && !errors.As(err, &errs) {
			t.Fatalf("%T: %v", err, err)
		}
	})
}
