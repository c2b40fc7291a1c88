package inventory

import (
	"bufio"
	"context"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

// isPython finds the core metadata of installed distributions
// (https://packaging.python.org/en/latest/specifications/recording-installed-packages/,
// and setuptools' older egg-info).
func isPython(_, name string) bool {
	dir, file := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	switch file {
	case "METADATA":
		return strings.HasSuffix(dir, ".dist-info")
	case "PKG-INFO":
		return strings.HasSuffix(dir, ".egg-info") || path.Base(dir) == "EGG-INFO"
	}
	return strings.HasSuffix(file, ".egg-info")
}

var pythonSite = regexp.MustCompile(`^python(/lib/python\d+\.\d+/site-packages)?$`)

func readPython(_ context.Context, s *scan, e *zipdir.Entry) error {
	r, err := s.dir.Open(e)
	if err != nil {
		return err
	}
	defer r.Close()
	name, version, err := headers(r)
	if err != nil {
		return err
	}
	site := path.Dir(e.Name)
	if !strings.HasSuffix(e.Name, ".egg-info") {
		site = path.Dir(site)
	}
	top := pythonSite.MatchString(site)
	if s.root == taskRoot {
		top = site == "."
	}
	s.add(e.Name, found{ecosystem: Python, name: name, version: version, top: top})
	return nil
}

// headers reads Name and Version of core metadata, which come before the first
// empty line (https://packaging.python.org/en/latest/specifications/core-metadata/).
func headers(r io.Reader) (name, version string, err error) {
	in := bufio.NewScanner(io.LimitReader(r, maxMetadata))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		if strings.TrimSpace(line) == "" {
			break
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue
		}
		switch value = strings.TrimSpace(value); {
		case strings.EqualFold(key, "Name") && name == "":
			name = value
		case strings.EqualFold(key, "Version") && version == "":
			version = value
		}
	}
	if err := in.Err(); err != nil {
		return "", "", err
	}
	if name == "" {
		return "", "", errors.New("it names no package")
	}
	return name, version, nil
}

var separators = regexp.MustCompile(`[-_.]+`)

// pythonKey is the name as Python's tools compare it
// (https://packaging.python.org/en/latest/specifications/name-normalization/).
func pythonKey(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}
