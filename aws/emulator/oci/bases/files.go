package bases

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"time"
)

// file is one entry of an image layer; a path ending in "/" is a directory, a
// link makes it a symbolic link.
type file struct {
	path string
	mode int64
	link string
	body string
}

// entrypoint behaves as AWS's does: exactly one argument, the handler, which the
// runtime finds in _HANDLER; outside Lambda the interface emulator is started
// (github.com/aws/aws-lambda-dotnet#970).
const entrypoint = `#!/bin/sh
# Stand-in for the entry point of AWS's base images.
if [ "$#" -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" >&2
  exit 142
fi
_HANDLER="$1"
export _HANDLER
runtime=/var/runtime/bootstrap
if [ -n "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec "${runtime}"
fi
exec /usr/local/bin/aws-lambda-rie "${runtime}"
`

const emulatorNote = `#!/bin/sh
echo "this is a stand-in base image without AWS's runtime interface emulator" >&2
exit 1
`

// system is what an operating system's images share.
func system(os, arch string) []file {
	version := map[string]string{"al2023": "2023", "al2": "2", "al1": "2018.03"}[os]
	return []file{
		{path: "bin", link: "usr/bin"},
		{path: "dev/", mode: 0o755},
		{path: "etc/", mode: 0o755},
		{path: "etc/os-release", mode: 0o644, body: fmt.Sprintf("NAME=\"Amazon Linux (stand-in, %s)\"\nVERSION_ID=\"%s\"\nID=\"amzn\"\n", arch, version)},
		{path: "lambda-entrypoint.sh", mode: 0o755, body: entrypoint},
		{path: "lib64", link: "usr/lib64"},
		{path: "opt/", mode: 0o755},
		{path: "proc/", mode: 0o555},
		{path: "tmp/", mode: 0o1777},
		{path: "usr/", mode: 0o755},
		{path: "usr/bin/", mode: 0o755},
		{path: "usr/lib64/", mode: 0o755},
		{path: "usr/local/", mode: 0o755},
		{path: "usr/local/bin/", mode: 0o755},
		{path: "usr/local/bin/aws-lambda-rie", mode: 0o755, body: emulatorNote},
		{path: "var/", mode: 0o755},
		{path: "var/lang/", mode: 0o755},
		{path: "var/runtime/", mode: 0o755},
		{path: "var/task/", mode: 0o755},
	}
}

// language is what a managed runtime adds.
func language(b Base) []file {
	command, setup := "", ""
	version := strings.TrimRight(strings.TrimPrefix(b.Runtime, "nodejs"), ".x")
	switch lang, _, _ := strings.Cut(strings.TrimPrefix(b.Repository, "lambda/"), "/"); lang {
	case "nodejs":
		command = "node"
		setup = fmt.Sprintf(`if [ -z "${NODE_PATH}" ]; then
  NODE_PATH=/opt/nodejs/node%s/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task
  export NODE_PATH
fi
`, version)
	case "python":
		command = "python" + strings.TrimPrefix(b.Runtime, "python")
	case "java", "ruby", "dotnet", "go":
		command = lang
	}
	bootstrap := fmt.Sprintf(`#!/bin/sh
# Stand-in for AWS's %[1]s runtime: it can't run a handler by itself.
%[2]sAWS_EXECUTION_ENV=AWS_Lambda_%[1]s
export AWS_EXECUTION_ENV
set -- /var/lang/bin/%[3]s "${_HANDLER}"
if [ -n "${AWS_LAMBDA_EXEC_WRAPPER}" ]; then
  if [ ! -f "${AWS_LAMBDA_EXEC_WRAPPER}" ]; then
    echo "${AWS_LAMBDA_EXEC_WRAPPER}: does not exist" >&2
    exit 127
  fi
  if [ ! -x "${AWS_LAMBDA_EXEC_WRAPPER}" ]; then
    echo "${AWS_LAMBDA_EXEC_WRAPPER}: is not an executable" >&2
    exit 126
  fi
  exec "${AWS_LAMBDA_EXEC_WRAPPER}" "$@"
fi
exec "$@"
`, b.Runtime, setup, command)
	return []file{
		{path: "var/", mode: 0o755},
		{path: "var/lang/", mode: 0o755},
		{path: "var/lang/bin/", mode: 0o755},
		{path: "var/lang/bin/" + command, mode: 0o755, body: "#!/bin/sh\necho \"stand-in for " + command + "\" >&2\nexit 1\n"},
		{path: "var/lang/lib/", mode: 0o755},
		{path: "var/runtime/", mode: 0o755},
		{path: "var/runtime/bootstrap", mode: 0o755, body: bootstrap},
		{path: "var/runtime/lib/", mode: 0o755},
	}
}

// packer makes gzip layers whose bytes depend on nothing but the files, each of
// them once.
type packer struct {
	gzip *gzip.Writer
	made map[string][]byte
}

func newPacker() *packer {
	return &packer{gzip: gzip.NewWriter(io.Discard), made: map[string][]byte{}}
}

// pack writes files, which list parents before children, as a layer. The key
// stands for them.
func (p *packer) pack(key string, files []file) ([]byte, error) {
	if known := p.made[key]; known != nil {
		return known, nil
	}
	var out bytes.Buffer
	p.gzip.Reset(&out)
	tw := tar.NewWriter(p.gzip)
	for _, f := range files {
		h := &tar.Header{
			Name: f.path, Mode: f.mode, Size: int64(len(f.body)), Typeflag: tar.TypeReg,
			ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
		}
		switch {
		case strings.HasSuffix(f.path, "/"):
			h.Typeflag = tar.TypeDir
		case f.link != "":
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.link, 0o777
		}
		if err := tw.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.path, err)
		}
		if _, err := tw.Write([]byte(f.body)); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	if err := p.gzip.Close(); err != nil {
		return nil, err
	}
	p.made[key] = out.Bytes()
	return out.Bytes(), nil
}
