package image

import (
	"archive/tar"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// tar checks the entries of one layer.
func (r *report) tar(l *layerScan) {
	id := l.digest.String()
	seen := make(map[string]bool, len(l.entries))
	dirs := map[string]bool{".": true}
	later := make(map[string]bool) // directories that have an entry anywhere in the layer
	for i := range l.entries {
		if l.entries[i].typ == tar.TypeDir {
			later[l.entries[i].name] = true
		}
	}
	missed := make(map[string]bool)
	for i := range l.entries {
		e := &l.entries[i]
		f := Finding{Path: "/" + e.name, Layer: id}
		if e.name == ".." || strings.HasPrefix(e.name, "../") {
			f.Path, f.Message, f.Remedy = e.name, "the name leads out of the image", "build the image with another tool"
			r.add("unsafe-path", f)
			continue
		}
		if seen[e.name] {
			f.Message, f.Remedy = "the layer holds the path more than once", "write each path once; the last copy is what counts"
			r.add("duplicate-path", f)
		}
		seen[e.name] = true
		if parent := path.Dir(e.name); !dirs[parent] && !missed[parent] {
			missed[parent] = true
			f.Message = fmt.Sprintf("the layer has no entry for the directory /%s before this file", parent)
			if later[parent] {
				f.Message = fmt.Sprintf("the layer's entry for the directory /%s comes after this file", parent)
			}
			f.Remedy = "write an entry for every directory, parents first: tar -c DIRECTORY does, a list of files does not"
			r.add("parent-directory", f)
		}
		switch e.typ {
		case tar.TypeDir:
			dirs[e.name] = true
		case tar.TypeLink:
			f.Message, f.Remedy = "it is a hard link to "+path.Clean("/"+e.target), "write a copy of the file, or a symbolic link"
			r.add("hard-link", f)
		case tar.TypeReg, tar.TypeSymlink:
		default:
			f.Message, f.Remedy = "it is a device, a pipe or of another kind that a function can't use", "leave it out"
			r.add("special-file", f)
		}
		if strings.HasPrefix(path.Base(e.name), whiteoutPrefix) {
			f.Message, f.Remedy = "it deletes a file of a layer below", "nothing to do; deleted files still count as part of the image's size"
			r.add("whiteout", f)
		}
	}
}

// start checks what the image starts.
func (r *report) start(s *scan, t *tree) {
	c := s.config.Config
	if len(c.Entrypoint) == 1 && c.Entrypoint[0] == lambdaEntrypoint && len(c.Cmd) != 1 {
		severity := Refused
		if len(c.Cmd) == 0 {
			severity = Doubtful // a function's ImageConfig may bring it
		}
		r.add("cmd", Finding{
			Severity: severity,
			Message:  fmt.Sprintf("CMD has %s; %s takes exactly one, the handler, and ends with status 142 otherwise", count(len(c.Cmd), "word"), lambdaEntrypoint),
			Remedy:   `set CMD ["index.handler"], or ImageConfig.Command on every function that uses the image`,
		})
	}
	program := append(slices.Clone(c.Entrypoint), c.Cmd...)
	switch {
	case len(program) == 0:
		r.add("entrypoint", Finding{
			Message: "the image has neither ENTRYPOINT nor CMD: nothing would be started",
			Remedy:  "build on an AWS base image, or set ENTRYPOINT to the runtime's client",
		})
	case !strings.HasPrefix(program[0], "/"):
		r.add("entrypoint", Finding{
			Message: fmt.Sprintf("what is started, %q, is no absolute path", program[0]),
			Remedy:  "set ENTRYPOINT to the program's absolute path, or build on an AWS base image",
		})
	default:
		if n := t.find(program[0], true); n == nil || n.dir() || n.broken {
			r.add("entrypoint", Finding{
				Path: program[0], Message: "what is started is not in the image, or is no file",
				Remedy: "copy it into the image, or build on an AWS base image",
			})
		} else if n.entry.mode&0o111 == 0 {
			r.add("entrypoint", Finding{
				Path: program[0], Message: fmt.Sprintf("what is started is not executable (mode %04o)", n.entry.mode),
				Remedy: "chmod +x it before it is copied",
			})
		}
	}
}

// extensions checks /opt/extensions, every file of which Lambda starts
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html).
func (r *report) extensions(s *scan, t *tree, limit limits) {
	dir := t.find("opt/extensions", true)
	if dir == nil {
		return
	}
	n := 0
	names := make([]string, 0, len(dir.children))
	for name := range dir.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		child := dir.children[name]
		f := Finding{Path: "/opt/extensions/" + name, Layer: s.layers[child.layer].digest.String()}
		target := t.find(child.name, true)
		if target != nil && target.dir() {
			continue
		}
		n++
		f.Remedy = "leave it out of the layer it comes from, or make it executable if it is an extension"
		switch {
		case target == nil || target.broken:
			f.Message = "it is a link to nothing: Lambda tries to start it, and the function's start fails"
		case target.entry.mode&0o111 == 0:
			f.Message = fmt.Sprintf("it is not executable (mode %04o): Lambda tries to start it, and the function's start fails", target.entry.mode)
		case strings.HasPrefix(name, "."):
			f.Severity = Doubtful
			f.Message = "it is hidden, and Lambda starts it as an extension all the same"
		default:
			continue
		}
		r.add("extension-file", f)
	}
	if n > limit.extensions {
		r.add("extension-count", Finding{
			Path: "/opt/extensions", Message: fmt.Sprintf("it holds %d files; Lambda starts each of them, and takes %d extensions", n, limit.extensions),
			Remedy: "leave out layers with extensions that the function can do without",
		})
	}
}

// files checks what the function itself reads, as it is in the end; what an AWS
// base brings is its own affair.
func (r *report) files(s *scan, t *tree, skip int) {
	for _, root := range []string{"opt", "var/task"} {
		top := t.find(root, true)
		if top == nil {
			continue
		}
		check := func(n *node) {
			if n.entry == nil || n.layer < skip || n.entry.typ != tar.TypeReg && n.entry.typ != tar.TypeDir {
				return
			}
			e := n.entry
			f := Finding{Path: "/" + n.name, Layer: s.layers[n.layer].digest.String()}
			switch {
			case n.dir() && e.mode&0o555 != 0o555:
				f.Message, f.Remedy = fmt.Sprintf("the directory has mode %04o; Lambda runs the function as a user of its own, who could not search it", e.mode), "chmod a+rx it before it is copied"
				r.add("world-readable", f)
			case !n.dir() && e.mode&0o444 != 0o444:
				f.Message, f.Remedy = fmt.Sprintf("the file has mode %04o; Lambda runs the function as a user of its own, who could not read it", e.mode), "chmod a+r it before it is copied"
				r.add("world-readable", f)
			}
			if e.uid != 0 || e.gid != 0 {
				f.Message, f.Remedy = "it belongs to "+strconv.Itoa(e.uid)+":"+strconv.Itoa(e.gid)+"; no such user exists where Lambda runs it", "copy it without --chown, or write the tar with owner 0:0"
				r.add("owner", f)
			}
		}
		check(top)
		top.walk(check)
	}
}
