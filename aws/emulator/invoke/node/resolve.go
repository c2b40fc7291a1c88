package node

import (
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/emulator/rootfs"
)

// style is how a module names others: by require or by import.
type style bool

const (
	commonJS style = false
	esModule style = true
)

// conditions are the keys of conditional exports that hold for the style.
func (s style) conditions() []string {
	if s == esModule {
		return []string{"node", "import", "node-addons", "default"}
	}
	return []string{"node", "require", "node-addons", "default"}
}

// resolve finds the file that a module in dir means by name. ES modules name files
// in full and do not use NODE_PATH
// (https://nodejs.org/api/esm.html#differences-between-es-modules-and-commonjs).
func (ms *modules) resolve(dir, name string, by style) (string, error) {
	whole := func(name string) (string, error) {
		if by == commonJS {
			return ms.fileOrDir(name)
		}
		if file, ok := ms.file(name); ok {
			return file, nil
		}
		return "", errNotFound
	}
	switch {
	case strings.HasPrefix(name, "file://"):
		return whole(strings.TrimPrefix(name, "file://"))
	case strings.HasPrefix(name, "/"):
		return whole(name)
	case name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../"):
		return whole(path.Join(dir, name) + trailing(name))
	case strings.HasPrefix(name, "#"):
		if root, pkg := ms.scope(dir); pkg != nil {
			if target := matchExports(pkg.Imports, name, by); target != "" {
				if strings.HasPrefix(target, "./") {
					return whole(path.Join(root, target))
				}
				return ms.resolve(root, target, by)
			}
		}
		return "", errNotFound
	}
	// The packages around the module first, NODE_PATH after them.
	var places []string
	for at := dir; ; at = path.Dir(at) {
		if path.Base(at) != "node_modules" {
			places = append(places, path.Join(at, "node_modules"))
		}
		if at == "/" || at == "." {
			break
		}
	}
	for _, p := range strings.Split(ms.machine.config.Env["NODE_PATH"], ":") {
		if p != "" && by == commonJS {
			places = append(places, p)
		}
	}
	for _, place := range places {
		file, err := ms.inPackages(place, name, by)
		if !errors.Is(err, errNotFound) {
			return file, err
		}
	}
	return "", errNotFound
}

// trailing keeps the slash that says "the directory, not the file".
func trailing(name string) string {
	if strings.HasSuffix(name, "/") || name == "." || name == ".." {
		return "/"
	}
	return ""
}

// inPackages looks for name in one directory of packages.
func (ms *modules) inPackages(place, name string, by style) (string, error) {
	parts := strings.SplitN(name, "/", 3)
	pkgName, sub := parts[0], strings.Join(parts[1:], "/")
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		pkgName, sub = parts[0]+"/"+parts[1], strings.Join(parts[2:], "/")
	}
	root := path.Join(place, pkgName)
	if pkg := ms.pkg(root); pkg != nil && len(pkg.Exports) > 0 {
		key := "."
		if sub != "" {
			key = "./" + sub
		}
		if target := matchExports(pkg.Exports, key, by); target != "" {
			return ms.fileOrDir(path.Join(root, target))
		}
		return "", errNotFound
	}
	return ms.fileOrDir(path.Join(place, name) + trailing(name))
}

// fileOrDir is Node.js's LOAD_AS_FILE and LOAD_AS_DIRECTORY; the answer is a true
// path, links resolved.
func (ms *modules) fileOrDir(name string) (string, error) {
	if !strings.HasSuffix(name, "/") {
		for _, suffix := range []string{"", ".js", ".json", ".node"} {
			if file, ok := ms.file(name + suffix); ok {
				return file, nil
			}
		}
	}
	if pkg := ms.pkg(path.Clean(name)); pkg != nil && pkg.Main != "" {
		main := path.Join(name, pkg.Main)
		for _, suffix := range []string{"", ".js", ".json", ".node", "/index.js", "/index.json"} {
			if file, ok := ms.file(main + suffix); ok {
				return file, nil
			}
		}
	}
	for _, index := range []string{"index.js", "index.json", "index.node"} {
		if file, ok := ms.file(path.Join(name, index)); ok {
			return file, nil
		}
	}
	return "", errNotFound
}

func (ms *modules) file(name string) (string, bool) {
	real, n, err := ms.tree.Lookup(name)
	return real, err == nil && n.Kind == rootfs.File
}

// manifest is what is read of a package.json.
type manifest struct {
	Main    string          `json:"main"`
	Type    string          `json:"type"`
	Exports json.RawMessage `json:"exports"`
	Imports json.RawMessage `json:"imports"`
}

// pkg reads the package.json of a directory; nil where there is none.
func (ms *modules) pkg(dir string) *manifest {
	if known, ok := ms.pkgs[dir]; ok {
		return known
	}
	var found *manifest
	if raw, err := ms.tree.Read(path.Join(dir, "package.json"), 1<<20); err == nil {
		parsed := &manifest{}
		if json.Unmarshal(raw, parsed) == nil || parsed.Main != "" {
			found = parsed
		}
	}
	ms.pkgs[dir] = found
	return found
}

// scope is the nearest package around a directory.
func (ms *modules) scope(dir string) (string, *manifest) {
	for at := dir; ; at = path.Dir(at) {
		if pkg := ms.pkg(at); pkg != nil {
			return at, pkg
		}
		if at == "/" || at == "." || path.Base(at) == "node_modules" {
			return "", nil
		}
	}
}

// matchExports finds the target of a key in "exports" or "imports"
// (https://nodejs.org/api/packages.html#conditional-exports); "" is none.
func matchExports(raw json.RawMessage, key string, by style) string {
	var entries map[string]json.RawMessage
	if json.Unmarshal(raw, &entries) != nil || !slices.ContainsFunc(keys(raw), func(k string) bool {
		return strings.HasPrefix(k, ".") || strings.HasPrefix(k, "#")
	}) {
		if key == "." {
			return condition(raw, "", by)
		}
		return ""
	}
	if exact, ok := entries[key]; ok {
		return condition(exact, "", by)
	}
	best, match := "", ""
	for pattern := range entries {
		before, after, ok := strings.Cut(pattern, "*")
		if !ok || len(pattern) <= len(best) || len(key) < len(before)+len(after) ||
			!strings.HasPrefix(key, before) || !strings.HasSuffix(key, after) {
			continue
		}
		best, match = pattern, key[len(before):len(key)-len(after)]
	}
	if best == "" {
		return ""
	}
	return condition(entries[best], match, by)
}

// condition picks the target that holds on Node.js.
func condition(raw json.RawMessage, match string, by style) string {
	var target string
	if json.Unmarshal(raw, &target) == nil {
		return strings.ReplaceAll(target, "*", match)
	}
	var several []json.RawMessage
	if json.Unmarshal(raw, &several) == nil {
		for _, one := range several {
			if target := condition(one, match, by); target != "" {
				return target
			}
		}
		return ""
	}
	var entries map[string]json.RawMessage
	if json.Unmarshal(raw, &entries) != nil {
		return ""
	}
	// The order in the file decides.
	for _, name := range keys(raw) {
		if slices.Contains(by.conditions(), name) {
			if target := condition(entries[name], match, by); target != "" {
				return target
			}
		}
	}
	return ""
}

// keys lists the members of a JSON object in the order they stand there.
func keys(raw json.RawMessage) []string {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var names []string
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return names
		}
		names = append(names, name)
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return names
		}
	}
	return names
}
