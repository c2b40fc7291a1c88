package lookup_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/build/lookup"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func tree(t *testing.T, names ...string) *optfs.Tree {
	t.Helper()
	var entries []ziptest.Entry
	for _, n := range names {
		entries = append(entries, ziptest.File(n, n))
	}
	b := ziptest.Bytes(entries...)
	d, err := zipdir.Read("test", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return optfs.Merge(optfs.Layer{Source: "test", Dir: d})
}

func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		runtime   string
		env       []string
		opt, task []string
		want      map[string]string // hidden path below /opt → what is found instead
	}{
		"python, the code first": {runtime: "python3.13",
			opt:  []string{"python/requests/__init__.py", "python/requests/api.py", "python/six.py", "python/yaml/__init__.py", "python/_yaml.cpython-313-x86_64-linux-gnu.so"},
			task: []string{"requests/__init__.py", "six.py", "_yaml.so", "yaml/data.txt"},
			want: map[string]string{"python/requests": "/var/task/requests", "python/six.py": "/var/task/six.py",
				"python/_yaml.cpython-313-x86_64-linux-gnu.so": "/var/task/_yaml.so"}},
		"python, site-packages before the top": {runtime: "python3.13",
			opt:  []string{"python/numpy/__init__.py", "python/lib/python3.13/site-packages/numpy/__init__.py", "python/lib/python3.12/site-packages/six.py"},
			task: []string{"lib/thing.py", "six.py"},
			want: map[string]string{"python/numpy": "/opt/python/lib/python3.13/site-packages/numpy"}},
		"python, a package before a module": {runtime: "python3.9",
			opt: []string{"python/a.py", "python/b/__init__.py"}, task: []string{"a/__init__.py", "b.py"},
			want: map[string]string{"python/a.py": "/var/task/a", "python/b": "/var/task/b.py"}},
		"python with a path of its own": {runtime: "python3.13", env: []string{"PYTHONPATH"},
			opt: []string{"python/six.py"}, task: []string{"six.py"}, want: map[string]string{}},
		"node": {runtime: "nodejs22.x",
			opt: []string{"nodejs/node_modules/aws-sdk/index.js", "nodejs/node_modules/@scope/one/index.js", "nodejs/node_modules/@scope/two/index.js",
				"nodejs/node22/node_modules/uuid/index.js", "nodejs/node_modules/uuid/index.js", "nodejs/node_modules/.bin/tool"},
			task: []string{"node_modules/aws-sdk/index.js", "node_modules/@scope/two/index.js", "node_modules/.bin/tool"},
			want: map[string]string{"nodejs/node_modules/aws-sdk": "/var/task/node_modules/aws-sdk", "nodejs/node_modules/@scope/two": "/var/task/node_modules/@scope/two",
				"nodejs/node_modules/uuid": "/opt/nodejs/node22/node_modules/uuid"}},
		"ruby": {runtime: "ruby3.4", opt: []string{"ruby/lib/tool.rb", "ruby/lib/other.rb"}, task: []string{"tool.rb"},
			want: map[string]string{"ruby/lib/tool.rb": "/var/task/tool.rb"}},
		"libraries, whatever the runtime": {runtime: "provided.al2023",
			opt: []string{"lib/libssl.so.3", "lib/libz.so", "lib/readme.so.txt.md", "bin/tool"}, task: []string{"lib/libssl.so.3", "libz.so", "bin/tool"},
			want: map[string]string{"lib/libssl.so.3": "/var/task/lib/libssl.so.3", "lib/libz.so": "/var/task/libz.so"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := lookup.Find(c.runtime, c.env, tree(t, c.opt...), tree(t, c.task...))
			got := map[string]string{}
			for p, h := range found {
				got[p] = h.By
				if h.Path != "/opt/"+p || h.Kind == "" {
					t.Errorf("%s: %+v", p, h)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFindWithoutCode(t *testing.T) {
	got := lookup.Find("python3.13", nil, tree(t, "python/six.py", "python/lib/python3.13/site-packages/six.py"), nil)
	if len(got) != 1 || got["python/six.py"].By != "/opt/python/lib/python3.13/site-packages/six.py" {
		t.Fatalf("%v", got)
	}
}

func TestAt(t *testing.T) {
	hidden := map[string]lookup.Hidden{"python/requests": {By: "/var/task/requests"}}
	for p, want := range map[string]bool{"python/requests": true, "python/requests/a/b.py": true, "python": false, "python/requests2": false, "": false} {
		if _, ok := lookup.At(hidden, p); ok != want {
			t.Errorf("%s: %v", p, ok)
		}
	}
}
