package export

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/screen"
)

// Written tells a screen how writing a file ended.
type Written struct {
	By   screen.Screen
	Note screen.Effect
}

// Content is what a file gets. What is how it is called once it is written.
type Content struct {
	What  string
	Write func(io.Writer) error
}

// tableFormats are the endings that AskTable knows, for people.
const tableFormats = ".csv or .json"

// Ask asks for a new file's name, ending in one of formats; then gets its path.
// name is what the example is called.
func Ask(name, formats, body string, then func(path string) screen.Effect) screen.Effect {
	return screen.Effect{Ask: &screen.Question{
		Dialog: dialog.Entry("Export", "a new file's name, ending in "+formats, name, body),
		Then: func(name string) screen.Effect {
			if name == "" {
				return screen.Effect{}
			}
			return then(dialog.Path(name))
		},
	}}
}

// AskTable asks for a file's name whose ending chooses CSV or JSON, and writes it
// in the background; by gets a Written. csv and json are called when the name is
// known, and what they return is used in another goroutine.
func AskTable(by screen.Screen, name, body string, csv, json func() Content) screen.Effect {
	return Ask(name, tableFormats, body, func(path string) screen.Effect {
		var c Content
		switch ending(path) {
		case ".csv":
			c = csv()
		case ".json":
			c = json()
		default:
			return screen.Say(screen.Bad, wrongEnding(path, tableFormats).Error())
		}
		return screen.Effect{Cmd: func() tea.Msg {
			if err := File(path, c.Write); err != nil {
				return Written{by, screen.Say(screen.Bad, err.Error())}
			}
			return Written{by, screen.Say(screen.Good, "wrote "+c.What+" to "+path)}
		}}
	})
}

func ending(path string) string { return strings.ToLower(filepath.Ext(path)) }

func wrongEnding(path, formats string) error {
	return fmt.Errorf("export: the name must end in %s, which chooses the format: %s does not", formats, path)
}
