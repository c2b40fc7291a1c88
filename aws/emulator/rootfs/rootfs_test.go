package rootfs_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/emulator/rootfs"
)

// archive makes a zip; a value that begins with "->" is a link.
func archive(t *testing.T, root string, files map[string]string) rootfs.Archive {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o644)
		if strings.HasPrefix(content, "->") {
			h.SetMode(fs.ModeSymlink | 0o777)
			content = content[2:]
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return rootfs.Archive{Root: root, Reader: bytes.NewReader(b.Bytes()), Size: int64(b.Len())}
}

func layer(t *testing.T, headers ...tar.Header) func() (io.ReadCloser, error) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := h.PAXRecords["OPTLIFT.content"]
		h.PAXRecords = nil
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
}

func file(name, content string) tar.Header {
	return tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, PAXRecords: map[string]string{"OPTLIFT.content": content}}
}

func dir(name string) tar.Header {
	return tar.Header{Name: name, Mode: 0o755, Typeflag: tar.TypeDir}
}

func read(t *testing.T, tree *rootfs.Tree, name, want string) {
	t.Helper()
	got, err := tree.Read(name, 1000)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
	}
}

func TestZipsInOrder(t *testing.T) {
	tree, err := rootfs.FromZips(
		archive(t, "/opt", map[string]string{"lib/a": "one", "lib/b": "first", "x": "file"}),
		archive(t, "/opt", map[string]string{"lib/a": "two", "x/inside": "directory over a file", "up": "->../var/task/main", "abs": "->/opt/lib/../lib/b", "loop": "->loop"}),
		archive(t, "/var/task", map[string]string{"main": "code"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	read(t, tree, "/opt/lib/a", "two")
	read(t, tree, "/opt/lib/b", "first")
	read(t, tree, "/opt/x/inside", "directory over a file")
	read(t, tree, "/opt/up", "code")
	read(t, tree, "/opt/abs", "first")
	if real, _, err := tree.Lookup("/opt/abs"); err != nil || real != "/opt/lib/b" {
		t.Errorf("the true path is %s, %v", real, err)
	}
	if _, _, err := tree.Lookup("/opt/loop"); err == nil {
		t.Error("a link to itself was followed to an end")
	}
	if _, _, err := tree.Lookup("/opt/lib/a/deeper"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("below a file: %v", err)
	}
	if got := strings.Join(tree.Names("/opt"), " "); got != "abs lib loop up x" {
		t.Errorf("/opt holds %s", got)
	}
	if _, err := tree.Read("/opt/lib/b", 2); err == nil {
		t.Error("a file beyond the limit was read")
	}
}

func TestImageLayers(t *testing.T) {
	tree, err := rootfs.FromLayers(t.Context(), t.TempDir(),
		layer(t, dir("./"), dir("usr/"), dir("usr/bin/"), file("usr/bin/sh", "shell"), tar.Header{Name: "bin", Linkname: "usr/bin", Typeflag: tar.TypeSymlink, Mode: 0o777},
			dir("opt/"), file("opt/old", "old"), file("opt/kept", "kept"), dir("data/"), file("data/one", "1")),
		layer(t, dir("opt/"), file("opt/.wh.old", ""), file("opt/new", "new"), dir("data/"), file("data/two", "2"), file("data/.wh..wh..opq", ""),
			tar.Header{Name: "opt/again", Linkname: "opt/new", Typeflag: tar.TypeLink}),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	read(t, tree, "/bin/sh", "shell")
	read(t, tree, "/opt/kept", "kept")
	read(t, tree, "/opt/new", "new")
	read(t, tree, "/opt/again", "new")
	read(t, tree, "/data/two", "2")
	for _, gone := range []string{"/opt/old", "/data/one", "/opt/.wh.old"} {
		if _, _, err := tree.Lookup(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", gone, err)
		}
	}
}
