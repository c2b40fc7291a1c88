package main

import (
	_ "embed"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/spf13/cobra"
)

// licenseTable names the licence of each module that may be in the program, one a
// line: MODULE SPDX-EXPRESSION. A test holds it against the modules themselves.
//
//go:embed licenses.txt
var licenseTable string

// part is one module inside the program.
type part struct {
	Module  string `json:"module"`
	Version string `json:"version"`
	License string `json:"license"` // an SPDX expression
}

// licenses reads the table.
func licenses() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(licenseTable) {
		if module, license, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			out[module] = license
		}
	}
	return out
}

// parts are the modules that the build recorded, and Go's own library.
func parts() []part {
	known := licenses()
	out := []part{{"std", strings.TrimPrefix(runtime.Version(), "go"), "BSD-3-Clause"}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		out = append(out, part{m.Path, m.Version, orDefault(known[m.Path], "unknown")})
	}
	slices.SortFunc(out, func(a, b part) int { return strings.Compare(a.Module, b.Module) })
	return out
}

func newLicenses(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "licenses",
		Short: "List the modules inside this program with their versions and licences",
		Long: `List the Go modules that this very program was built from, as its build recorded
them, with their versions and licences. -o cyclonedx writes them as a bill of
materials. The licences' texts come with every release, in
THIRD-PARTY-NOTICES.txt.`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("output", format, "table", "json", "cyclonedx"); err != nil {
				return err
			}
			return printLicenses(a.io, format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json or cyclonedx")
	return cmd
}

func printLicenses(s *streams, format string) error {
	switch format {
	case "json":
		return s.printJSON(struct {
			Schema  int    `json:"schema"`
			Version string `json:"version"`
			Modules []part `json:"modules"`
		}{1, version(), parts()})
	case "cyclonedx":
		return printBOM(s)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, p := range parts() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Module, p.Version, p.License)
	}
	return w.Flush()
}

// printBOM writes CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). It carries
// no time and no serial number: the same program writes the same bytes.
func printBOM(s *streams) error {
	bom := cyclonedx.NewBOM()
	root := "pkg:golang/github.com/optlift/optlift@" + version()
	bom.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{
		BOMRef: root, Type: cyclonedx.ComponentTypeApplication, Name: "optlift", Version: version(), PackageURL: root,
		Licenses: &cyclonedx.Licenses{{Expression: "MIT"}},
	}}
	components, refs := []cyclonedx.Component{}, []string{}
	for _, p := range parts() {
		ref := "pkg:golang/" + p.Module + "@" + p.Version
		components = append(components, cyclonedx.Component{
			BOMRef: ref, Type: cyclonedx.ComponentTypeLibrary, Name: p.Module, Version: p.Version, PackageURL: ref,
			Licenses: &cyclonedx.Licenses{{Expression: p.License}},
		})
		refs = append(refs, ref)
	}
	bom.Components = &components
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: root, Dependencies: &refs}}
	e := cyclonedx.NewBOMEncoder(s.out, cyclonedx.BOMFileFormatJSON).SetPretty(true)
	return e.EncodeVersion(bom, cyclonedx.SpecVersion1_6)
}
