package account

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/build/overlay"
	"github.com/optlift/optlift/build/zipdir"
)

// LayerVersionReport is a layer version of the account's functions. Sizes are
// bytes; a list is never null but where it says so.
type LayerVersionReport struct {
	ARN      string `json:"arn"`
	Name     string `json:"name"`
	Version  int64  `json:"version"`
	Region   string `json:"region"`
	Owner    string `json:"owner"`   // account id
	Foreign  bool   `json:"foreign"` // of another account than its functions
	Size     int64  `json:"size"`
	Unzipped *int64 `json:"unzipped"`
	State    State  `json:"state"`
	Message  string `json:"message"`
	Checked  string `json:"checked,omitempty"` // when an earlier audit was told the state
	SHA256   string `json:"sha256,omitempty"`  // of the zip, base64

	Functions []string `json:"functions"` // ARNs, sorted

	// What its publisher declares, null where the layer version can't be read; and
	// what the functions run. A declaration binds nobody: Lambda attaches a layer
	// to any function.
	DeclaredRuntimes      []string        `json:"declaredRuntimes"`
	DeclaredArchitectures []string        `json:"declaredArchitectures"`
	UsedRuntimes          []string        `json:"usedRuntimes"`
	UsedArchitectures     []string        `json:"usedArchitectures"`
	Undeclared            []UndeclaredUse `json:"undeclared"`

	// Newest is the layer's newest version, null where that is not known:
	// NewestState tells why.
	Newest        *int64 `json:"newest"`
	NewestState   State  `json:"newestState"`
	NewestMessage string `json:"newestMessage"`

	SameContent []SameContent `json:"sameContent"` // under another name or version

	Publisher string `json:"publisher,omitempty"` // known by the ARN
	// Image is the publisher's own image of the same files, as its documents say.
	Image  string `json:"image,omitempty"`
	Source string `json:"source,omitempty"` // of what is told of the publisher
}

// UndeclaredUse is a function that runs a layer version on what its publisher
// does not declare.
type UndeclaredUse struct {
	Function     string `json:"function"`               // ARN
	Runtime      string `json:"runtime,omitempty"`      // "" where it is declared
	Architecture string `json:"architecture,omitempty"` // likewise
}

// SameContent is another layer version with the same content.
type SameContent struct {
	ARN string `json:"arn"`
	// Same is "archive" where the zips are the same bytes, "files" where they hold
	// the same paths with the same sizes and checksums.
	Same string `json:"same"`
}

const foreignNewest = "only the account that publishes a layer can list its versions"

// LayerReports tells of the layer versions of functions, sorted by ARN, with what
// is known of newest versions. Each function comes once.
func LayerReports(facts []*Facts, newest []*NewestLayers) []LayerVersionReport {
	r := &Report{Layers: reportLayers(facts)}
	for _, n := range newest {
		r.TakeNewest(n)
	}
	return r.Layers
}

// reportLayers gathers the layer versions of functions, sorted by ARN.
func reportLayers(facts []*Facts) []LayerVersionReport {
	publishers := overlay.AllPublishers()
	byARN := map[string]*LayerVersionReport{}
	content := map[string]string{}
	for _, f := range facts {
		for _, l := range f.LayerFacts {
			r := byARN[l.ARN]
			if r == nil {
				r = newLayerReport(l, AccountOfARN(f.ARN))
				byARN[l.ARN], content[l.ARN] = r, l.content
				if v, image := publishers.Of(l.ARN); v != nil {
					r.Publisher, r.Image, r.Source = v.Publisher, image, v.Source
				}
			}
			r.use(&f.Function)
		}
	}
	out := make([]LayerVersionReport, 0, len(byARN))
	for _, r := range byARN {
		slices.Sort(r.Functions)
		slices.Sort(r.UsedRuntimes)
		slices.Sort(r.UsedArchitectures)
		slices.SortFunc(r.Undeclared, func(a, b UndeclaredUse) int { return cmp.Compare(a.Function, b.Function) })
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b LayerVersionReport) int { return cmp.Compare(a.ARN, b.ARN) })
	for i := range out {
		for j := range out {
			a, b := &out[i], &out[j]
			switch {
			case i == j:
			case a.SHA256 != "" && a.SHA256 == b.SHA256:
				a.SameContent = append(a.SameContent, SameContent{b.ARN, "archive"})
			case content[a.ARN] != "" && content[a.ARN] == content[b.ARN]:
				a.SameContent = append(a.SameContent, SameContent{b.ARN, "files"})
			}
		}
	}
	return out
}

func newLayerReport(l *LayerVersion, account string) *LayerVersionReport {
	name, number, _ := cutLast(l.ARN, ":")
	r := &LayerVersionReport{
		ARN: l.ARN, Name: name[strings.LastIndex(name, ":")+1:], Region: RegionOfARN(l.ARN), Owner: OwnerOfLayer(l.ARN),
		Size: l.Size, Unzipped: l.size(), State: l.State, Message: l.Message, Checked: stamp(l.Asked), SHA256: l.CodeSHA256,
		Functions: []string{}, UsedRuntimes: []string{}, UsedArchitectures: []string{}, Undeclared: []UndeclaredUse{},
		NewestState: Unknown, SameContent: []SameContent{},
	}
	r.Version, _ = strconv.ParseInt(number, 10, 64) // an ARN's, always a number
	if r.Foreign = r.Owner != account; r.Foreign {
		r.NewestState, r.NewestMessage = Denied, foreignNewest
	}
	if l.CodeSHA256 != "" {
		r.DeclaredRuntimes, r.DeclaredArchitectures = append([]string{}, l.Runtimes...), append([]string{}, l.Architectures...)
	}
	return r
}

// use counts a function in.
func (r *LayerVersionReport) use(f *Function) {
	// A function comes once, with all of its layers.
	if n := len(r.Functions); n > 0 && r.Functions[n-1] == f.ARN {
		return
	}
	r.Functions = append(r.Functions, f.ARN)
	u := UndeclaredUse{Function: f.ARN}
	if !slices.Contains(r.UsedRuntimes, f.Runtime) {
		r.UsedRuntimes = append(r.UsedRuntimes, f.Runtime)
	}
	if !slices.Contains(r.UsedArchitectures, f.Architecture) {
		r.UsedArchitectures = append(r.UsedArchitectures, f.Architecture)
	}
	// Declaring nothing allows everything.
	if len(r.DeclaredRuntimes) > 0 && !slices.Contains(r.DeclaredRuntimes, f.Runtime) {
		u.Runtime = f.Runtime
	}
	if len(r.DeclaredArchitectures) > 0 && !slices.Contains(r.DeclaredArchitectures, f.Architecture) {
		u.Architecture = f.Architecture
	}
	if u.Runtime != "" || u.Architecture != "" {
		r.Undeclared = append(r.Undeclared, u)
	}
}

// TakeNewest adds what an audit was told of newest versions. What is told of one
// account's layers also serves the functions of others.
func (r *Report) TakeNewest(n *NewestLayers) {
	for i := range r.Layers {
		l := &r.Layers[i]
		if l.Region != n.Region {
			continue
		}
		layer, _, _ := cutLast(l.ARN, ":")
		newest, listed := n.Versions[layer]
		switch {
		case listed:
			l.Newest, l.NewestState, l.NewestMessage = &newest, OK, ""
		case l.Foreign || l.Newest != nil || l.Owner != n.Account:
		case n.State != OK:
			l.NewestState, l.NewestMessage = n.State, n.Message
		default:
			l.NewestState, l.NewestMessage = Deleted, "the account has no version of this layer any more"
		}
	}
}

// Outdated tells whether a newer version is known.
func (r *LayerVersionReport) Outdated() bool { return r.Newest != nil && *r.Newest > r.Version }

// AccountOfARN is the account of an ARN, "" where there is none in it.
func AccountOfARN(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// contentOf stands for the files of an archive: their paths, kinds, sizes and
// CRC-32, in whatever order. Directories and modes count for nothing.
func contentOf(dir *zipdir.Directory) string {
	var sum [2]uint64
	var b [17]byte
	files := uint64(0)
	for i := range dir.Entries {
		e := &dir.Entries[i]
		if e.Kind == zipdir.Dir {
			continue
		}
		files++
		h := fnv.New128a()
		_, _ = h.Write([]byte(e.Name)) // never fails
		binary.BigEndian.PutUint64(b[:], uint64(e.Size))
		binary.BigEndian.PutUint32(b[8:], e.CRC32)
		b[12] = byte(e.Kind)
		_, _ = h.Write(b[:])
		one := h.Sum(nil)
		sum[0] += binary.BigEndian.Uint64(one)
		sum[1] += binary.BigEndian.Uint64(one[8:])
	}
	out := binary.BigEndian.AppendUint64(nil, files)
	out = binary.BigEndian.AppendUint64(out, sum[0])
	return hex.EncodeToString(binary.BigEndian.AppendUint64(out, sum[1]))
}
