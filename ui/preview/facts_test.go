package preview

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/optlift/optlift/ui/theme"
)

// held is a file with some content.
func held(path string, data []byte) File {
	return File{Path: path, Size: int64(len(data)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// told are a file's facts, a line each.
func told(t *testing.T, f File) string {
	t.Helper()
	c, err := load(t.Context(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, x := range c.facts {
		fmt.Fprintf(&out, "%s: %s\n", x.name, x.value)
	}
	return out.String()
}

func wants(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not in\n%s", w, got)
		}
	}
}

// program is a little-endian 64-bit ELF file with an interpreter and the shared
// libraries it needs.
func program(machine elf.Machine, needed ...string) []byte {
	const interpreter = "/lib64/ld-linux-x86-64.so.2\x00"
	strtab := "\x00"
	var dynamic []elf.Dyn64
	for _, n := range needed {
		dynamic = append(dynamic, elf.Dyn64{Tag: int64(elf.DT_NEEDED), Val: uint64(len(strtab))})
		strtab += n + "\x00"
	}
	dynamic = append(dynamic, elf.Dyn64{Tag: int64(elf.DT_NULL)})
	const programs, sections = 2, 3
	at := uint64(64 + programs*56)
	interp, strs := at, at+uint64(len(interpreter))
	dyn := strs + uint64(len(strtab))
	end := dyn + uint64(16*len(dynamic))
	var b bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Phoff: 64, Shoff: end, Ehsize: 64,
		Phentsize: 56, Phnum: programs, Shentsize: 64, Shnum: sections, Shstrndx: 1}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	put(h)
	put(elf.Prog64{Type: uint32(elf.PT_INTERP), Off: interp, Filesz: uint64(len(interpreter))})
	put(elf.Prog64{Type: uint32(elf.PT_DYNAMIC), Off: dyn, Filesz: end - dyn})
	b.WriteString(interpreter + strtab)
	put(dynamic)
	put(elf.Section64{})
	put(elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: strs, Size: uint64(len(strtab))})
	put(elf.Section64{Type: uint32(elf.SHT_DYNAMIC), Off: dyn, Size: end - dyn, Link: 1, Entsize: 16})
	return b.Bytes()
}

func TestProgram(t *testing.T) {
	f := held("bin/tool", program(elf.EM_X86_64, "libssl.so.3", "libc.so.6"))
	f.Architecture = "arm64"
	wants(t, told(t, f), "format: ELF 64-bit program", "machine: ✗ x86_64, but the function runs on arm64",
		"interpreter: /lib64/ld-linux-x86-64.so.2", "needs: libssl.so.3\n: libc.so.6")
	f.Architecture = "x86_64"
	wants(t, told(t, f), "machine: x86_64, as the function")
	f.Architecture = ""
	wants(t, told(t, f), "machine: x86_64\n")
	wants(t, told(t, held("bin/odd", program(elf.EM_RISCV))), "machine: RISCV")
	wants(t, told(t, held("bin/cut", program(elf.EM_AARCH64)[:60])), "format: ELF", "machine: arm64", "can't be read")
}

// A program larger than what is kept of a file is read whole, beside the screens.
func TestGoProgramIsReadWhole(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this program is no ELF file here")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(exe)
	if err != nil || info.Size() <= limit {
		t.Fatalf("%d bytes prove nothing, %v", info.Size(), err)
	}
	f := File{Path: "bin/self", Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(exe) }}
	wants(t, told(t, f), "Go: go1.", "modules: ")
	var last int64
	if _, err := load(t.Context(), f, func(n int64) { last = n }); err != nil || last != f.Size {
		t.Fatalf("told of %d of %d bytes, %v", last, f.Size, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := load(ctx, f, func(int64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("not stopped: %v", err)
	}
}

// Beyond the limit nothing is claimed that would need the rest.
func TestTooLargeToBeReadWhole(t *testing.T) {
	data := append(program(elf.EM_X86_64, "libc.so.6"), make([]byte, 1<<20)...)
	f := held("bin/huge", data)
	f.Size = largest + 1
	opened := 0
	open := f.Open
	f.Open = func() (io.ReadCloser, error) { opened++; return open() }
	wants(t, told(t, f), "interpreter", "Only the first 512.0 KiB were read")
	if opened != 1 {
		t.Fatalf("opened %d times", opened)
	}
}

func TestPictures(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 1300, 40))
	var p, j bytes.Buffer
	if err := errors.Join(png.Encode(&p, img), jpeg.Encode(&j, img, nil)); err != nil {
		t.Fatal(err)
	}
	wants(t, told(t, held("a.png", p.Bytes())), "format: PNG image", "dimensions: 1,300 × 40 pixels")
	wants(t, told(t, held("a.jpg", j.Bytes())), "format: JPEG image", "dimensions: 1,300 × 40 pixels")
}

func TestArchives(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range [][2]string{{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nMain-Class: com.example.Main\r\n"}, {"com/example/Main.class", strings.Repeat("x", 5000)}, {"small", "s"}} {
		e, err := w.Create(f[0])
		if err == nil {
			_, err = e.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := told(t, held("app.jar", b.Bytes()))
	wants(t, got, "format: Java archive", "entries: 3", "Main-Class: com.example.Main", "4.9 KiB: com/example/Main.class\n53 B: META-INF")
	wants(t, told(t, held("cut.zip", b.Bytes()[:200])), "can't be read")
	wants(t, told(t, held("A.class", []byte("\xca\xfe\xba\xbe\x00\x00\x00\x41"))), "Java class file", "Java 21 or later")
}

func TestDiff(t *testing.T) {
	old, now := held("x.py", []byte("a\nb\nc\nd\n")), held("x.py", []byte("a\nB\nB2\nc\nd"))
	old.Label, now.Label = "1A old", "2B now"
	old.Role, now.Role = "shadowed", "used"
	c, err := compare(t.Context(), old, now)
	if err != nil {
		t.Fatal(err)
	}
	st := theme.New(true, theme.Mono)
	all := func(n int) (int, int) { return 0, n }
	narrow := ansi.Strip(strings.Join(c.diff.view(st, 80, 0, all), "\n"))
	wants(t, narrow, "- 1A old (shadowed)   + 2B now (used)", "@@ line 1", "\n -b", "\n +B\n +B2")
	side := ansi.Strip(strings.Join(c.diff.view(st, 120, 0, all), "\n"))
	wants(t, side, "    2 - b", " │     2 + B", " │     3 + B2", "    4 - d  ", "    5 + d (no newline at the end)")
	for _, l := range strings.Split(side, "\n") {
		if strings.Contains(l, "- b") && !strings.Contains(l, "+ B") {
			t.Errorf("what was changed does not stand beside what it became: %q", l)
		}
	}
	same, err := compare(t.Context(), old, old)
	if err != nil || len(same.diff.said) != 1 {
		t.Fatalf("%v, %v", same, err)
	}
	f, g := held("t", program(elf.EM_X86_64, "a")), held("t", program(elf.EM_AARCH64, "a"))
	c, err = compare(t.Context(), f, g)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, ansi.Strip(strings.Join(c.diff.view(st, 80, 0, all), "\n")), "Not text", "machine  x86_64 → arm64")
}

// Two files that share nothing are compared in a bounded time, too.
func TestDiffOfHugeFiles(t *testing.T) {
	var a, b strings.Builder
	for i := range 60000 {
		fmt.Fprintf(&a, "line %d\n", i*7919%100003)
		fmt.Fprintf(&b, "other %d\n", i*104729%100003)
	}
	c, err := compare(t.Context(), held("a", []byte(a.String())), held("b", []byte(b.String())))
	if err != nil || len(c.diff.rows) == 0 || len(c.notes) != 2 {
		t.Fatalf("%v, %v", c, err)
	}
}
