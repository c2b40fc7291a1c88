package inventory_test

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// layer opens an archive of the entries.
func layer(t testing.TB, entries ...ziptest.Entry) optfs.Layer {
	t.Helper()
	return open(t, ziptest.Write(t, entries...))
}

func open(t testing.TB, path string) optfs.Layer {
	t.Helper()
	dir, file, err := zipdir.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return optfs.Layer{Source: path, Dir: dir}
}

// take makes the inventory of layers and, if there is any, code.
func take(t testing.TB, code []ziptest.Entry, layers ...optfs.Layer) *inventory.Inventory {
	t.Helper()
	var task *optfs.Tree
	if code != nil {
		task = optfs.Merge(layer(t, code...))
	}
	inv, err := inventory.Take(t.Context(), optfs.Merge(layers...), task)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// lines shows packages as short text.
func lines(inv *inventory.Inventory) []string {
	var out []string
	for _, p := range inv.Packages {
		line := fmt.Sprintf("%s %s %s %d %s", p.Ecosystem, p.Name, p.Version, p.Layer, p.Path)
		if p.TopLevel {
			line += " top"
		}
		if p.Shadowed {
			line += " shadowed"
		}
		out = append(out, line)
	}
	return out
}

func check(t *testing.T, inv *inventory.Inventory, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, lines(inv)); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	for _, u := range inv.Unread {
		t.Errorf("unread: %+v", u)
	}
}

func metadata(name, version string) string {
	return "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\nSummary: x\n\nName: not this\nVersion: 0\n"
}

func TestPython(t *testing.T) {
	inv := take(t,
		[]ziptest.Entry{ziptest.File("requests-2.1.dist-info/METADATA", metadata("requests", "2.1"))},
		layer(t,
			ziptest.File("python/Zope.Interface-6.0.dist-info/METADATA", metadata("Zope.Interface", "6.0")).Deflated(),
			ziptest.File("python/lib/python3.12/site-packages/old.egg-info/PKG-INFO", metadata("old", "1")),
			ziptest.File("python/flat-3.egg-info", metadata("flat", "3")),
			ziptest.File("python/setuptools/_vendor/wheel-0.4.dist-info/METADATA", metadata("wheel", "0.4")),
			ziptest.File("python/requests/METADATA", metadata("no", "1")),
			ziptest.File("python/x.dist-info/RECORD", "")))
	check(t, inv,
		"python flat 3 1 /opt/python/flat-3.egg-info top",
		"python old 1 1 /opt/python/lib/python3.12/site-packages/old.egg-info/PKG-INFO top",
		"python requests 2.1 0 /var/task/requests-2.1.dist-info/METADATA top",
		"python wheel 0.4 1 /opt/python/setuptools/_vendor/wheel-0.4.dist-info/METADATA",
		"python Zope.Interface 6.0 1 /opt/python/Zope.Interface-6.0.dist-info/METADATA top")
	if got := inv.Packages[4].PURL; got != "pkg:pypi/zope-interface@6.0" {
		t.Errorf("package URL %q", got)
	}
}

func TestNode(t *testing.T) {
	inv := take(t,
		[]ziptest.Entry{
			ziptest.File("package.json", `{"name":"app","version":"1.0.0"}`),
			ziptest.File("node_modules/a/package.json", `{"name":"a","version":"3.0.0"}`),
		},
		layer(t,
			ziptest.File("nodejs/node_modules/a/package.json", `{"name":"a","version":"1.0.0"}`),
			ziptest.File("nodejs/node_modules/@s/b/package.json", `{"name":"@s/b","version":"1.2.3"}`),
			ziptest.File("nodejs/node_modules/@s/b/lib/package.json", `{"type":"module"}`),
			ziptest.File("nodejs/node_modules/a/node_modules/c/package.json", `{"name":"c","version":"9.9.9"}`),
			ziptest.File("nodejs/node_modules/nameless/package.json", `{}`),
			ziptest.File("nodejs/node_modules/odd/package.json", `{"name":"odd","version":7}`)),
		layer(t, ziptest.File("nodejs/node_modules/a/package.json", `{"name":"a","version":"2.0.0"}`)))
	check(t, inv,
		"node @s/b 1.2.3 1 /opt/nodejs/node_modules/@s/b/package.json top",
		"node a 1.0.0 1 /opt/nodejs/node_modules/a/package.json top shadowed",
		"node a 2.0.0 2 /opt/nodejs/node_modules/a/package.json top",
		"node a 3.0.0 0 /var/task/node_modules/a/package.json top",
		"node c 9.9.9 1 /opt/nodejs/node_modules/a/node_modules/c/package.json",
		"node nameless  1 /opt/nodejs/node_modules/nameless/package.json top",
		"node odd  1 /opt/nodejs/node_modules/odd/package.json top")
	if got := inv.Packages[0].PURL; got != "pkg:npm/%40s/b@1.2.3" {
		t.Errorf("package URL %q", got)
	}
	if len(inv.Divided) != 1 || inv.Divided[0].Name != "a" || len(inv.Divided[0].Copies) != 3 || inv.Divided[0].Copies[0].Layer != 0 {
		t.Errorf("divided: %+v", inv.Divided)
	}
}

// jar packs files into an archive as jar tools do.
func jar(t *testing.T, files ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestJava(t *testing.T) {
	const properties = "#Generated\r\ngroupId=com.acme\r\nartifactId=core\r\nversion=1.4\r\n"
	padding := strings.Repeat("0123456789abcdef", 20_000) // pushes what follows behind the head
	inv := take(t,
		[]ziptest.Entry{ziptest.File("META-INF/maven/com.acme/app/pom.properties", "artifactId=app\ngroupId=com.acme\nversion=2\n")},
		layer(t,
			ziptest.File("java/lib/core.jar", jar(t, "padding", padding, "META-INF/maven/com.acme/core/pom.properties", properties,
				"META-INF/MANIFEST.MF", "Implementation-Title: wrong\r\nImplementation-Version: 0\r\n")).Deflated(),
			ziptest.File("java/lib/fat.jar", jar(t, "META-INF/maven/g/one/pom.properties", "groupId=g\nartifactId=one\nversion=1\n",
				"META-INF/maven/g/two/pom.properties", "groupId=g\nartifactId=two\nversion=2\n")),
			ziptest.File("java/lib/bundle.jar", jar(t, "META-INF/MANIFEST.MF",
				"Manifest-Version: 1.0\r\nBundle-SymbolicName: org.b;singleton:=true\r\nBundle-Version: 3.1\r\n\r\nName: part\r\nBundle-Version: 9\r\n")).Deflated(),
			// Lines of a manifest break wherever 72 bytes end, also within a name.
			ziptest.File("java/lib/broken.jar", jar(t, "META-INF/MANIFEST.MF",
				"Import-Package: a;version=\"1\r\n :2\"\r\nBundle-SymbolicName: org.acme.very.l\r\n ong.name;x:=\"y\r\n \"\r\nBundle-Version: 1.\r\n 2.3\r\n")),
			ziptest.File("java/lib/escaped.jar", jar(t, "META-INF/maven/g/esc/pom.properties", "!c=d\ngroupId=com.acme\nartifactId=esc\nversion=1\\:2")),
			// What a manifest does not say, the file's name does.
			ziptest.File("java/lib/acme-http-1.9-rc1.jar", jar(t, "A.class", "x")),
			ziptest.File("java/lib/titled-3.0.jar", jar(t, "META-INF/MANIFEST.MF", "Implementation-Title: Titled\n")),
			ziptest.File("java/lib/plain.jar", jar(t, "A.class", "x"))))
	check(t, inv,
		"java Titled 3.0 1 /opt/java/lib/titled-3.0.jar top",
		"java acme-http 1.9-rc1 1 /opt/java/lib/acme-http-1.9-rc1.jar top",
		"java app 2 0 /var/task/META-INF/maven/com.acme/app/pom.properties top",
		"java core 1.4 1 /opt/java/lib/core.jar!/META-INF/maven/com.acme/core/pom.properties top",
		"java esc 1:2 1 /opt/java/lib/escaped.jar!/META-INF/maven/g/esc/pom.properties top",
		"java one 1 1 /opt/java/lib/fat.jar!/META-INF/maven/g/one/pom.properties top",
		"java org.acme.very.long.name 1.2.3 1 /opt/java/lib/broken.jar top",
		"java org.b 3.1 1 /opt/java/lib/bundle.jar top",
		"java plain  1 /opt/java/lib/plain.jar top",
		"java two 2 1 /opt/java/lib/fat.jar!/META-INF/maven/g/two/pom.properties top")
	if got := inv.Packages[3].PURL; got != "pkg:maven/com.acme/core@1.4" {
		t.Errorf("package URL %q", got)
	}
	if got := inv.Packages[1].PURL; got != "" {
		t.Errorf("a jar without a group has the URL %q", got)
	}
}

func TestRuby(t *testing.T) {
	stub := "# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.4 x86_64-linux lib\n\nGem::Specification.new do |s|\n"
	inv := take(t,
		[]ziptest.Entry{
			ziptest.File("vendor/bundle/ruby/3.3.0/specifications/rack-3.0.gemspec", "# stub: rack 3.0 ruby lib\n"),
			ziptest.File("vendor/bundle/ruby/3.3.0/gems/rack-3.0/lib/rack.rb", ""),
		},
		layer(t,
			ziptest.File("ruby/gems/3.3.0/specifications/nokogiri-1.15.4-x86_64-linux.gemspec", stub),
			ziptest.File("ruby/gems/3.3.0/specifications/default/json-2.7.1.gemspec", "Gem::Specification.new\n"),
			ziptest.File("ruby/gems/3.3.0/gems/nokogiri-1.15.4-x86_64-linux/nokogiri.gemspec", "not installed\n"),
			ziptest.File("ruby/gems/3.3.0/gems/aws-sdk-core-3.1.0/lib/x.rb", ""),
			ziptest.File("ruby/gems/3.3.0/gems/aws-sdk-core-3.1.0/lib/y.rb", ""),
			ziptest.File("ruby/gems/3.3.0/gems/http-2-0.11.0/lib/x.rb", ""),
			ziptest.File("ruby/gems/3.3.0/gems/ffi-1.15.5-aarch64-linux-musl/lib/x.rb", ""),
			ziptest.File("ruby/lib/gems/tool-1.0/x.rb", "")))
	check(t, inv,
		"ruby aws-sdk-core 3.1.0 1 /opt/ruby/gems/3.3.0/gems/aws-sdk-core-3.1.0 top",
		"ruby ffi 1.15.5 1 /opt/ruby/gems/3.3.0/gems/ffi-1.15.5-aarch64-linux-musl top",
		"ruby http-2 0.11.0 1 /opt/ruby/gems/3.3.0/gems/http-2-0.11.0 top",
		"ruby json 2.7.1 1 /opt/ruby/gems/3.3.0/specifications/default/json-2.7.1.gemspec top",
		"ruby nokogiri 1.15.4 1 /opt/ruby/gems/3.3.0/specifications/nokogiri-1.15.4-x86_64-linux.gemspec top",
		"ruby rack 3.0 0 /var/task/vendor/bundle/ruby/3.3.0/specifications/rack-3.0.gemspec top")
	if got := inv.Packages[4].PURL; got != "pkg:gem/nokogiri@1.15.4?platform=x86_64-linux" {
		t.Errorf("package URL %q", got)
	}
}

func TestDotNet(t *testing.T) {
	inv := take(t, []ziptest.Entry{ziptest.File("App.deps.json", "\ufeff"+`{"libraries":{"App/1.0.0":{"type":"project"},
		"Newtonsoft.Json/13.0.3":{"type":"package"},"Amazon.Lambda.Core/2.1.0":{"type":"package","serviceable":true}}}`)})
	check(t, inv,
		"dotnet Amazon.Lambda.Core 2.1.0 0 /var/task/App.deps.json top",
		"dotnet Newtonsoft.Json 13.0.3 0 /var/task/App.deps.json top")
	if got := inv.Packages[1].PURL; got != "pkg:nuget/Newtonsoft.Json@13.0.3" {
		t.Errorf("package URL %q", got)
	}
}

// This test's own program is one made by Go: what is found in it, packed into
// an archive, is what Go says of the file.
func TestGo(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text, []byte("\x7fELF")) {
		t.Skip("programs are no ELF files on this system")
	}
	info, err := buildinfo.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	inv := take(t, nil, layer(t, ziptest.File("extensions/agent", string(text)),
		ziptest.File("bin/data", strings.Repeat("\x7fELF no program", 50_000)).Deflated()))
	got := map[string]string{}
	for _, p := range inv.Packages {
		if p.Ecosystem != inventory.Go || p.Path != "/opt/extensions/agent" || p.TopLevel {
			t.Errorf("unexpected %+v", p)
		}
		got[p.Name] = p.Version
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	want := map[string]string{"stdlib": version, info.Main.Path: ""}
	for _, m := range info.Deps {
		want[m.Path] = m.Version
	}
	if info.Main.Path == "" {
		delete(want, "")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
	if len(inv.Unread) > 0 {
		t.Errorf("unread: %+v", inv.Unread)
	}
}

// What is broken or too large is told with its place, and hides nothing else.
func TestUnread(t *testing.T) {
	mark := "\xff Go " + "buildinf:"
	nested := jar(t, "BOOT-INF/lib/x.jar", "x", "META-INF/maven/g/a/pom.properties", "groupId=g\nartifactId=a\nversion=1\n")
	inv := take(t, nil, layer(t,
		ziptest.File("python/empty.dist-info/METADATA", "\n"),
		ziptest.File("python/fine.dist-info/METADATA", metadata("fine", "1")),
		ziptest.File("python/long.dist-info/METADATA", strings.Repeat("x", 2<<20)).Deflated(),
		ziptest.File("nodejs/node_modules/bad/package.json", "{"),
		ziptest.File("nodejs/node_modules/huge/package.json", strings.Repeat(" ", 5<<20)).Deflated(),
		ziptest.File("nodejs/node_modules/crc/package.json", "{}").Both(func(h *ziptest.Header) { h.CRC++ }),
		ziptest.File("java/lib/text.jar", "no archive"),
		ziptest.File("java/lib/nested.jar", nested),
		ziptest.File("bin/fake", "\x7fELF"+strings.Repeat("\x00", 400_000)+mark+strings.Repeat("\x00", 400_000)).Deflated(),
		ziptest.File("app.deps.json", "[]"),
		ziptest.File("ruby/gems/3.3.0/specifications/none.gemspec", "x")),
		optfs.Layer{Source: "gone"})
	want := map[string]string{
		"/opt/python/empty.dist-info/METADATA":             "names no package",
		"/opt/python/long.dist-info/METADATA":              "too long",
		"/opt/nodejs/node_modules/bad/package.json":        "not the manifest",
		"/opt/nodejs/node_modules/huge/package.json":       "more than",
		"/opt/nodejs/node_modules/crc/package.json":        "CRC",
		"/opt/java/lib/text.jar":                           "not a valid zip",
		"/opt/java/lib/nested.jar":                         "1 archives inside it",
		"/opt/bin/fake":                                    "build information",
		"/opt/app.deps.json":                               "not a list",
		"/opt/ruby/gems/3.3.0/specifications/none.gemspec": "names no gem",
		"/opt": "could not be read",
	}
	for _, u := range inv.Unread {
		if part, ok := want[u.Path]; !ok || !strings.Contains(u.Reason, part) {
			t.Errorf("unread %s: %q, want %q", u.Path, u.Reason, part)
		}
		delete(want, u.Path)
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
	if got := lines(inv); !slices.Equal(got, []string{"java a 1 1 /opt/java/lib/nested.jar!/META-INF/maven/g/a/pom.properties top",
		"python fine 1 1 /opt/python/fine.dist-info/METADATA top"}) {
		t.Errorf("packages %q", got)
	}
	if inv.Unread[len(inv.Unread)-1].Layer != 2 {
		t.Errorf("the layer that could not be read is %+v", inv.Unread[len(inv.Unread)-1])
	}
}

func TestDivided(t *testing.T) {
	dist := func(site, name, version string) ziptest.Entry {
		return ziptest.File(site+name+"-"+version+".dist-info/METADATA", metadata(name, version))
	}
	inv := take(t, nil,
		layer(t, dist("python/", "Py_Dantic", "1.10"), dist("python/", "same", "1"), dist("python/lib/vendor/", "apart", "1"), dist("python/", "twice", "1"), dist("python/", "twice", "2")),
		layer(t, dist("python/lib/python3.12/site-packages/", "py-dantic", "2.0"), dist("python/", "same", "1"), dist("python/", "apart", "2")))
	if len(inv.Divided) != 1 {
		t.Fatalf("divided: %+v", inv.Divided)
	}
	d := inv.Divided[0]
	if d.Ecosystem != inventory.Python || d.Name != "Py_Dantic" || len(d.Copies) != 2 || d.Copies[0].Version != "1.10" || d.Copies[1].Layer != 2 {
		t.Errorf("divided: %+v", d)
	}
}

func TestTakeStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := inventory.Take(ctx, optfs.Merge(layer(t, ziptest.File("a", "b"))), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNothing(t *testing.T) {
	inv, err := inventory.Take(t.Context(), nil, nil)
	if err != nil || inv.Packages == nil || inv.Unread == nil || inv.Divided == nil {
		t.Errorf("got %+v, %v", inv, err)
	}
}
