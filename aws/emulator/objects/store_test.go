package objects_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/optlift/optlift/aws/emulator/objects"
)

func archive(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	w, err := zw.Create("file")
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = zw.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchivesAreKeptOnce(t *testing.T) {
	s := objects.New(func() string { return "localhost:1" }, []byte("key"))
	data := archive(t, "content")
	one, err := s.Add(data)
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Add(bytes.Clone(data))
	if err != nil || one != two || one.Unzipped != 7 || one.Entries != 1 {
		t.Errorf("%+v, %+v, %v", one, two, err)
	}
	data[0] ^= 0xff // the caller's own
	got := make([]byte, one.Size())
	if _, err := one.Zip().Reader.ReadAt(got, 0); err != nil || got[0] != 'P' {
		t.Errorf("the store's bytes changed with the caller's: %v", err)
	}
	if _, err := s.Add([]byte("no zip")); err == nil {
		t.Error("kept what is no zip")
	}
}

func TestSavedArchives(t *testing.T) {
	dir := t.TempDir()
	s := objects.New(func() string { return "" }, nil)
	keep, err := s.Add(archive(t, "keep"))
	if err != nil {
		t.Fatal(err)
	}
	drop, err := s.Add(archive(t, "drop"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(dir, func(h string) bool { return h == keep.SHA256 }); err != nil {
		t.Fatal(err)
	}
	fresh := objects.New(func() string { return "" }, nil)
	if err := fresh.Load(dir, []string{keep.SHA256}); err != nil || fresh.Get(keep.SHA256) == nil {
		t.Errorf("load: %v", err)
	}
	if err := fresh.Load(dir, []string{drop.SHA256}); err == nil {
		t.Error("loaded what was not saved")
	}
	other := archive(t, "swapped")
	if err := os.WriteFile(filepath.Join(dir, keep.SHA256), other, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := objects.New(func() string { return "" }, nil).Load(dir, []string{keep.SHA256}); err == nil {
		t.Error("loaded an archive under another's hash")
	}
}
