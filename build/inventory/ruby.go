package inventory

import (
	"bufio"
	"context"
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

var (
	// gemVersion splits a gem's full name: NAME-VERSION or NAME-VERSION-PLATFORM.
	// Names may hold numbers of their own (http-2), platforms begin with a letter.
	gemVersion = regexp.MustCompile(`^(.+?)-(\d[0-9A-Za-z.]*)(?:-([A-Za-z].*))?$`)
	gemHome    = regexp.MustCompile(`(?:^|/)ruby/(?:gems/)?\d+\.\d+\.\d+$`)
	gemTop     = regexp.MustCompile(`^ruby/gems/\d+\.\d+\.\d+$`)
	gemOwn     = regexp.MustCompile(`^vendor/bundle/ruby/\d+\.\d+\.\d+$`)
)

// isGemspec finds the specifications of installed gems, which lie apart from
// those that a gem brings itself.
func isGemspec(_, name string) bool {
	dir := path.Dir(name)
	if strings.HasSuffix(dir, "/specifications/default") {
		dir = path.Dir(dir)
	}
	return strings.HasSuffix(name, ".gemspec") && path.Base(dir) == "specifications"
}

// readGemspec reads the comment with which RubyGems marks installed
// specifications ("# stub: name version platform paths"), for a specification
// is a program. Without it, the file's name says the same.
func readGemspec(_ context.Context, s *scan, e *zipdir.Entry) error {
	r, err := s.dir.Open(e)
	if err != nil {
		return err
	}
	defer r.Close()
	home := path.Dir(strings.TrimSuffix(path.Dir(e.Name), "/default"))
	f := found{ecosystem: Ruby, top: s.gemTop(home)}
	in := bufio.NewScanner(r)
	for range 8 {
		if !in.Scan() {
			break
		}
		if rest, ok := strings.CutPrefix(in.Text(), "# stub: "); ok {
			if words := strings.Fields(rest); len(words) >= 3 {
				f.name, f.version, f.platform = words[0], words[1], words[2]
			}
			break
		}
	}
	if err := in.Err(); err != nil {
		return err
	}
	if f.name == "" && !fullName(strings.TrimSuffix(path.Base(e.Name), ".gemspec"), &f) {
		return errors.New("it names no gem and version")
	}
	s.add(e.Name, f)
	return nil
}

func fullName(full string, f *found) bool {
	m := gemVersion.FindStringSubmatch(full)
	if m != nil {
		f.name, f.version, f.platform = m[1], m[2], m[3]
	}
	return m != nil
}

func (s *scan) gemTop(home string) bool {
	if s.root == taskRoot {
		return gemOwn.MatchString(home)
	}
	return gemTop.MatchString(home)
}

// gemDirs adds the gems that are there without a specification: their
// directories are called by their full names.
func (s *scan) gemDirs() {
	seen := map[string]bool{}
	for i := range s.dir.Entries {
		name := s.dir.Entries[i].Name
		at := strings.Index(name, "/gems/")
		// Layers have a "gems" of their own above: ruby/gems/3.3.0/gems/NAME.
		if next := strings.Index(name[at+1:], "/gems/"); at >= 0 && !gemHome.MatchString(name[:at]) && next >= 0 {
			at += 1 + next
		}
		if at < 0 || !gemHome.MatchString(name[:at]) {
			continue
		}
		home := name[:at]
		full, _, inside := strings.Cut(name[at+len("/gems/"):], "/")
		if !inside || seen[home+"\x00"+full] {
			continue
		}
		seen[home+"\x00"+full] = true
		if _, ok := s.dir.Lookup(home + "/specifications/" + full + ".gemspec"); ok {
			continue
		}
		f := found{ecosystem: Ruby, top: s.gemTop(home)}
		if fullName(full, &f) {
			s.add(home+"/gems/"+full, f)
		}
	}
}
