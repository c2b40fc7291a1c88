package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

var (
	nodeModule = regexp.MustCompile(`(?:^|/)node_modules/((?:@[^/]+/)?[^/@.][^/]*)/package\.json$`)
	nodeTop    = regexp.MustCompile(`^nodejs(/node\d+)?/node_modules/(@[^/]+/)?[^/]+/package\.json$`)
	nodeOwn    = regexp.MustCompile(`^node_modules/(@[^/]+/)?[^/]+/package\.json$`)
)

// isNode finds the manifest of a module, and not those of a module's parts.
func isNode(_, name string) bool {
	return strings.HasSuffix(name, "/package.json") && nodeModule.MatchString(name)
}

func readNode(_ context.Context, s *scan, e *zipdir.Entry) error {
	text, err := s.content(e)
	if err != nil {
		return err
	}
	var manifest struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	var typo *json.UnmarshalTypeError // a version that is no text is not known
	if err := json.Unmarshal(text, &manifest); err != nil && !errors.As(err, &typo) {
		return fmt.Errorf("not the manifest of a module: %w", err)
	}
	if manifest.Name == "" {
		manifest.Name = nodeModule.FindStringSubmatch(e.Name)[1]
	}
	top := nodeTop
	if s.root == taskRoot {
		top = nodeOwn
	}
	s.add(e.Name, found{ecosystem: Node, name: manifest.Name, version: manifest.Version, top: top.MatchString(e.Name)})
	return nil
}
