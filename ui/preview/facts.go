package preview

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/theme"
)

// fact is one line of what a file is; a tone other than Plain makes it stand out.
type fact struct {
	name, value string
	tone        theme.Tone
}

// largest is up to which size a file is read whole for its facts, in bytes. What
// lies at its end is not known above that.
const largest = 128 << 20

// listed is how many entries of an archive, or libraries, are listed.
const listed = 200

// factsOf tells what is known of a file's format; nil for none that is known.
// progress, which may be nil, gets the bytes read of a file that is read whole.
func factsOf(ctx context.Context, f File, head []byte, progress func(int64)) ([]fact, error) {
	switch {
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return whole(ctx, f, head, progress, elfFacts)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return whole(ctx, f, head, progress, zipFacts)
	case bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")) && len(head) >= 8:
		return classFacts(head), nil
	}
	for name, decode := range map[string]func(io.Reader) (image.Config, error){"PNG": png.DecodeConfig, "JPEG": jpeg.DecodeConfig, "GIF": gif.DecodeConfig} {
		if config, err := decode(bytes.NewReader(head)); err == nil {
			return []fact{
				{name: "format", value: name + " image"},
				{name: "dimensions", value: fmt.Sprintf("%s × %s pixels", draw.Exact(int64(config.Width)), draw.Exact(int64(config.Height)))},
				{name: "file", value: draw.Exact(f.Size) + " bytes"},
			}, nil
		}
	}
	return nil, nil
}

// whole hands all of a file to read, or its beginning where it is too large.
func whole(ctx context.Context, f File, head []byte, progress func(int64), read func(f File, r io.ReaderAt, size int64) []fact) ([]fact, error) {
	if int64(len(head)) >= f.Size {
		return read(f, bytes.NewReader(head), int64(len(head))), nil
	}
	if f.Size > largest {
		return append(read(f, bytes.NewReader(head), int64(len(head))),
			fact{"", "Only the first " + draw.Bytes(int64(len(head))) + " were read: what the file says further on is not known.", theme.Warn}), nil
	}
	kept, err := spool(ctx, f, progress)
	if err != nil {
		return nil, err
	}
	defer kept.Close()
	return read(f, kept, f.Size), nil
}

// elfFacts are those of a program or shared library
// (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html).
func elfFacts(f File, r io.ReaderAt, size int64) []fact {
	head := make([]byte, machine.HeadSize)
	_, _ = r.ReadAt(head, 0)
	x, err := elf.NewFile(r)
	if err != nil {
		out := []fact{{name: "format", value: "ELF"}}
		if arch := machine.Of(head); arch != "" {
			out = append(out, processor(f, arch, arch))
		}
		return append(out, fact{"", "Its headers can't be read: " + err.Error(), theme.Warn})
	}
	defer x.Close()
	kinds := map[elf.Type]string{elf.ET_EXEC: "program", elf.ET_DYN: "program or shared library", elf.ET_REL: "object, to be linked", elf.ET_CORE: "memory dump"}
	kind := kinds[x.Type]
	interpreter, dynamic := "", false
	for _, p := range x.Progs {
		dynamic = dynamic || p.Type == elf.PT_DYNAMIC
		if p.Type == elf.PT_INTERP && p.Filesz < 4096 {
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err == nil {
				interpreter = strings.TrimRight(string(b), "\x00")
			}
		}
	}
	libraries, _ := x.ImportedLibraries()
	soname, _ := x.DynString(elf.DT_SONAME)
	switch {
	case x.Type == elf.ET_DYN && interpreter != "":
		kind = "program"
	case x.Type == elf.ET_DYN && len(soname) > 0:
		kind = "shared library " + soname[0]
	}
	bits := map[elf.Class]string{elf.ELFCLASS32: "32-bit", elf.ELFCLASS64: "64-bit"}[x.Class]
	out := []fact{{name: "format", value: strings.TrimSpace("ELF " + bits + " " + kind)}}
	out = append(out, processor(f, machine.Of(head), strings.TrimPrefix(x.Machine.String(), "EM_")))
	switch {
	case interpreter != "":
		out = append(out, fact{name: "interpreter", value: interpreter})
	case x.Type == elf.ET_EXEC && !dynamic:
		out = append(out, fact{name: "interpreter", value: "none: linked statically"})
	}
	if dynamic && x.SectionByType(elf.SHT_DYNAMIC) == nil {
		out = append(out, fact{"needs", "? its section headers were stripped", theme.Dim})
	}
	for i, lib := range libraries {
		if i == listed {
			out = append(out, fact{name: "", value: fmt.Sprintf("and %d more", len(libraries)-i), tone: theme.Dim})
			break
		}
		name := "needs"
		if i > 0 {
			name = ""
		}
		out = append(out, fact{name: name, value: lib})
	}
	if info, err := buildinfo.Read(r); err == nil {
		out = append(out, fact{name: "Go", value: info.GoVersion})
		if info.Main.Path != "" {
			out = append(out, fact{name: "module", value: strings.TrimSpace(info.Main.Path + " " + info.Main.Version)})
		}
		out = append(out, fact{name: "modules", value: draw.Plural(len(info.Deps), "dependency module")})
	}
	return out
}

// processor says whether a program is for the function's architecture.
func processor(f File, arch, called string) fact {
	if arch == "" || arch == machine.Other {
		arch = called
	}
	switch {
	case f.Architecture == "":
		return fact{name: "machine", value: arch}
	case arch == f.Architecture:
		return fact{"machine", arch + ", as the function", theme.Good}
	}
	return fact{"machine", "✗ " + arch + ", but the function runs on " + f.Architecture, theme.Bad}
}

// zipFacts are those of an archive inside the archive: a jar, a wheel, a layer.
func zipFacts(f File, r io.ReaderAt, size int64) []fact {
	if size < f.Size {
		return []fact{{name: "format", value: "zip archive"}}
	}
	d, err := zipdir.Read(f.Path, r, size)
	if err != nil {
		return []fact{{name: "format", value: "zip archive"}, {"", "Its directory can't be read: " + err.Error(), theme.Warn}}
	}
	format := "zip archive"
	var manifest *zipdir.Entry
	for i := range d.Entries {
		if d.Entries[i].Name == "META-INF/MANIFEST.MF" {
			format, manifest = "Java archive", &d.Entries[i]
		}
	}
	out := []fact{
		{name: "format", value: format},
		{name: "entries", value: draw.Exact(int64(len(d.Entries)))},
		{name: "unzipped", value: draw.Exact(d.Unzipped) + " bytes, " + draw.Bytes(d.Unzipped)},
	}
	if manifest != nil {
		out = append(out, manifestFacts(d, manifest)...)
	}
	big := slices.Clone(d.Entries)
	slices.SortFunc(big, func(a, b zipdir.Entry) int {
		if a.Size != b.Size {
			return int(min(max(b.Size-a.Size, -1), 1))
		}
		return strings.Compare(a.Name, b.Name)
	})
	out = append(out, fact{})
	for _, e := range big[:min(len(big), listed)] {
		if e.Kind == zipdir.Dir {
			continue
		}
		how := ""
		if e.Method == zip.Store {
			how = "  stored"
		}
		out = append(out, fact{name: draw.Bytes(e.Size), value: e.Name + how})
	}
	if len(big) > listed {
		out = append(out, fact{name: "", value: fmt.Sprintf("and %s smaller ones", draw.Exact(int64(len(big)-listed))), tone: theme.Dim})
	}
	return out
}

// manifestFacts are the lines of a jar's manifest that matter here
// (https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html).
func manifestFacts(d *zipdir.Directory, e *zipdir.Entry) (out []fact) {
	r, err := d.Open(e)
	if err != nil {
		return nil
	}
	defer r.Close()
	b, _ := io.ReadAll(io.LimitReader(r, 64<<10))
	for line := range strings.Lines(string(b)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if ok && slices.Contains([]string{"Main-Class", "Implementation-Title", "Implementation-Version", "Build-Jdk-Spec", "Multi-Release"}, name) {
			out = append(out, fact{name: name, value: value})
		}
	}
	return out
}

// classFacts are those of a Java class file: major version 44 + n is Java n
// (https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html).
func classFacts(head []byte) []fact {
	major := int(binary.BigEndian.Uint16(head[6:8]))
	if major < 45 || major > 200 {
		return nil
	}
	return []fact{{name: "format", value: "Java class file"}, {name: "needs", value: fmt.Sprintf("Java %d or later", major-44)}}
}
