package machine_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// head is the start of an ELF file.
func head(data elf.Data, kind elf.Type, m elf.Machine) string {
	b := make([]byte, 64)
	copy(b, elf.ELFMAG)
	b[elf.EI_DATA] = byte(data)
	var order binary.ByteOrder = binary.LittleEndian
	if data == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	order.PutUint16(b[16:], uint16(kind))
	order.PutUint16(b[18:], uint16(m))
	return string(b)
}

var (
	x86 = head(elf.ELFDATA2LSB, elf.ET_DYN, elf.EM_X86_64)
	arm = head(elf.ELFDATA2LSB, elf.ET_EXEC, elf.EM_AARCH64)
)

func TestOf(t *testing.T) {
	for _, c := range []struct{ name, head, want string }{
		{"x86 library", x86, machine.X86},
		{"arm program", arm, machine.ARM},
		{"object file", head(elf.ELFDATA2LSB, elf.ET_REL, elf.EM_X86_64), ""},
		{"another machine", head(elf.ELFDATA2MSB, elf.ET_EXEC, elf.EM_S390), machine.Other},
		{"32 bit", head(elf.ELFDATA2LSB, elf.ET_EXEC, elf.EM_386), machine.Other},
		{"script", "#!/bin/sh\necho hello there\n", ""},
		{"short", elf.ELFMAG, ""},
		{"empty", "", ""},
	} {
		if got := machine.Of([]byte(c.head)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	want := map[string]string{"amd64": machine.X86, "arm64": machine.ARM}[runtime.GOARCH]
	if runtime.GOOS == "linux" && want != "" {
		self, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			t.Fatal(err)
		}
		if got := machine.Of(self); got != want {
			t.Errorf("this very test: %q, want %q", got, want)
		}
	}
}

func TestPrograms(t *testing.T) {
	file := ziptest.Write(t,
		ziptest.Dir("extensions"), ziptest.File("extensions/agent", x86+"code").Deflated(),
		ziptest.File("lib/a.so", arm), ziptest.Link("lib/b.so", "a.so"), ziptest.File("empty", ""), ziptest.File("x.py", strings.Repeat("pass\n", 9)))
	dir, closer, err := zipdir.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	got, err := machine.Programs(t.Context(), dir)
	want := []machine.Program{{Path: "extensions/agent", Architecture: machine.X86}, {Path: "lib/a.so", Architecture: machine.ARM}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	if f := machine.Foreign(got, machine.X86); len(f) != 1 || f[0].Path != "lib/a.so" {
		t.Errorf("foreign: %v", f)
	}
}

// However a file is packed and however long it is, its first bytes are found.
func TestProgramsOfAnySize(t *testing.T) {
	noise := make([]byte, 300<<10)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	var entries []ziptest.Entry
	for _, n := range []int{0, 1, 500, 3000, len(noise)} {
		for _, fill := range []string{string(noise[:n]), strings.Repeat("x", n)} {
			name := fmt.Sprint(len(entries))
			entries = append(entries, ziptest.File(name, x86+fill), ziptest.File(name+"z", x86+fill).Deflated())
		}
	}
	archive := ziptest.Bytes(entries...)
	dir, err := zipdir.Read("a.zip", bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := machine.Programs(t.Context(), dir); err != nil || len(got) != len(entries) {
		t.Errorf("%d programs of %d, %v", len(got), len(entries), err)
	}
	broken := ziptest.Bytes(ziptest.File("a", x86).Raw([]byte{6, 0, 0}).Both(func(h *ziptest.Header) { h.Method = zipdir.Deflate }))
	if dir, err = zipdir.Read("a.zip", bytes.NewReader(broken), int64(len(broken))); err != nil {
		t.Fatal(err)
	}
	var refusal *zipdir.Error
	if _, err := machine.Programs(t.Context(), dir); !errors.As(err, &refusal) || refusal.Entry != "a" {
		t.Errorf("a broken stream: %v", err)
	}
}

func TestSettle(t *testing.T) {
	p := func(path, arch string) machine.Program { return machine.Program{Path: path, Architecture: arch} }
	for _, c := range []struct {
		name     string
		programs []machine.Program
		wanted   string
		want     string
		problem  string
	}{
		{name: "nothing is known", want: machine.X86},
		{name: "no programs", wanted: machine.ARM, want: machine.ARM},
		{name: "the programs decide", programs: []machine.Program{p("lib/a.so", machine.ARM)}, want: machine.ARM},
		{name: "a library for both", programs: []machine.Program{p("lib/a.so", machine.ARM), p("lib/b.so", machine.X86)}, wanted: machine.X86, want: machine.X86},
		{name: "both and nobody says", programs: []machine.Program{p("lib/a.so", machine.ARM), p("lib/b.so", machine.X86)}, problem: "--arch"},
		{name: "none fits", programs: []machine.Program{p("lib/a.so", machine.ARM)}, wanted: machine.X86, problem: "lib/a.so is for arm64"},
		{name: "an extension that can't start", programs: []machine.Program{p("extensions/x", machine.ARM), p("lib/b.so", machine.X86)}, wanted: machine.X86, problem: "extensions/x is started"},
		{name: "the same in an image", programs: []machine.Program{p("/opt/extensions/x", machine.ARM), p("/opt/lib/b.so", machine.X86)}, wanted: machine.X86, problem: "extensions/x is started"},
		{name: "deeper is not started", programs: []machine.Program{p("extensions/lib/x", machine.ARM), p("lib/b.so", machine.X86)}, wanted: machine.X86, want: machine.X86},
	} {
		got, err := machine.Settle(c.programs, c.wanted)
		if got != c.want || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %q %v", c.name, got, err)
		}
	}
}
