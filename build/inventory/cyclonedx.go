package inventory

import (
	"fmt"
	"io"
	"strconv"

	"github.com/CycloneDX/cyclonedx-go"
)

// Subject is what a bill of materials is about.
type Subject struct {
	// Name is the function's or the layer's, Version its version if it has one.
	Name    string
	Version string
	// ToolVersion is the version of this program.
	ToolVersion string
}

// WriteCycloneDX writes the packages that are seen, not the shadowed ones, as
// CycloneDX 1.6 JSON (https://cyclonedx.org/docs/1.6/json/). A package at
// several places is one component with several occurrences. The document holds
// neither a time nor a serial number, so that the same packages give the same
// bytes. What could not be read is in the metadata as properties, and the
// composition is then said to be incomplete.
func (inv *Inventory) WriteCycloneDX(w io.Writer, subject Subject) error {
	const root = "subject"
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Component: &cyclonedx.Component{BOMRef: root, Type: cyclonedx.ComponentTypeApplication, Name: subject.Name, Version: subject.Version},
		Tools: &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{
			{Type: cyclonedx.ComponentTypeApplication, Name: "optlift", Version: subject.ToolVersion},
		}},
	}
	if len(inv.Unread) > 0 {
		properties := make([]cyclonedx.Property, len(inv.Unread))
		for i, u := range inv.Unread {
			properties[i] = cyclonedx.Property{Name: "optlift:unread", Value: u.Path + ": " + u.Reason}
		}
		bom.Metadata.Properties = &properties
	}
	components := inv.components()
	bom.Components = &components
	aggregate := cyclonedx.CompositionAggregateUnknown
	if len(inv.Unread) > 0 {
		aggregate = cyclonedx.CompositionAggregateIncomplete
	}
	bom.Compositions = &[]cyclonedx.Composition{{Aggregate: aggregate, Assemblies: &[]cyclonedx.BOMReference{root}}}
	encoder := cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON)
	if err := encoder.SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		return fmt.Errorf("write CycloneDX: %w", err)
	}
	return nil
}

func (inv *Inventory) components() []cyclonedx.Component {
	type key struct {
		ecosystem           Ecosystem
		name, version, purl string
	}
	at := map[key]int{}
	var components []cyclonedx.Component
	for _, p := range inv.Packages {
		if p.Shadowed {
			continue
		}
		k := key{p.Ecosystem, p.Name, p.Version, p.PURL}
		i, known := at[k]
		if !known {
			i = len(components)
			at[k] = i
			components = append(components, cyclonedx.Component{
				BOMRef: strconv.Itoa(i + 1), Type: cyclonedx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, PackageURL: p.PURL,
				Evidence: &cyclonedx.Evidence{Occurrences: &[]cyclonedx.EvidenceOccurrence{}},
			})
		}
		occurrences := components[i].Evidence.Occurrences
		*occurrences = append(*occurrences, cyclonedx.EvidenceOccurrence{Location: p.Path})
	}
	return components
}
