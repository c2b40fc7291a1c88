package invoke

import (
	"fmt"

	"github.com/optlift/optlift/aws/emulator/invoke/node"
	"github.com/optlift/optlift/aws/emulator/rootfs"
)

const (
	extensionsDir = "/opt/extensions"
	// extensionsOff switches extensions off
	// (github.com/aws/aws-lambda-runtime-interface-emulator).
	extensionsOff = "/opt/disable-extensions-jwigqn8j"
	// maxExtensions is a quota
	// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html).
	maxExtensions = 10
)

// checkExtensions does what Lambda does before it starts external extensions:
// every entry of /opt/extensions that is no directory is one, and each must be
// executable (github.com/aws-samples/aws-lambda-extensions#38). They are checked
// and not run, and the log says so.
func checkExtensions(tree *rootfs.Tree, log *logger) *node.Failure {
	if _, _, err := tree.Lookup(extensionsOff); err == nil {
		return nil
	}
	type entry struct {
		name string
		node *rootfs.Node // nil is a link that leads nowhere
	}
	var found []entry
	for _, name := range tree.Names(extensionsDir) {
		_, at, err := tree.Lstat(extensionsDir + "/" + name)
		if err != nil || at.Kind == rootfs.Dir {
			continue
		}
		_, target, err := tree.Lookup(extensionsDir + "/" + name)
		if err != nil {
			target = nil
		}
		found = append(found, entry{name, target})
	}
	line := func(name, state, detail string) string {
		return fmt.Sprintf("EXTENSION\tName: %s\tState: %s\tEvents: []%s", name, state, detail)
	}
	if len(found) > maxExtensions {
		fail := node.Lambda("Extension.TooManyExtensions", "TooManyExtensions: %d external extensions in %s, at most %d can be started", len(found), extensionsDir, maxExtensions)
		fail.Note = line("", "LaunchError", "\tError Type: TooManyExtensions")
		return fail
	}
	for _, e := range found {
		file := extensionsDir + "/" + e.name
		switch {
		case e.node == nil:
			fail := node.Lambda("Extension.LaunchError", "fork/exec %s: no such file or directory", file)
			fail.Note = line(e.name, "LaunchError", "\tError Type: UnknownError")
			return fail
		case !e.node.Executable():
			fail := node.Lambda("Extension.LaunchError", "fork/exec %s: permission denied", file)
			fail.Note = line(e.name, "LaunchError", "\tError Type: PermissionDenied")
			return fail
		}
		log.Raw(line(e.name, "Found", "\tNote: the embedded account does not run extensions"))
	}
	return nil
}
