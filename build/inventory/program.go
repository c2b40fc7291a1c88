package inventory

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

const (
	// minProgram is the size below which no file is looked at: the smallest
	// program that Go's own toolchain makes is larger.
	minProgram = 256 << 10
	// maxModules is how many modules one program may name.
	maxModules = 20_000
)

// buildMark is what Go puts in front of a program's build information
// (https://pkg.go.dev/debug/buildinfo). Written in two parts, it is not in this
// program by itself.
var buildMark = append([]byte("\xff Go "), "buildinf:"...)

// readProgram reads the build information of ELF files made by Go. Other files
// say nothing, and none of them is unread for that.
func readProgram(ctx context.Context, s *scan, e *zipdir.Entry) error {
	if e.Size < minProgram {
		return nil
	}
	if e.Size > maxArchive {
		return fmt.Errorf("%d bytes, more than the %d that are looked through", e.Size, maxArchive)
	}
	marked, err := hasMark(ctx, s.dir, e)
	if err != nil || !marked {
		return err
	}
	w := newRewinder(ctx, s.dir, e)
	defer w.close()
	info, err := buildInfo(w)
	if err != nil {
		return fmt.Errorf("read Go's build information: %w", err)
	}
	if len(info.Deps) > maxModules {
		return fmt.Errorf("more than %d modules", maxModules)
	}
	for _, f := range modules(info) {
		s.add(e.Name, f)
	}
	return nil
}

// modules are those that a program was built from, Go's own library among them.
// One that was replaced by a directory keeps its name: of what lies there nothing
// is known.
func modules(info *buildinfo.BuildInfo) []found {
	var out []found
	add := func(path, version string) {
		if version == "(devel)" {
			version = ""
		}
		out = append(out, found{ecosystem: Go, name: path, version: version})
	}
	if v, _, _ := strings.Cut(info.GoVersion, " "); strings.HasPrefix(v, "go") {
		add("stdlib", v[2:])
	}
	if info.Main.Path != "" {
		add(info.Main.Path, info.Main.Version)
	}
	for _, m := range info.Deps {
		switch r := m.Replace; {
		case r == nil:
			add(m.Path, m.Version)
		case (r.Version == "" || r.Version == "(devel)") && (strings.HasPrefix(r.Path, ".") || strings.HasPrefix(r.Path, "/") || strings.Contains(r.Path, `:\`)):
			add(m.Path, "")
		default:
			add(r.Path, r.Version)
		}
	}
	return out
}

// buildInfo guards against what package debug/elf makes of hostile files.
func buildInfo(r io.ReaderAt) (info *buildinfo.BuildInfo, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed program: %v", p)
		}
	}()
	return buildinfo.Read(r)
}

// hasMark reads an ELF file once and looks for Go's mark. It stops at the first
// bytes of anything else.
func hasMark(ctx context.Context, dir *zipdir.Directory, e *zipdir.Entry) (bool, error) {
	r, err := dir.Open(e)
	if err != nil {
		return false, err
	}
	defer r.Close()
	buf := make([]byte, 256<<10)
	kept := 0
	for first := true; ; first = false {
		n, err := io.ReadFull(r, buf[kept:])
		text := buf[:kept+n]
		if first && !bytes.HasPrefix(text, []byte(elf.ELFMAG)) {
			return false, nil
		}
		if bytes.Contains(text, buildMark) {
			return true, nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		kept = copy(buf, text[len(text)-len(buildMark)+1:])
	}
}
