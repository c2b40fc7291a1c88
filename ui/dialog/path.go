package dialog

import (
	"os"
	"path/filepath"
	"strings"
)

// Path is a path as people type it: "~/" is their home directory.
func Path(typed string) string {
	rest, ok := strings.CutPrefix(typed, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return typed
	}
	return filepath.Join(home, rest)
}
