package seed

import (
	"archive/zip"
	"io/fs"
	"strings"
	"testing"
)

// A Java archive is one: what looks into functions finds its name and version.
func TestJars(t *testing.T) {
	text := jar("acme-model", "2.1.0")
	zr, err := zip.NewReader(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := fs.ReadFile(zr, "META-INF/MANIFEST.MF")
	if err != nil || !strings.Contains(string(manifest), "Implementation-Version: 2.1.0\r\n") {
		t.Errorf("%s, %v", manifest, err)
	}
	for _, list := range []files{common("java21", 0, nil), common("java21", light, nil)} {
		for _, f := range list {
			if strings.HasSuffix(f.path, ".jar") && (f.repeat > 0 || !strings.HasPrefix(f.body, "PK\x03\x04")) {
				t.Errorf("%s is no archive", f.path)
			}
		}
	}
}
