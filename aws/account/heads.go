package account

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"path"

	"github.com/optlift/optlift/build/zipdir"
)

// head is what the first bytes of a program say of it. The zero value is a
// program that was not looked at.
type head struct {
	format  string      // "elf", "script" or "other"
	machine elf.Machine // of an ELF file
	crlf    bool        // a script whose first line ends as on DOS
}

// A program's first bytes cost a read of the archive, so only what Lambda starts
// whatever it is is looked at, extensions and the wrapper: maxHeads files,
// headBytes of each. A script's first line is longer only where Linux would not start it
// either (BINPRM_BUF_SIZE, execve(2)).
const (
	maxHeads  = 16
	headBytes = 256
)

// readHeads looks at the files in extensions/, at the wrapper ("" for none), and
// at what links there lead to within the archive. A file that can't be read is
// left out.
func readHeads(dir *zipdir.Directory, wrapper string) map[string]head {
	heads := map[string]head{}
	for i := range dir.Entries {
		e := &dir.Entries[i]
		if path.Dir(e.Name) != extensionsDir && e.Name != wrapper {
			continue
		}
		for range maxLinks {
			if e == nil || e.Kind != zipdir.Symlink {
				break
			}
			e = linked(dir, e)
		}
		if e == nil || e.Kind != zipdir.File {
			continue
		}
		if _, known := heads[e.Name]; known {
			continue
		}
		if len(heads) == maxHeads {
			break
		}
		if h, ok := readHead(dir, e); ok {
			heads[e.Name] = h
		}
	}
	return heads
}

// linked is the entry that a link's target names, nil where it is in no archive
// or was not read.
func linked(dir *zipdir.Directory, e *zipdir.Entry) *zipdir.Entry {
	if e.Target == "" {
		return nil
	}
	next := e.Target
	if !path.IsAbs(next) {
		next = path.Join("/opt", path.Dir(e.Name), next)
	}
	inside, ok := below("/opt", next)
	if !ok {
		return nil
	}
	found, _ := dir.Lookup(inside)
	return found
}

func readHead(dir *zipdir.Directory, e *zipdir.Entry) (head, bool) {
	r, err := dir.Open(e)
	if err != nil {
		return head{}, false
	}
	defer r.Close()
	b := make([]byte, min(headBytes, e.Size))
	if _, err := io.ReadFull(r, b); err != nil {
		return head{}, false
	}
	return parseHead(b), true
}

// parseHead reads an ELF header (elf(5)) or a script's first line.
func parseHead(b []byte) head {
	const machineAt, machineEnd = 18, 20
	if bytes.HasPrefix(b, []byte(elf.ELFMAG)) && len(b) >= machineEnd {
		var order binary.ByteOrder = binary.LittleEndian
		if elf.Data(b[elf.EI_DATA]) == elf.ELFDATA2MSB {
			order = binary.BigEndian
		}
		return head{format: "elf", machine: elf.Machine(order.Uint16(b[machineAt:machineEnd]))}
	}
	if !bytes.HasPrefix(b, []byte("#!")) {
		return head{format: "other"}
	}
	line, _, whole := bytes.Cut(b, []byte("\n"))
	return head{format: "script", crlf: whole && bytes.HasSuffix(line, []byte("\r"))}
}

// machines are the processors of Lambda's architectures
// (https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html).
var machines = map[string]elf.Machine{"x86_64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// machineName is the architecture of a processor, in Lambda's words where it has one.
func machineName(m elf.Machine) string {
	for name, known := range machines {
		if known == m {
			return name
		}
	}
	return m.String()
}
