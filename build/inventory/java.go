package inventory

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

const (
	// maxDirectory is what is read of the directory of a jar, in bytes: some
	// hundred thousand names.
	maxDirectory = 8 << 20
	// maxPoms is how many projects one jar may name.
	maxPoms = 5000
	// maxPom is what is read of a project's properties or a jar's manifest.
	maxPom = 256 << 10
)

func isJar(_, name string) bool { return strings.HasSuffix(strings.ToLower(name), ".jar") }

// isPom finds what Maven writes into every jar, also where a jar's files were
// unpacked into a function's code.
func isPom(_, name string) bool {
	rest, ok := strings.CutPrefix(name, "META-INF/maven/")
	return ok && strings.Count(rest, "/") == 2 && path.Base(rest) == "pom.properties"
}

func readPom(_ context.Context, s *scan, e *zipdir.Entry) error {
	text, err := s.content(e)
	if err != nil {
		return err
	}
	f, err := pom(text)
	if err != nil {
		return err
	}
	f.top = s.root == taskRoot
	s.add(e.Name, f)
	return nil
}

// pom reads a project's coordinates, as java.util.Properties writes them
// (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html).
func pom(text []byte) (found, error) {
	f := found{ecosystem: Java}
	lines(text, "=", func(key, value string) {
		switch value = escaped.ReplaceAllString(value, "$1"); key {
		case "groupId":
			f.group = value
		case "artifactId":
			f.name = value
		case "version":
			f.version = value
		}
	})
	if f.name == "" {
		return found{}, errors.New("it names no project")
	}
	return f, nil
}

// escaped is a character that properties write with a backslash before it.
var escaped = regexp.MustCompile(`\\([:=#! \\])`)

// lines calls f for each line that separator splits into a key and a value. Of a
// manifest, with ":", it reads the first section and joins what was broken up:
// lines hold 72 bytes, and the rest comes after a space
// (https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html).
func lines(text []byte, separator string, f func(key, value string)) {
	manifest := separator == ":"
	whole := ""
	flush := func() {
		if key, value, ok := strings.Cut(whole, separator); ok && !strings.HasPrefix(whole, "#") {
			f(strings.TrimSpace(key), strings.TrimSpace(value))
		}
		whole = ""
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if more, ok := strings.CutPrefix(line, " "); ok && manifest {
			whole += more
			continue
		}
		flush()
		if line == "" && manifest {
			return
		}
		whole = line
	}
	flush()
}

// readJar reads a jar's projects, or else its manifest.
func readJar(ctx context.Context, s *scan, e *zipdir.Entry) error {
	if e.Size > maxArchive {
		return fmt.Errorf("%d bytes, more than the %d that are opened", e.Size, maxArchive)
	}
	w := newRewinder(ctx, s.dir, e)
	defer w.close()
	w.allow = maxDirectory
	z, err := zip.NewReader(w, e.Size)
	if err != nil {
		return fmt.Errorf("open it as an archive: %w", err)
	}
	top := path.Dir(e.Name) == "java/lib"
	if s.root == taskRoot {
		top = path.Dir(e.Name) == "lib"
	}
	poms, nested := 0, 0
	manifest := found{ecosystem: Java, name: strings.TrimSuffix(path.Base(e.Name), path.Ext(e.Name))}
	if m := jarName.FindStringSubmatch(path.Base(e.Name)); m != nil {
		manifest.name, manifest.version = m[1], m[2] // until the manifest says better
	}
	for _, file := range z.File {
		switch {
		case file.Name == "META-INF/MANIFEST.MF":
			text, err := unzip(w, file)
			if err != nil {
				return err
			}
			describe(text, &manifest)
		case isPom("", file.Name):
			if poms++; poms > maxPoms {
				return fmt.Errorf("more than %d projects", maxPoms)
			}
			text, err := unzip(w, file)
			if err != nil {
				return err
			}
			f, err := pom(text)
			if err != nil {
				s.skip(e, file.Name, err.Error())
				continue
			}
			f.inside, f.top = file.Name, top
			s.add(e.Name, f)
		case isJar("", file.Name):
			nested++
		}
	}
	if poms == 0 {
		manifest.top = top
		s.add(e.Name, manifest)
	}
	if nested > 0 {
		return fmt.Errorf("%d archives inside it are not opened", nested)
	}
	return nil
}

func unzip(w *rewinder, file *zip.File) ([]byte, error) {
	if file.UncompressedSize64 > maxPom {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that are read", file.Name, file.UncompressedSize64, maxPom)
	}
	w.allow = 1 << 20 // header and compressed bytes, with the reader's buffers
	r, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file.Name, err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxPom))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file.Name, err)
	}
	return text, nil
}

// describe takes name and version from a manifest, if it has them (OSGi's Bundle
// headers among them). A group is not in it, so there is no package URL.
func describe(text []byte, f *found) {
	attributes := map[string]string{}
	lines(text, ":", func(key, value string) { attributes[key] = value })
	for _, key := range []string{"Implementation-Version", "Bundle-Version", "Specification-Version"} {
		if v := attributes[key]; v != "" {
			f.version = v
			break
		}
	}
	for _, key := range []string{"Bundle-SymbolicName", "Automatic-Module-Name", "Implementation-Title"} {
		if v, _, _ := strings.Cut(attributes[key], ";"); v != "" {
			f.name = v
			break
		}
	}
}
