package image

import v1 "github.com/google/go-containerregistry/pkg/v1"

// Report is what `optlift build --json` prints. Its fields are stable: more may
// come, none is renamed.
type Report struct {
	Schema       int           `json:"schema"`
	Digest       string        `json:"digest"`
	MediaType    string        `json:"mediaType"` // of the manifest
	Platform     string        `json:"platform"`  // "linux/amd64"
	Output       string        `json:"output"`
	Size         int64         `json:"size"`         // compressed bytes of all layers, the base's included
	Uncompressed int64         `json:"uncompressed"` // bytes of the same layers as tar
	Base         ReportBase    `json:"base"`
	Layers       []ReportLayer `json:"layers"` // one for each archive, in order, code last
	Findings     []Finding     `json:"findings"`
	Proof        *Proof        `json:"proof"`
}

// ReportBase is the base image of a Report.
type ReportBase struct {
	Ref    string `json:"ref"`
	Digest string `json:"digest"`
}

// ReportLayer is one image layer that was made from an archive.
type ReportLayer struct {
	Source       string `json:"source"`
	Digest       string `json:"digest"`
	DiffID       string `json:"diffId"`
	Size         int64  `json:"size"`         // compressed bytes
	Uncompressed int64  `json:"uncompressed"` // bytes of the tar
	MediaType    string `json:"mediaType"`
	Image        string `json:"image,omitempty"` // that the files were taken from
}

// Report describes a build that went to output.
func (b *Built) Report(output string) Report {
	r := Report{
		Schema:       1,
		Digest:       digestOf(b.Image),
		MediaType:    string(familyOf(b.Base.MediaType).manifest),
		Platform:     b.Base.Platform.String(),
		Output:       output,
		Size:         b.Size,
		Uncompressed: b.Uncompressed,
		Base:         ReportBase{Ref: b.Base.Reference, Digest: b.Base.Digest.String()},
		Layers:       make([]ReportLayer, 0, len(b.Layers)),
		Findings:     b.Findings,
		Proof:        b.Proof,
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	for _, l := range b.Layers {
		r.Layers = append(r.Layers, ReportLayer{
			Source: l.Source.Name, Digest: l.Result.Digest.String(), DiffID: l.Result.DiffID.String(),
			Size: l.Result.Size, Uncompressed: l.Result.Uncompressed, MediaType: string(familyOf(b.Base.MediaType).layer),
			Image: l.Source.Image,
		})
	}
	return r
}

// digestOf returns the digest of a composed image, which was computed when it
// was composed and so can't fail any more.
func digestOf(img v1.Image) string {
	d, err := img.Digest()
	if err != nil {
		return ""
	}
	return d.String()
}
