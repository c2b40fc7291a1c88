package imagerules

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/optlift/optlift/aws/emulator/ecr"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// maxManifest is the largest manifest Lambda takes, in bytes
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html).
const maxManifest = 25400

// Rules checks images in an account's registry. It is safe for concurrent use.
type Rules struct {
	ecr *ecr.Service

	mu       sync.Mutex
	verdicts map[verdictKey]verdict // of layers that were read before
}

// New makes the rules for the images of one ECR.
func New(service *ecr.Service) *Rules {
	return &Rules{ecr: service, verdicts: map[verdictKey]verdict{}}
}

func invalidParameter(format string, args ...any) *wire.Error {
	e := wire.Errorf(400, "InvalidParameterValueException", format, args...)
	e.Fields, e.Lower = map[string]string{"Type": "User"}, true
	return e
}

// notValid and notThere are Lambda's words for a URI it does not take
// (github.com/grafana/loki#7218) and for an image that is missing
// (github.com/aws/aws-cdk#24648).
func notValid(uri string) *wire.Error {
	return invalidParameter("Source image %s is not valid. Provide a valid source image.", uri)
}

func notThere(uri string) *wire.Error {
	return invalidParameter("Source image %s does not exist. Provide a valid source image.", uri)
}

// notSupported answers, among others, an image index
// (github.com/aws/aws-lambda-roadmap#82).
func notSupported(uri string) *wire.Error {
	return invalidParameter("The image manifest, config or layer media type for the source image %s is not supported.", uri)
}

// noAccess is github.com/aws-samples/bedrock-access-gateway#127.
func noAccess() *wire.Error {
	e := wire.Errorf(403, "AccessDeniedException", "Lambda does not have permission to access the ECR image. Check the ECR permissions.")
	e.Fields = map[string]string{"Type": "User"}
	return e
}

// Resolve checks what Lambda refuses at once and pins the tag. Lambda does not
// compare the image's platform with the function's architectures here: a mismatch
// shows when the function starts (github.com/aws/aws-lambda-base-images#34).
func (r *Rules) Resolve(_ context.Context, call wire.Call, uri, _ string) (wire.Image, error) {
	ref, ok := parse(uri)
	if !ok {
		return wire.Image{}, notValid(uri)
	}
	repo, exists, ok := r.locate(call, ref)
	if !ok {
		return wire.Image{}, notValid(uri)
	}
	if !exists {
		return wire.Image{}, notThere(uri)
	}
	if err := r.grant(call, repo); err != nil {
		return wire.Image{}, err
	}
	manifest, err := r.ecr.Registry().Manifest(repo.Path, ref.tag)
	if err != nil {
		return wire.Image{}, notThere(uri)
	}
	if !supported(manifest.MediaType, manifest.ConfigType) {
		return wire.Image{}, notSupported(uri)
	}
	if len(manifest.Raw) >= maxManifest {
		return wire.Image{}, invalidParameter("The manifest of the source image %s has %d bytes and must be smaller than %d bytes.", uri, len(manifest.Raw), maxManifest)
	}
	digest := manifest.Digest.String()
	return wire.Image{URI: uri, Resolved: ref.host + "/" + ref.path + "@" + digest, Digest: digest}, nil
}

// supported tells whether the manifest is one image of a kind Lambda runs: a
// Docker or OCI manifest with a configuration of its family.
func supported(manifestType, configType string) bool {
	switch types.MediaType(manifestType) {
	case types.DockerManifestSchema2:
		return types.MediaType(configType) == types.DockerConfigJSON
	case types.OCIManifestSchema1:
		return types.MediaType(configType) == types.OCIConfigJSON
	}
	return false
}

// The permissions that Lambda needs on a repository
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions).
const (
	lambdaPrincipal = "lambda.amazonaws.com"
	policyID        = "LambdaECRImageRetrievalPolicy"
	actionImage     = "ecr:BatchGetImage"
	actionLayer     = "ecr:GetDownloadUrlForLayer"
)

// grant makes sure that Lambda may pull. In the caller's own account Lambda adds
// its statement where it is missing; in another account somebody must have.
func (r *Rules) grant(call wire.Call, repo ecr.Found) error {
	allowed, denied := mayPull(repo.Policy)
	switch {
	case denied:
		return noAccess()
	case allowed:
		return nil
	case repo.Account != call.Account:
		return noAccess()
	}
	policy := map[string]any{"Version": "2008-10-17"}
	if repo.Policy != "" {
		if err := json.Unmarshal([]byte(repo.Policy), &policy); err != nil {
			return noAccess()
		}
	}
	statements, _ := policy["Statement"].([]any)
	policy["Statement"] = append(statements, map[string]any{
		"Sid": policyID, "Effect": "Allow", "Principal": map[string]any{"Service": lambdaPrincipal},
		"Action": []string{actionImage, actionLayer},
	})
	raw, err := json.Marshal(policy)
	if err != nil {
		return err
	}
	r.ecr.SetPolicy(repo.Path, string(raw))
	return nil
}

// mayPull reads a repository's policy for Lambda's two actions. Conditions are
// not evaluated: a statement with one counts.
func mayPull(text string) (allowed, denied bool) {
	var policy struct {
		Statement []struct {
			Effect    string
			Principal json.RawMessage
			Action    json.RawMessage
		}
	}
	if json.Unmarshal([]byte(text), &policy) != nil {
		return false, false
	}
	granted := map[string]bool{}
	for _, s := range policy.Statement {
		if !forLambda(s.Principal) {
			continue
		}
		for _, action := range []string{actionImage, actionLayer} {
			if !names(s.Action, action) {
				continue
			}
			if s.Effect == "Deny" {
				return false, true
			}
			granted[action] = true
		}
	}
	return granted[actionImage] && granted[actionLayer], false
}

func forLambda(principal json.RawMessage) bool {
	var all string
	if json.Unmarshal(principal, &all) == nil {
		return all == "*"
	}
	var by struct{ Service, AWS json.RawMessage }
	if json.Unmarshal(principal, &by) != nil {
		return false
	}
	return slices.Contains(list(by.Service), lambdaPrincipal) || slices.Contains(list(by.AWS), "*")
}

func names(action json.RawMessage, want string) bool {
	return slices.ContainsFunc(list(action), func(a string) bool {
		return a == want || a == "ecr:*" || a == "*" || a == "ecr:Batch*" && want == actionImage
	})
}

// list reads a JSON string or list of strings.
func list(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var many []string
	_ = json.Unmarshal(raw, &many) // anything else names nobody
	return many
}

// manifest finds the manifest of an accepted image again.
func (r *Rules) manifest(image wire.Image) (path string, parsed *v1.Manifest, err error) {
	ref, ok := parse(image.Resolved)
	if !ok {
		return "", nil, notValid(image.Resolved)
	}
	path = ref.path
	if m := ecrHost.FindStringSubmatch(ref.host); m != nil {
		path = r.ecr.Path(m[1], m[2], ref.path)
	}
	held, err := r.ecr.Registry().Manifest(path, image.Digest)
	if err != nil {
		return path, nil, err
	}
	parsed = &v1.Manifest{}
	if err := json.Unmarshal(held.Raw, parsed); err != nil {
		return path, nil, err
	}
	if parsed.MediaType == "" {
		parsed.MediaType = types.MediaType(held.MediaType)
	}
	return path, parsed, nil
}
