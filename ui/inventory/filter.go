package inventory

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
)

// columns of functions; true marks numbers.
var columns = filter.Columns{
	"name": false, "runtime": false, "arch": false, "type": false, "region": false, "managed": false,
	"layer": false, "layers": true, "zip": true, "size": true, "unzipped": true, "percent": true,
	"ext": false, "extensions": true, "finding": false, "findings": true, "handler": false, "env": false,
	"memory": true, "account": false, "profile": false,
	"arn": false, "modified": false, "code": true, "headroom": true, "deprecated": false, "limit": false, "checked": false,
	"publisher": false, "versions": false, "aliases": false,
}

// Columns are what functions can be filtered by.
func Columns() filter.Columns { return columns }

// FilterText implements filter.Row.
func (r *Row) FilterText() string { return r.text }

// FilterName implements filter.Row.
func (r *Row) FilterName() string { return r.name }

// FilterField implements filter.Row.
func (r *Row) FilterField(column string) []string {
	one := func(s string) []string { return []string{strings.ToLower(s)} }
	switch column {
	case "name":
		return []string{r.name}
	case "runtime":
		return one(r.Runtime)
	case "arch":
		return one(r.Architecture)
	case "type":
		return one(r.PackageType)
	case "region":
		return one(r.Region)
	case "account":
		return one(r.Account())
	case "profile":
		return one(r.profile)
	case "arn":
		return one(r.ARN)
	case "modified":
		return one(stamp(r.LastModified))
	case "deprecated":
		return one(r.Deprecated())
	case "limit":
		return one(strconv.Itoa(account.UnzippedLimit))
	case "publisher":
		return lower(r.publishers)
	case "versions":
		return one(r.Versions())
	case "aliases":
		return one(r.Aliases())
	case "handler":
		return one(r.Handler)
	case "layer", "layers":
		var out []string
		for _, l := range r.Layers {
			out = append(out, strings.ToLower(l.ARN))
		}
		return out
	case "env":
		return lower(r.EnvNames)
	}
	if r.Facts == nil {
		return nil
	}
	var out []string
	switch column {
	case "managed":
		return one(r.Facts.ManagedBy)
	case "checked":
		return one(r.Checked())
	case "ext", "extensions":
		return r.extensions
	case "finding", "findings":
		for _, f := range r.Facts.Findings {
			out = append(out, strings.ToLower(f.ID), strings.ToLower(f.Severity))
		}
	}
	return out
}

// FilterNumber implements filter.Row.
func (r *Row) FilterNumber(column string) (float64, filter.Presence) {
	image := r.PackageType == "Image"
	switch column {
	case "layers":
		return float64(len(r.Layers)), filter.Known
	case "memory":
		return float64(r.MemoryMB), filter.Known
	case "zip", "size", "unzipped", "percent", "code", "headroom":
		if image {
			return 0, filter.None
		}
	}
	switch column {
	case "zip":
		return float64(r.CodeSize), filter.Known
	case "size", "unzipped":
		n, known := r.Unzipped()
		return float64(n), filter.KnownIf(known)
	case "headroom":
		n, known := r.Headroom()
		return float64(n), filter.KnownIf(known)
	case "code":
		n, known := r.Code()
		return float64(n), filter.KnownIf(known)
	case "percent":
		n, known := r.Unzipped()
		return float64(n) / account.UnzippedLimit * 100, filter.KnownIf(known)
	}
	switch {
	case r.Facts == nil:
		return 0, filter.Unknown
	case column == "findings":
		return float64(len(r.Facts.Findings)), filter.Known
	case column == "extensions" && image:
		return 0, filter.None
	case column == "extensions":
		return float64(len(r.Facts.Extensions)), filter.KnownIf(r.Facts.Known)
	}
	return 0, filter.None
}

func lower(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = strings.ToLower(s)
	}
	return out
}

func sortErrors(errs []account.RegionError) {
	slices.SortFunc(errs, func(a, b account.RegionError) int {
		return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(a.Region, b.Region))
	})
}
