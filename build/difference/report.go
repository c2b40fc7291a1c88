package difference

import (
	"context"

	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/build/optfs"
)

// Subject is what a target unpacks to; either tree may be nil.
type Subject struct {
	Name string
	Opt  *optfs.Tree // layers merged, below /opt
	Task *optfs.Tree // a function's code, below /var/task
}

// Report is what sets two targets apart. Fields may be added, never renamed;
// lists are never null.
type Report struct {
	Schema   int        `json:"schema"` // 1
	Equal    bool       `json:"equal"`  // no file differs
	Old      ReportSide `json:"old"`
	New      ReportSide `json:"new"`
	Files    []File     `json:"files"`    // sorted by path, those below /opt first
	Packages []Package  `json:"packages"` // sorted by ecosystem and name
}

// ReportSide is one of the targets.
type ReportSide struct {
	Target string             `json:"target"`
	Size   int64              `json:"size"`   // bytes of the files that are seen
	Unread []inventory.Unread `json:"unread"` // what should tell of packages and does not
}

// Compare compares two targets: files byte by byte, and packages.
func Compare(ctx context.Context, old, now Subject) (*Report, error) {
	r := &Report{Schema: 1}
	var packages [2]*inventory.Inventory
	for i, s := range []Subject{old, now} {
		var err error
		if packages[i], err = inventory.Take(ctx, s.Opt, s.Task); err != nil {
			return nil, err
		}
		side := ReportSide{Target: s.Name, Unread: packages[i].Unread}
		for _, t := range []*optfs.Tree{s.Opt, s.Task} {
			if t != nil {
				side.Size += t.Size
			}
		}
		*[]*ReportSide{&r.Old, &r.New}[i] = side
	}
	r.Packages = Packages(packages[0], packages[1])
	opt, err := Files(ctx, "/opt", old.Opt, now.Opt, true)
	if err != nil {
		return nil, err
	}
	task, err := Files(ctx, "/var/task", old.Task, now.Task, true)
	if err != nil {
		return nil, err
	}
	r.Files = append(opt, task...)
	r.Equal = len(r.Files) == 0
	return r, nil
}
