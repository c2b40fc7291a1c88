package zipdir

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTarget is the longest symlink target in bytes (PATH_MAX less the final
// zero byte); maxTargetStored allows for the worst a deflater makes of it.
const (
	maxTarget       = 4095
	maxTargetStored = 2 * maxTarget
)

// ReadLinks reads the targets of all symlinks and refuses relative ones that
// climb above the root. It costs one read per symlink. Absolute targets,
// dangling and circular ones are accepted: published layers have them, and
// nothing is ever written through a link.
//
// Climbing is judged by the text of the path alone, without following other
// links.
func (d *Directory) ReadLinks() error {
	for i := range d.Entries {
		e := &d.Entries[i]
		if e.Kind != Symlink || e.Target != "" {
			continue
		}
		target, err := d.LinkTarget(e)
		if err != nil {
			return err
		}
		e.Target = target
	}
	return nil
}

// LinkTarget reads the target of one symlink, as ReadLinks does, and leaves e as
// it is: for those who meet the links in the order of the archive's data.
func (d *Directory) LinkTarget(e *Entry) (string, error) {
	if e.Size == 0 || e.Size > maxTarget || e.CompressedSize > maxTargetStored {
		return "", d.refuse(e.rawName, RuleLink, "a target of %d bytes", e.Size)
	}
	off, buf, err := d.local(d.r, e, d.limit(e), e.CompressedSize, nil)
	if err != nil {
		return "", err
	}
	var raw io.Reader = io.NewSectionReader(d.r, off, e.CompressedSize)
	if int64(len(buf)) >= e.CompressedSize {
		raw = bytes.NewReader(buf[:e.CompressedSize])
	}
	c := d.content(e, raw)
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil {
		return "", err
	}
	target := string(b)
	if !utf8.ValidString(target) || strings.ContainsFunc(target, unicode.IsControl) {
		return "", d.refuse(e.rawName, RuleLink, "target %s", quote(target))
	}
	if Climbs(e.Name, target) {
		return "", d.refuse(e.rawName, RuleLinkClimb, "target %s", quote(target))
	}
	return target, nil
}

// Climbs tells whether a relative target of the link called name leaves the
// root that name is below. Absolute targets never do.
func Climbs(name, target string) bool {
	if strings.HasPrefix(target, "/") {
		return false
	}
	depth := strings.Count(name, "/")
	for part := range strings.SplitSeq(target, "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}
