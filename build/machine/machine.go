package machine

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/layer/inflate"
	"github.com/optlift/optlift/build/zipdir"
)

// HeadSize is how many bytes of a file Of needs.
const HeadSize = 20

// The architectures in Lambda's words
// (https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html).
const (
	X86   = "x86_64"
	ARM   = "arm64"
	Other = "other" // a program, but for no processor that Lambda has
)

// Of returns the architecture of an ELF program or shared library from its first
// bytes, "" for everything else: scripts, objects that are still to be linked,
// data.
func Of(head []byte) string {
	if len(head) < HeadSize || string(head[:4]) != elf.ELFMAG {
		return ""
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	if t := elf.Type(order.Uint16(head[16:])); t != elf.ET_EXEC && t != elf.ET_DYN {
		return ""
	}
	switch elf.Machine(order.Uint16(head[18:])) {
	case elf.EM_X86_64:
		return X86
	case elf.EM_AARCH64:
		return ARM
	default:
		return Other
	}
}

// Program is a file that runs on one kind of processor only.
type Program struct {
	Path         string // as the archive or image has it
	Architecture string // X86, ARM or Other
}

// Programs lists the programs in an archive, in the order of their data. It
// reads the first bytes of each file and keeps none.
func Programs(ctx context.Context, dir *zipdir.Directory) ([]Program, error) {
	var found []Program
	var h heads
	for i := range dir.Entries {
		e := &dir.Entries[i]
		if e.Kind != zipdir.File || e.Size < HeadSize {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		head, err := h.read(dir, e)
		if err != nil {
			return nil, fmt.Errorf("read the first bytes of %s in %s: %w", e.Name, dir.Name, err)
		}
		if a := Of(head); a != "" {
			found = append(found, Program{e.Name, a})
		}
	}
	return found, nil
}

// heads reads the first bytes of files.
type heads struct {
	dec inflate.Decoder
	raw [2 << 10]byte
	out [inflate.Slack + 2*HeadSize]byte
}

// read returns a file's first HeadSize bytes, which the next call overwrites.
func (h *heads) read(dir *zipdir.Directory, e *zipdir.Entry) ([]byte, error) {
	if off, err := dir.DataOffset(e); err == nil {
		raw := h.raw[:min(e.CompressedSize, int64(len(h.raw)))]
		if n, _ := dir.ReaderAt().ReadAt(raw, off); n == len(raw) {
			switch e.Method {
			case zipdir.Store:
				n = copy(h.out[:], raw)
			case zipdir.Deflate:
				h.dec.Reset()
				n, _, _ = h.dec.Decode(h.out[:], 0, raw, 0, int64(n) == e.CompressedSize)
			}
			if n >= HeadSize {
				return h.out[:HeadSize], nil
			}
		}
	}
	// Broken, or begun in a way that no packer does.
	rc, err := dir.Open(e)
	if err != nil {
		return nil, err
	}
	_, err = io.ReadFull(rc, h.out[:HeadSize])
	return h.out[:HeadSize], errors.Join(err, rc.Close())
}

// Foreign returns the programs that do not run on an architecture.
func Foreign(programs []Program, architecture string) []Program {
	var out []Program
	for _, p := range programs {
		if p.Architecture != architecture {
			out = append(out, p)
		}
	}
	return out
}

// Settle decides which architecture an image of these programs is for. wanted is
// what the user or the function says, "" if nobody does: then the programs
// decide, and where there are none it is x86_64, Lambda's own default.
//
// It is an error if the programs are of several architectures and none is
// wanted, if not one of them runs on the one that is wanted, or if something that
// Lambda starts itself (an extension, a bootstrap) does not: the function would
// not start. Libraries for other processors beside those that fit are usual.
func Settle(programs []Program, wanted string) (string, error) {
	kinds := map[string]int{}
	for _, p := range programs {
		kinds[p.Architecture]++
	}
	if wanted == "" {
		switch {
		case kinds[X86] > 0 && kinds[ARM] > 0:
			return "", fmt.Errorf("%d programs are for x86_64 and %d for arm64: say with --arch which one is meant", kinds[X86], kinds[ARM])
		case kinds[ARM] > 0:
			wanted = ARM
		default:
			wanted = X86
		}
	}
	strangers := Foreign(programs, wanted)
	if len(strangers) > 0 && len(strangers) == len(programs) {
		return "", fmt.Errorf("none of the %d programs runs on %s: %s is for %s", len(programs), wanted, strangers[0].Path, strangers[0].Architecture)
	}
	i := slices.IndexFunc(strangers, func(p Program) bool { return started(p.Path) })
	if i >= 0 {
		return "", fmt.Errorf("%s is started by Lambda, but is for %s and not for %s", strangers[i].Path, strangers[i].Architecture, wanted)
	}
	return wanted, nil
}

// started reports whether Lambda starts the file itself: see
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html.
func started(path string) bool {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "/"), "opt/")
	dir, _, deeper := strings.Cut(path, "/")
	return path == "bootstrap" || dir == "extensions" && deeper && strings.Count(path, "/") == 1
}
