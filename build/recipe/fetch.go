package recipe

import (
	"bytes"
	"fmt"
	"io/fs"

	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
)

// scriptHead holds what every script needs. Modes become what Lambda needs: every
// file readable by all, and executable by all if by anyone.
const scriptHead = `#!/bin/sh
# Puts the archives below into ` + unpackedDir + `/, where the Dockerfile takes them from. Each is
# checked against its SHA-256 before it is unpacked.
set -eu
umask 022
export LC_ALL=C.UTF-8
cd "$(dirname "$0")"
mkdir -p ` + zipsDir + ` ` + unpackedDir + `

fail() {
  echo "fetch.sh: $*" >&2
  exit 1
}
need() {
  command -v "$1" >/dev/null || fail "it needs $1, which is not here"
}
sum() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# unpack NAME SHA256
unpack() {
  need unzip
  [ -f "` + zipsDir + `/$1.zip" ] || fail "` + zipsDir + `/$1.zip is missing"
  [ "$(sum "` + zipsDir + `/$1.zip")" = "$2" ] || fail "` + zipsDir + `/$1.zip is not the archive this recipe was made for"
  rm -rf "` + unpackedDir + `/$1"
  mkdir "` + unpackedDir + `/$1"
  # 1 is a warning, such as a program before the archive.
  unzip -q -o "` + zipsDir + `/$1.zip" -d "` + unpackedDir + `/$1" || [ "$?" -eq 1 ]
  find "` + unpackedDir + `/$1" -type d -exec chmod 755 {} \;
  chmod -R a+rX "` + unpackedDir + `/$1"
}
# modes MODE NAME: sets the mode of the files listed on standard input
modes() {
  while IFS= read -r file; do chmod "$1" "` + unpackedDir + `/$2/$file"; done
}
`

// scriptDownload is for archives of the account. The link that Lambda hands out
// is worth as much as a password for ten minutes.
const scriptDownload = `
# download NAME SHA256 AWS-LAMBDA-ARGUMENT...: asks Lambda for the archive's link,
# with your own credentials, and hands it to curl. It is written nowhere.
download() {
  name=$1
  want=$2
  shift 2
  if [ -f "` + zipsDir + `/$name.zip" ] && [ "$(sum "` + zipsDir + `/$name.zip")" = "$want" ]; then return; fi
  need aws
  need curl
  link=$(aws lambda "$@" --output text)
  case $link in
  http*) ;;
  *) fail "Lambda gives no link for $name: is it still a function of package type Zip, or a layer you may read?" ;;
  esac
  printf 'url = "%s"\n' "$link" |
    curl --config - --fail --silent --show-error --location --retry 3 --output "` + zipsDir + `/$name.zip.part"
  if [ "$(sum "` + zipsDir + `/$name.zip.part")" != "$want" ]; then
    rm -f "` + zipsDir + `/$name.zip.part"
    fail "$name has changed since this recipe was made: make a new one"
  fi
  mv "` + zipsDir + `/$name.zip.part" "` + zipsDir + `/$name.zip"
}
`

func (r *Request) fetchScript(bootstrap string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(scriptHead)
	for _, p := range r.parts() {
		if p.From == nil && p.ARN != "" {
			b.WriteString(scriptDownload)
			break
		}
	}
	for i, p := range r.parts() {
		if p.From != nil {
			fmt.Fprintf(&b, "\n# %s comes from the image %s\n", r.part(i), comment(p.From.Reference))
			continue
		}
		fmt.Fprintf(&b, "\n# %s\n", comment(p.Source.Name))
		name := r.part(i)
		switch {
		case p.ARN == "":
		case name == "code":
			fmt.Fprintf(&b, "download code %s get-function --region %s --function-name %s --query Code.Location\n", p.Source.SHA256, quote(r.Region), quote(p.ARN))
		default:
			fmt.Fprintf(&b, "download %s %s get-layer-version-by-arn --region %s --arn %s --query Content.Location\n", name, p.Source.SHA256, quote(r.Region), quote(p.ARN))
		}
		fmt.Fprintf(&b, "unpack %s %s\n", name, p.Source.SHA256)
		if err := r.modes(&b, name, p.Source); err != nil {
			return nil, err
		}
	}
	if bootstrap != "" {
		fmt.Fprintf(&b, "\n# The base's entrypoint starts /var/runtime/bootstrap.\nrm -rf %[1]s/runtime\nmkdir %[1]s/runtime\nln -s %[2]s %[1]s/runtime/bootstrap\n", unpackedDir, bootstrap)
	}
	return b.Bytes(), nil
}

// modes gives files that carry no Unix mode the one that our image gives them:
// what unzip does there differs from system to system.
func (r *Request) modes(b *bytes.Buffer, name string, src layer.Source) error {
	src.Root = layer.Opt
	if name == "code" {
		src.Root = layer.Task
	}
	repairs, err := layer.Repairs(src, layer.Options{Executables: []string{r.Wrapper}})
	if err != nil {
		return err
	}
	exec := map[string]bool{}
	for _, rep := range repairs {
		exec[rep.Path] = rep.Now&0o111 != 0
	}
	lists := map[fs.FileMode][]string{}
	for i := range src.Dir.Entries {
		if e := &src.Dir.Entries[i]; e.Kind == zipdir.File && !e.HasMode {
			mode := fs.FileMode(0o644)
			if exec["/"+string(src.Root)+"/"+e.Name] {
				mode = 0o755
			}
			lists[mode] = append(lists[mode], e.Name)
		}
	}
	for _, mode := range []fs.FileMode{0o644, 0o755} {
		if len(lists[mode]) == 0 {
			continue
		}
		fmt.Fprintf(b, "modes %o %s <<'END'\n", mode, name)
		for _, file := range lists[mode] {
			fmt.Fprintf(b, "./%s\n", file) // so that no line is END
		}
		b.WriteString("END\n")
	}
	return nil
}
