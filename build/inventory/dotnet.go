package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

// isDeps finds what a .NET program says it was built with
// (https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md).
func isDeps(_, name string) bool { return strings.HasSuffix(name, ".deps.json") }

func readDeps(_ context.Context, s *scan, e *zipdir.Entry) error {
	text, err := s.content(e)
	if err != nil {
		return err
	}
	var deps struct {
		Libraries map[string]struct {
			Type string `json:"type"`
		} `json:"libraries"`
	}
	if err := json.Unmarshal(text, &deps); err != nil {
		return fmt.Errorf("not a list of libraries: %w", err)
	}
	for _, full := range slices.Sorted(maps.Keys(deps.Libraries)) {
		name, version, ok := strings.Cut(full, "/")
		if ok && deps.Libraries[full].Type == "package" {
			s.add(e.Name, found{ecosystem: DotNet, name: name, version: version, top: s.root == taskRoot && path.Dir(e.Name) == "."})
		}
	}
	return nil
}
