package image

import "slices"

// Severity is how sure it is that a finding matters.
type Severity string

const (
	// Refused: Lambda refuses the image, or what it starts is sure to fail.
	// The JSON word is "error".
	Refused Severity = "error"
	// Doubtful: reported to fail, or against the specification in a way that
	// Lambda is not known to take; or it fails when the path is used, or unless the
	// function's ImageConfig says otherwise, or as it does in a zip, too.
	Doubtful Severity = "warning"
	// Remark: worth knowing, nothing to repair.
	Remark Severity = "note"
)

// Moment is when a broken rule shows.
type Moment string

// The moments at which rules show.
const (
	AtCreate Moment = "create" // CreateFunction and UpdateFunctionCode answer, or end in State Failed with InvalidImage
	AtRun    Moment = "run"    // the function's start or an invocation fails
)

// Rule is one rule of Lambda's image reader, or of what runs the image.
type Rule struct {
	ID       string
	Severity Severity // of its findings, unless a finding says why it is milder
	Shows    Moment
	About    string
}

// Rules lists the rules of Lint, worst first.
//
// Lambda documents: one platform, Docker's image manifest V2 schema 2 or OCI's
// v1, 10 GB, files readable by any user, an absolute entrypoint
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html), a manifest
// below 25,400 bytes (the same page), ten extensions
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html). The
// rules for the tar are known from deployments that were refused
// (https://github.com/aws/aws-lambda-web-adapter/issues/236,
// https://github.com/nlewo/nix2container/pull/54,
// https://github.com/aspect-build/rules_aws/pull/145). Where one report stands
// alone, or images that break the rule are known to run as well, the rule is a
// warning.
func Rules() []Rule {
	return []Rule{
		{"single-platform", Refused, AtCreate, "the manifest is one image's, not an index of several"},
		{"platform", Refused, AtCreate, "the configuration says linux and amd64 or arm64"},
		{"media-type", Refused, AtCreate, "manifest, configuration and layers have types that Lambda takes, all Docker's or all OCI's"},
		{"manifest-size", Refused, AtCreate, "the manifest is smaller than 25,400 bytes"},
		{"unpacked-size", Refused, AtCreate, "all layers together unpack to no more than 10 GB"},
		{"digest", Refused, AtCreate, "layers and configuration are the bytes that their digests name"},
		{"diff-id", Refused, AtCreate, "the configuration names every layer's tar, in order"},
		{"layer-read", Refused, AtCreate, "every layer can be read to its end"},
		{"layer-gzip", Refused, AtCreate, "layers are compressed with gzip, as their media type says"},
		{"parent-directory", Refused, AtCreate, "in each layer every parent directory has an entry of its own, before its children"},
		{"unsafe-path", Refused, AtCreate, "no name leads out of the image"},
		{"gzip-member", Doubtful, AtCreate, "a layer is one gzip member, with nothing behind it"},
		{"hard-link", Doubtful, AtCreate, "no file is a hard link to another"},
		{"duplicate-path", Doubtful, AtCreate, "no layer holds a path twice"},
		{"special-file", Doubtful, AtCreate, "there are no devices, pipes or sockets"},
		{"cmd", Refused, AtRun, "with AWS's entrypoint, CMD is exactly one word: the handler"},
		{"extension-count", Refused, AtRun, "/opt/extensions holds ten at most"},
		{"entrypoint", Doubtful, AtRun, "what is started is named by its absolute path, and is there"},
		{"extension-file", Doubtful, AtRun, "everything in /opt/extensions can be started: Lambda starts each file there"},
		{"world-readable", Doubtful, AtRun, "every user can read the files and search the directories below /var/task and /opt"},
		{"owner", Doubtful, AtRun, "files below /var/task and /opt belong to user and group 0"},
		{"whiteout", Remark, AtCreate, "a layer deletes files of the layers below it"},
	}
}

func ruleFor(id string) Rule {
	rules := Rules()
	return rules[slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })]
}

// Finding is one broken rule of Lambda's image reader.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Path     string   `json:"path,omitempty"`  // absolute in the image
	Layer    string   `json:"layer,omitempty"` // digest of the image layer
	Message  string   `json:"message"`
	Remedy   string   `json:"remedy"`
}

// where names the finding's place for an error message.
func (f Finding) where() string {
	switch {
	case f.Path != "" && f.Layer != "":
		return f.Path + " in image layer " + f.Layer
	case f.Path != "":
		return f.Path
	case f.Layer != "":
		return "image layer " + f.Layer
	default:
		return "the image"
	}
}

// Errors returns the findings that are sure to fail.
func Errors(all []Finding) []Finding { return atLeast(all, Refused) }

// Broken returns the findings that a rule was broken by: all but the notes.
func Broken(all []Finding) []Finding { return atLeast(all, Refused, Doubtful) }

func atLeast(all []Finding, which ...Severity) []Finding {
	var out []Finding
	for _, f := range all {
		if slices.Contains(which, f.Severity) {
			out = append(out, f)
		}
	}
	return out
}
