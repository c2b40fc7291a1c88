package account

import (
	"time"

	"github.com/optlift/optlift/build/zipdir"
)

// UnzippedLimit is what code and layers together must stay below, in bytes: 250
// times 1024 squared ("Unzipped size must be smaller than 262144000 bytes",
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const UnzippedLimit = 262144000

// Function is one function as ListFunctions tells it.
type Function struct {
	ARN          string // unqualified
	Name         string
	Region       string
	PackageType  string // "Zip" or "Image"
	Runtime      string // "" for images
	Handler      string // "" for images
	Architecture string // "x86_64" or "arm64"
	CodeSize     int64  // zip bytes, without layers
	CodeSHA256   string // as Lambda gives it: base64
	Layers       []LayerRef
	Wrapper      string   // value of AWS_LAMBDA_EXEC_WRAPPER, which is a path, not a secret
	EnvNames     []string // names only, sorted; values never leave this package
	// EnvError says why Lambda could not read the environment; then Wrapper and
	// EnvNames are unknown, not empty.
	EnvError     string
	Role         string
	Description  string
	MemoryMB     int
	TimeoutSec   int
	LastModified time.Time
}

// LayerRef is a layer version as a function lists it.
type LayerRef struct {
	ARN  string
	Size int64 // zip bytes
}

// State tells whether an archive could be read.
type State string

// The states of an archive. They are different answers on screen and in JSON.
const (
	Unknown State = "unknown" // not asked yet
	OK      State = "ok"
	Deleted State = "deleted"
	Denied  State = "denied"
	Failed  State = "failed"
)

// Archive is what is known of one zip.
type Archive struct {
	State    State
	Message  string // why State is not OK
	Unzipped int64  // bytes; meaningful when State is OK
	// Dir is the archive's file list where State is OK; its entries can't be
	// opened any more. Audit leaves it out: the lists of a whole account are
	// more than memory should hold.
	Dir *zipdir.Directory
	// heads are the first bytes of extensions, by name in the archive.
	heads map[string]head
}

// LayerVersion is a distinct layer version of the account's functions.
type LayerVersion struct {
	ARN           string
	Size          int64
	CodeSHA256    string
	Runtimes      []string // as its publisher declares; empty for none declared
	Architectures []string // likewise
	// Asked is when an earlier run was told that the layer version can be read,
	// or that it is gone; zero where this run has asked.
	Asked time.Time
	Archive
	content string // see contentOf; "" where the archive could not be read
}

// Extension is a Lambda extension a function carries.
type Extension struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"` // "external" or "internal"
	Executable bool   `json:"executable"`
	Source     string `json:"source"` // layer ARN, "code", or the environment variable's name
	// Format is "elf", "script" or "other" where the program's first bytes were
	// read, and Architecture the one an ELF file is built for, in Lambda's words.
	Format       string `json:"format,omitempty"`
	Architecture string `json:"architecture,omitempty"`
}

// Finding is something wrong with a function, with what to do about it.
type Finding struct {
	ID       string `json:"id"`
	Severity string `json:"severity"` // "error", "warning", "note"
	Message  string `json:"message"`
	Remedy   string `json:"remedy"`
	Docs     string `json:"docs,omitempty"` // page that the rule stands on
}

// Facts is a function with all that was measured of it.
type Facts struct {
	Function
	// Code is the function's own zip. An image has none: State Unknown, no message.
	Code       Archive
	LayerFacts []*LayerVersion // in the function's order
	// Total is the unzipped sum of code and layers; Known is false while any part
	// is not OK, and for images, whose files this sum does not describe.
	Total      int64
	Known      bool
	Extensions []Extension
	Findings   []Finding
	ManagedBy  string // "CloudFormation stack NAME", "" when no sign of it
	// TagsState tells whether the tags could be read, for ManagedBy.
	TagsState State
	// Asked is when an earlier run was told the tags and that the code can be
	// read; zero where this run has asked. Layer versions have a time of their own.
	Asked time.Time
	// Complete is set once everything has been asked.
	Complete bool
}

// Event is one step of an audit. Exactly one field is set.
type Event struct {
	Listed  *Function    // a function was found; follows its page at once
	Facts   *Facts       // a function is measured; the value is not changed afterwards. It may come twice: see Freshness
	Region  *RegionError // a region's listing failed or ended early
	Listing *Listing
	Newest  *NewestLayers // of the account's own layers in a region
}

// Listing tells how far the listing of a region is.
type Listing struct {
	Region string
	// Account tells whose region, where there are several accounts.
	Account string
	Found   int
	Done    bool
}

// RegionError is a region whose functions could not all be listed.
type RegionError struct {
	Region  string `json:"region"`
	Message string `json:"message"`
	// Account and Profile tell whose region, where there are several accounts.
	Account string `json:"account,omitempty"`
	Profile string `json:"profile,omitempty"`
}
