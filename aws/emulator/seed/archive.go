package seed

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"
)

// file is one file of an archive.
type file struct {
	path string
	mode fs.FileMode // 0 is 0644
	body string
	link string // makes it a symbolic link
	dos  bool   // written without Unix modes
	// repeat makes a big file of body, over and over, of so many bytes.
	repeat int64
}

// files are an archive's content.
type files []file

// stamp is the time of every entry.
var stamp = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// zip writes the archive: directories first, then files by name.
func (fs files) zip() ([]byte, error) {
	list := slices.Clone(fs)
	slices.SortFunc(list, func(a, b file) int { return strings.Compare(a.path, b.path) })
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	made := map[string]bool{".": true}
	for _, f := range list {
		if err := directories(w, made, path.Dir(f.path)); err != nil {
			return nil, err
		}
		if err := f.write(w); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// jar is a small Java archive that says what it is, as build tools write it.
func jar(title, version string) string {
	b, _ := files{ // nothing fails in memory
		{path: "META-INF/MANIFEST.MF", body: "Manifest-Version: 1.0\r\nImplementation-Title: " + title + "\r\nImplementation-Version: " + version + "\r\n\r\n"},
		{path: "META-INF/maven/com.acme/" + title + "/pom.properties", body: "groupId=com.acme\nartifactId=" + title + "\nversion=" + version + "\n"},
		{path: "com/acme/" + title + "/Main.class", body: "\xca\xfe\xba\xbe" + noise(title+version, 20_000)},
	}.zip()
	return string(b)
}

func directories(w *zip.Writer, made map[string]bool, dir string) error {
	if made[dir] {
		return nil
	}
	if err := directories(w, made, path.Dir(dir)); err != nil {
		return err
	}
	made[dir] = true
	h := &zip.FileHeader{Name: dir + "/", Modified: stamp}
	h.SetMode(fs.ModeDir | 0o755)
	_, err := w.CreateHeader(h)
	return err
}

func (f file) write(w *zip.Writer) error {
	h := &zip.FileHeader{Name: f.path, Method: zip.Deflate, Modified: stamp}
	mode, body := f.mode, f.body
	if mode == 0 {
		mode = 0o644
	}
	if f.link != "" {
		mode, body = fs.ModeSymlink|0o777, f.link
	}
	if !f.dos {
		h.SetMode(mode)
	}
	if f.repeat > 0 {
		return big(w, h, f.body, f.repeat)
	}
	out, err := w.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, body)
	return err
}

// big writes a file of n bytes without compressing them all: one block of the
// pattern is deflated once and its bits are written as often as needed.
func big(w *zip.Writer, h *zip.FileHeader, pattern string, n int64) error {
	// Large enough for the deflated blocks to be few, small enough to deflate in no time.
	const size = 512 << 10
	block := []byte(strings.Repeat(pattern, size/len(pattern)+1))[:size]
	parts, err := deflate(block, block[:n%int64(len(block))])
	if err != nil {
		return err
	}
	whole, rest := parts[0], parts[1]
	sum := crc32.NewIEEE()
	times := n / int64(len(block))
	for range times {
		sum.Write(block)
	}
	sum.Write(block[:n%int64(len(block))])
	end := []byte{3, 0} // an empty last block
	h.CRC32, h.UncompressedSize64 = sum.Sum32(), uint64(n)
	h.CompressedSize64 = uint64(times)*uint64(len(whole)) + uint64(len(rest)) + uint64(len(end))
	out, err := w.CreateRaw(h)
	if err != nil {
		return err
	}
	for range times {
		if _, err := out.Write(whole); err != nil {
			return err
		}
	}
	_, err = out.Write(append(rest, end...))
	return err
}

// deflate compresses each content to a stream that ends at a byte and is not the
// last block, so that others can follow it.
func deflate(contents ...[]byte) ([][]byte, error) {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(contents))
	for i, content := range contents {
		var b bytes.Buffer
		w.Reset(&b)
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
		if err := w.Flush(); err != nil {
			return nil, err
		}
		out[i] = b.Bytes()
	}
	return out, nil
}

// noise is incompressible content of n bytes, the same for the same name.
func noise(name string, n int) string {
	var seed [32]byte
	copy(seed[:], name)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(b) // it never fails
	return string(b)
}
