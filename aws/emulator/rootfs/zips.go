package rootfs

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Archive is a zip that is unpacked below a directory.
type Archive struct {
	Root   string // "/opt" or "/var/task"
	Reader io.ReaderAt
	Size   int64
}

// maxTarget is the longest link target the kernel takes, in bytes.
const maxTarget = 4096

// FromZips unpacks archives one after the other, later ones over earlier ones, as
// Lambda does with layers
// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html). Contents
// are read from the archives when they are asked for.
func FromZips(archives ...Archive) (*Tree, error) {
	t := newTree()
	for _, dir := range []string{"/opt", "/tmp", "/var/task", "/var/runtime", "/var/lang"} {
		t.put(dir, newDir(0o755))
	}
	for _, a := range archives {
		r, err := zip.NewReader(a.Reader, a.Size)
		if err != nil {
			return nil, fmt.Errorf("unpack an archive to %s: %w", a.Root, err)
		}
		for _, f := range r.File {
			n, err := zipNode(f)
			if err != nil {
				return nil, fmt.Errorf("unpack %s to %s: %w", f.Name, a.Root, err)
			}
			t.put(a.Root+path.Clean("/"+f.Name), n)
		}
	}
	return t, nil
}

// unixMade is the "version made by" of archives that carry Unix modes
// (APPNOTE.TXT 4.4.2.2); 19 is that of macOS.
func unixMade(f *zip.File) bool {
	by := f.CreatorVersion >> 8
	return by == 3 || by == 19
}

func zipNode(f *zip.File) (*Node, error) {
	mode := f.Mode()
	if strings.HasSuffix(f.Name, "/") || mode.IsDir() {
		// Lambda's user walks all directories of a package.
		return newDir(0o755), nil
	}
	if !unixMade(f) {
		// What Lambda gives such files is not known; they are not refused here.
		return &Node{Kind: File, Mode: 0o755, Size: int64(f.UncompressedSize64), open: f.Open}, nil
	}
	if mode&fs.ModeSymlink != 0 {
		rc, err := f.Open()
		if err != nil {
			return nil, err
		}
		defer rc.Close()
		target, err := io.ReadAll(io.LimitReader(rc, maxTarget))
		if err != nil {
			return nil, err
		}
		return &Node{Kind: Link, Mode: 0o777, Target: string(target)}, nil
	}
	return &Node{Kind: File, Mode: mode.Perm(), Size: int64(f.UncompressedSize64), open: f.Open}, nil
}
