package recipe

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/overlay"
	"github.com/optlift/optlift/build/zipdir"
)

// Request is what a recipe is made from.
type Request struct {
	Function     string // its name; "" for zips on this machine
	Region       string // of the function; "" for zips on this machine
	Runtime      string // Lambda's identifier; "" with a base of one's own
	Handler      string
	Architecture string // "x86_64" or "arm64"
	Wrapper      string // value of AWS_LAMBDA_EXEC_WRAPPER, "" if there is none
	EnvNames     []string
	// Base is the resolved base image; OwnBase says that the user has named it.
	Base    *image.Base
	OwnBase bool
	Layers  []Part // in merge order
	Code    Part
	// Repository is the ECR repository to publish to.
	Repository string
	// Create is the shell call that creates a function from the image, in which
	// the image's address is "$image". "" leaves a short one of its own.
	Create string
}

// Part is one archive of a recipe.
type Part struct {
	Source layer.Source   // with its SHA256: the recipe pins it
	ARN    string         // of the layer version, or of the function for its code; "" for a local zip
	File   string         // local path of the zip, to be copied into the folder; "" if ARN says where it is
	From   *overlay.Image // an image that holds the same files; nil takes the zip
}

// File is one file of the folder.
type File struct {
	Name    string // slash-separated
	Content []byte
	CopyOf  string // path of a local file, instead of Content
	Exec    bool
}

// Names within the folder. fetch.sh makes the directories.
const (
	zipsDir     = "zips"
	unpackedDir = "unpacked"
	envFile     = "environment.json"
)

// New decides what the folder holds. It reads no archive's data.
func New(req Request) ([]File, error) {
	if err := req.check(); err != nil {
		return nil, fmt.Errorf("write a recipe: %w", err)
	}
	bootstrap, err := req.bootstrap()
	if err != nil {
		return nil, err
	}
	if req.Handler == "" {
		req.Handler = "bootstrap" // as the image that `build` makes
	}
	script, err := req.fetchScript(bootstrap)
	if err != nil {
		return nil, err
	}
	dockerfile, err := req.dockerfile(bootstrap)
	if err != nil {
		return nil, err
	}
	policy, err := json.MarshalIndent(pullPolicy, "", "  ")
	if err != nil {
		return nil, err
	}
	files := []File{
		{Name: "Dockerfile", Content: dockerfile},
		{Name: ".dockerignore", Content: []byte("# Nothing but the unpacked archives goes into a build.\n*\n!" + unpackedDir + "\n")},
		{Name: ".gitignore", Content: []byte("# fetch.sh makes these again; " + envFile + " holds secrets.\n/" + zipsDir + "\n/" + unpackedDir + "\n/" + envFile + "\n")},
		{Name: "fetch.sh", Content: script, Exec: true},
		{Name: "repository-policy.json", Content: append(policy, '\n')},
		{Name: "README.md", Content: req.readme()},
	}
	for i, p := range req.parts() {
		if p.File != "" && p.From == nil {
			files = append(files, File{Name: req.zip(i), CopyOf: p.File})
		}
	}
	return files, nil
}

func (r *Request) check() error {
	if _, err := image.PlatformFor(r.Architecture); err != nil {
		return err
	}
	switch {
	case r.Code.Source.Dir == nil:
		return errors.New("there is no code: a function or its zip is needed")
	case r.Base == nil:
		return errors.New("there is no base image")
	case strings.HasPrefix(r.Base.Reference, "oci:") || strings.HasPrefix(r.Base.Reference, "docker:"):
		return fmt.Errorf("the base image %s is on this disk only: a Dockerfile needs one in a registry", r.Base.Reference)
	case r.Handler == "" && !osOnly(r.Runtime):
		return errors.New("no handler is named: AWS's base images need exactly one, such as index.handler")
	}
	for _, p := range r.parts() {
		if p.From != nil && p.From.OnDisk() {
			return fmt.Errorf("the image %s is on this disk only: a Dockerfile needs one in a registry", p.From.Reference)
		}
		if p.From == nil && p.Source.SHA256 == "" {
			return fmt.Errorf("the SHA-256 of %s is not known, so it can't be pinned", p.Source.Name)
		}
		if p.From == nil && p.ARN == "" && p.File == "" {
			return fmt.Errorf("nothing says where %s can be had", p.Source.Name)
		}
	}
	return nil
}

func osOnly(runtime string) bool { return image.Runtime{ID: runtime}.OSOnly() }

// parts are the layers, then the code.
func (r *Request) parts() []Part { return append(r.Layers[:len(r.Layers):len(r.Layers)], r.Code) }

// part names the i-th archive in the folder: layer-1, layer-2 … code.
func (r *Request) part(i int) string {
	if i == len(r.Layers) {
		return "code"
	}
	return fmt.Sprintf("layer-%d", i+1)
}

func (r *Request) zip(i int) string { return zipsDir + "/" + r.part(i) + ".zip" }

// bootstrap is where the link in /var/runtime leads that lets the base's
// entrypoint find a custom runtime; "" where the base has its own runtime. The
// code's comes before a layer's, as in a zip
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html).
func (r *Request) bootstrap() (string, error) {
	if !osOnly(r.Runtime) {
		return "", nil
	}
	if e, ok := r.Code.Source.Dir.Lookup("bootstrap"); ok && e.Kind != zipdir.Dir {
		return "/var/task/bootstrap", nil
	}
	for _, p := range r.Layers {
		if e, ok := p.Source.Dir.Lookup("bootstrap"); ok && e.Kind != zipdir.Dir {
			return "/opt/bootstrap", nil
		}
	}
	if r.OwnBase {
		return "", nil
	}
	return "", fmt.Errorf("write a recipe: %s brings no runtime, and neither the code nor a layer has a file named bootstrap: nothing would start", r.Runtime)
}

// plainPath is a path that needs no quoting in a Dockerfile or a shell.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9._/+-]+$`)

// comment makes text fit for one line of a script, a Dockerfile or Markdown.
func comment(s string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == '`' {
			return '\uFFFD'
		}
		return c
	}, s)
}

// quote makes text one word of a shell.
func quote(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=@%+,", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// pullPolicy lets Lambda pull from the repository
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-permissions).
var pullPolicy = map[string]any{
	"Version": "2012-10-17",
	"Statement": []any{map[string]any{
		"Sid": "LambdaECRImageRetrievalPolicy", "Effect": "Allow",
		"Principal": map[string]string{"Service": "lambda.amazonaws.com"},
		"Action":    []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
	}},
}
