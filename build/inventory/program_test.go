package inventory

import (
	"debug/buildinfo"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A module that was replaced is its replacement, unless that is a directory: of
// what lay there nothing is known.
func TestModules(t *testing.T) {
	info := &buildinfo.BuildInfo{
		GoVersion: "go1.26.1 X:nodwarf5", Main: debug.Module{Path: "example.com/app", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "example.com/plain", Version: "v1.2.3"},
			{Path: "example.com/forked", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.0.1"}},
			{Path: "example.com/local", Version: "v2.0.0", Replace: &debug.Module{Path: "../local"}},
			{Path: "example.com/rooted", Version: "v2.0.0", Replace: &debug.Module{Path: "/src/rooted", Version: "(devel)"}},
		},
	}
	var got []string
	for _, f := range modules(info) {
		got = append(got, string(f.ecosystem)+" "+f.name+" "+f.version)
	}
	want := []string{"go stdlib 1.26.1", "go example.com/app ", "go example.com/plain v1.2.3", "go example.org/fork v1.0.1", "go example.com/local ", "go example.com/rooted "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
}
