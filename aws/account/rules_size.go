package account

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/optlift/optlift/build/image"
)

func sizeRules() []Rule {
	// Each step speaks up to the next one, so that a function has at most one
	// of these findings.
	step := func(id, severity string, from, to float64) Rule {
		return Rule{
			ID: id, Severity: severity, Title: "the unzipped size comes near the limit", Docs: docsLimits,
			Remedy: "drop or slim layers, or move the function to a container image (optlift plan)",
			check: func(s *subject) []string {
				if p := s.Percent(); !s.Known || p < from || p >= to {
					return nil
				}
				return one("code and layers are %s unzipped, %.1f %% of the limit of 250 MB", humanize.IBytes(uint64(s.Total)), s.Percent())
			},
		}
	}
	return []Rule{
		{
			ID: "size-limit", Severity: Error, Title: "the unzipped size is not below the limit", Docs: docsLimits,
			Remedy: "any update of the code or the layers will be refused: slim it, or move the function to a container image (optlift plan)",
			check: func(s *subject) []string {
				if !s.Known || s.Total < UnzippedLimit {
					return nil
				}
				return one("code and layers are %d bytes unzipped and must be below %d", s.Total, UnzippedLimit)
			},
		},
		step("size-over-95", Error, 95, 100),
		step("size-over-80", Warning, 80, 95),
		{
			ID: "size-unknown", Severity: Warning, Title: "the unzipped size could not be measured", Docs: docsLimits,
			Remedy: "make the archives named readable and audit again",
			check: func(s *subject) []string {
				if s.Known || s.PackageType == "Image" {
					return nil
				}
				var why []string
				if s.Code.State != OK {
					why = append(why, fmt.Sprintf("code %s: %s", s.Code.State, s.Code.Message))
				}
				for _, l := range s.LayerFacts {
					if l.State != OK {
						why = append(why, fmt.Sprintf("layer %s %s", l.ARN, l.State))
					}
				}
				return one("the unzipped size is unknown: %s", strings.Join(why, "; "))
			},
		},
	}
}

// Percent is the unzipped sum in percent of the limit; meaningful when Known is set.
func (f *Facts) Percent() float64 { return float64(f.Total) / UnzippedLimit * 100 }

func archiveRules() []Rule {
	layers := func(state State, format string) func(s *subject) []string {
		return func(s *subject) (out []string) {
			for _, l := range s.LayerFacts {
				if l.State == state {
					out = append(out, fmt.Sprintf(format, l.ARN, l.Message))
				}
			}
			return out
		}
	}
	return []Rule{
		{
			ID: "layer-deleted", Severity: Error, Title: "a layer version has been deleted", Docs: docsDelete,
			Remedy: "publish the layer's content again and attach the new version; do not delete the function, it could not be created again as it is",
			check:  layers(Deleted, "layer version %s does not exist any more: the function runs on Lambda's own copy (%s)"),
		},
		{
			ID: "layer-denied", Severity: Warning, Title: "a layer version may not be read", Docs: docsLayers,
			Remedy: "ask the layer's owner for lambda:GetLayerVersion on it, or for the permission in this account",
			check:  layers(Denied, "layer version %s may not be read, so its files and size are unknown: %s"),
		},
		{
			ID: "layer-unreadable", Severity: Error, Title: "a layer's archive can't be read", Docs: docsLayers,
			Remedy: "audit again; if it stays so, publish the layer again from its source",
			check:  layers(Failed, "layer version %s can't be read: %s"),
		},
		{
			ID: "code-unreadable", Severity: Error, Title: "the function's zip can't be read", Docs: docsLimits,
			Remedy: "audit again; if it stays so, deploy the code again from its source",
			check: func(s *subject) []string {
				if s.PackageType == "Image" || s.Code.State == OK || s.Code.State == Denied {
					return nil
				}
				return one("the code can't be read: %s", s.Code.Message)
			},
		},
		{
			ID: "code-denied", Severity: Warning, Title: "the function's zip may not be read", Docs: docsLimits,
			Remedy: "ask for lambda:GetFunction on the function",
			check: func(s *subject) []string {
				if s.PackageType == "Image" || s.Code.State != Denied {
					return nil
				}
				return one("the code may not be read: %s", s.Code.Message)
			},
		},
		{
			ID: "tags-unknown", Severity: Note, Title: "the tags could not be read", Docs: docsTags,
			Remedy: "ask for lambda:GetFunction and lambda:ListTags on the function",
			check: func(s *subject) []string {
				if s.TagsState == OK {
					return nil
				}
				return one("the tags could not be read, so whether a stack manages the function is unknown")
			},
		},
		{
			ID: "environment-unknown", Severity: Warning, Title: "the environment could not be decrypted", Docs: docsEnv,
			Remedy: "ask for kms:Decrypt on the function's key; check that the key is enabled",
			check: func(s *subject) []string {
				if s.EnvError == "" {
					return nil
				}
				return one("Lambda can't decrypt the environment, so wrapper and internal extensions are unknown: %s", s.EnvError)
			},
		},
	}
}

func runtimeRules() []Rule {
	const soon = 180 // days
	return []Rule{
		{
			ID: "runtime-blocked", Severity: Error, Title: "the runtime can't be updated any more", Docs: docsRuntimes,
			Remedy: "move to a supported runtime; deleted, the function could not be created again",
			check: func(s *subject) []string {
				r, known := image.RuntimeFor(s.Runtime)
				if !known || r.Blocked.IsZero() || s.now.Before(r.Blocked) {
					return nil
				}
				return one("functions on %s can't be updated since %s", s.Runtime, r.Blocked.Format("2006-01-02"))
			},
		},
		{
			ID: "runtime-deprecated", Severity: Warning, Title: "the runtime's support has ended", Docs: docsRuntimes,
			Remedy: "move to a supported runtime: AWS stops patching deprecated ones, and then lets nobody create or update functions on them",
			check: func(s *subject) []string {
				r, known := image.RuntimeFor(s.Runtime)
				if !known || r.Deprecated.IsZero() || s.now.Before(r.Deprecated) {
					return nil
				}
				return one("support for %s ended on %s", s.Runtime, r.Deprecated.Format("2006-01-02"))
			},
		},
		{
			ID: "runtime-ending", Severity: Note, Title: "the runtime's support ends soon", Docs: docsRuntimes,
			Remedy: "plan the move to a newer runtime",
			check: func(s *subject) []string {
				r, known := image.RuntimeFor(s.Runtime)
				if !known || r.Deprecated.IsZero() || !s.now.Before(r.Deprecated) || s.now.AddDate(0, 0, soon).Before(r.Deprecated) {
					return nil
				}
				return one("support for %s ends on %s", s.Runtime, r.Deprecated.Format("2006-01-02"))
			},
		},
	}
}
