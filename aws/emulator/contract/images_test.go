package contract

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	image "github.com/google/go-containerregistry/pkg/v1/types"
)

// stored is a layer that is pushed just as it is given.
type stored struct {
	mediaType    image.MediaType
	bytes, plain []byte
}

func (l stored) Digest() (v1.Hash, error) {
	h, _, err := v1.SHA256(bytes.NewReader(l.bytes))
	return h, err
}

func (l stored) DiffID() (v1.Hash, error) {
	h, _, err := v1.SHA256(bytes.NewReader(l.plain))
	return h, err
}
func (l stored) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.bytes)), nil
}
func (l stored) Uncompressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.plain)), nil
}
func (l stored) Size() (int64, error)                { return int64(len(l.bytes)), nil }
func (l stored) MediaType() (image.MediaType, error) { return l.mediaType, nil }

// rootfs writes names as a tar: "a/" is a directory, "a=b" a hard link to b,
// anything else a file.
func rootfs(names ...string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, n := range names {
		h := &tar.Header{Name: n, Mode: 0o755, Typeflag: tar.TypeReg}
		if link, target, ok := strings.Cut(n, "="); ok {
			h.Name, h.Linkname, h.Typeflag = link, target, tar.TypeLink
		} else if strings.HasSuffix(n, "/") {
			h.Typeflag = tar.TypeDir
		} else {
			h.Size = int64(len(n))
		}
		sure(w.WriteHeader(h))
		_, err := io.WriteString(w, n[:h.Size])
		sure(err)
	}
	sure(w.Close())
	return b.Bytes()
}

func gzipped(plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(plain)
	sure(err)
	sure(w.Close())
	return b.Bytes()
}

// scratch is an image of one layer for a processor.
func scratch(family image.MediaType, processor string, l stored) v1.Image {
	config := image.DockerConfigJSON
	if family == image.OCIManifestSchema1 {
		config = image.OCIConfigJSON
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, family), config)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: processor, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Entrypoint: []string{"/var/task/run"}, WorkingDir: "/var/task", Cmd: []string{"index.handler"}},
	})
	sure(err)
	img, err = mutate.Append(img, mutate.Addendum{Layer: l, MediaType: l.mediaType})
	sure(err)
	return img
}

// repository makes one, to be deleted with the group.
func (c *check) repository() *ecrtypes.Repository {
	repo := c.name("repo")
	out := must(c.ecr.CreateRepository(c.ctx, &ecr.CreateRepositoryInput{RepositoryName: &repo}))(c)
	c.later(func(ctx context.Context) error {
		_, err := c.ecr.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: &repo, Force: true})
		return err
	})
	return out.Repository
}

// reachable makes a repository and answers how to push to it.
func (c *check) reachable() (uri string, auth authn.Authenticator) {
	uri = *c.repository().RepositoryUri
	if !c.local("https://" + uri) {
		c.Fatalf("the repository is not where the account is: %s", uri)
	}
	token := must(c.ecr.GetAuthorizationToken(c.ctx, &ecr.GetAuthorizationTokenInput{}))(c)
	plain := must(base64.StdEncoding.DecodeString(*token.AuthorizationData[0].AuthorizationToken))(c)
	user, password, _ := strings.Cut(string(plain), ":")
	return uri, &authn.Basic{Username: user, Password: password}
}

// push stores an image and answers its URI.
func (c *check) push(img v1.Image) string {
	uri, auth := c.reachable()
	ref := must(name.ParseReference(uri + ":v1"))(c)
	if err := remote.Write(ref, img, remote.WithAuth(auth), remote.WithContext(c.ctx)); err != nil {
		c.Fatalf("push: %v", err)
	}
	return ref.String()
}

func (c *check) image(uri string) (*lambda.CreateFunctionOutput, error) {
	in := c.input()
	in.PackageType, in.Runtime, in.Handler = types.PackageTypeImage, "", nil
	in.Code = &types.FunctionCode{ImageUri: &uri}
	return c.create(in)
}

func TestImages(t *testing.T) {
	w := writing(t)
	good := rootfs("var/", "var/task/", "var/task/run")
	w.fact("a function from an image", recorded+"test_lambda_image_crud", func(c *check) {
		img := scratch(image.DockerManifestSchema2, "amd64", stored{image.DockerLayer, gzipped(good), good})
		digest, err := img.Digest()
		sure(err)
		uri := c.push(img)
		made := must(c.image(uri))(c)
		if made.Runtime != "" || made.Handler != nil || made.PackageType != types.PackageTypeImage || *made.CodeSha256 != digest.Hex {
			c.Errorf("created %+v", made)
		}
		if now := c.settled(*made.FunctionName); now.State != types.StateActive {
			c.Errorf("%s: %s", now.State, aws.ToString(now.StateReason))
		}
		code := must(c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: made.FunctionName}))(c).Code
		if aws.ToString(code.RepositoryType) != "ECR" || aws.ToString(code.ImageUri) != uri || aws.ToString(code.ResolvedImageUri) != strings.TrimSuffix(uri, ":v1")+"@"+digest.String() || code.Location != nil {
			c.Errorf("the code is at %+v", code)
		}
		_, err = c.lambda.UpdateFunctionCode(c.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: made.FunctionName, ZipFile: zipped("a", "b")})
		c.refused(err, value, 400, "Please provide ImageUri when updating a function with packageType Image.")
		_, err = c.lambda.UpdateFunctionConfiguration(c.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: made.FunctionName, Handler: aws.String("h")})
		c.refused(err, value, 400, "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
	})
	noParent := rootfs("opt/", "opt/extensions/agent")
	late := rootfs("opt/", "opt/extensions/agent", "opt/extensions/")
	hard := rootfs("opt/", "opt/a", "opt/b=opt/a")
	const parent, unsupported = "MissingParentDirectory: Parent directory does not exist for file: opt/extensions/agent", "UnsupportedImageLayerDetected"
	for _, r := range []struct {
		name   string
		family image.MediaType
		layer  stored
		reason string // "" is fit
		source string
	}{
		{"an OCI image", image.OCIManifestSchema1, stored{image.OCILayer, gzipped(good), good}, "", guide + "images-create.html"},
		{"a directory without an entry", image.DockerManifestSchema2, stored{image.DockerLayer, gzipped(noParent), noParent}, parent, github + "aws/aws-lambda-web-adapter/issues/236"},
		{"a directory after its file", image.OCIManifestSchema1, stored{image.OCILayer, gzipped(late), late}, parent, github + "nlewo/nix2container/issues/54"},
		{"a hard link", image.DockerManifestSchema2, stored{image.DockerLayer, gzipped(hard), hard}, unsupported, github + "aspect-build/rules_aws: aws/private/py_lambda.bzl"},
		{"an uncompressed layer under a Docker manifest", image.DockerManifestSchema2, stored{image.DockerUncompressedLayer, good, good}, unsupported, github + "aspect-build/rules_aws/pull/145"},
	} {
		w.fact(r.name, r.source, func(c *check) {
			uri := c.push(scratch(r.family, "amd64", r.layer))
			now := c.settled(*must(c.image(uri))(c).FunctionName)
			switch {
			case r.reason == "" && now.State != types.StateActive:
				c.Errorf("%s: %s", now.State, aws.ToString(now.StateReason))
			case r.reason != "" && (now.State != types.StateFailed || now.StateReasonCode != types.StateReasonCodeInvalidImage || !strings.Contains(aws.ToString(now.StateReason), r.reason)):
				c.Errorf("%s, %s: %s\nwant Failed, InvalidImage: %s", now.State, now.StateReasonCode, aws.ToString(now.StateReason), r.reason)
			}
		})
	}
	w.fact("an index is refused at once", github+"aws/aws-lambda-roadmap/issues/82", func(c *check) {
		uri, auth := c.reachable()
		ref := must(name.ParseReference(uri + ":list"))(c)
		index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: scratch(image.OCIManifestSchema1, "amd64", stored{image.OCILayer, gzipped(good), good})})
		if err := remote.WriteIndex(ref, index, remote.WithAuth(auth), remote.WithContext(c.ctx)); err != nil {
			c.Fatalf("push: %v", err)
		}
		_, err := c.image(ref.String())
		c.refused(err, value, 400, "The image manifest, config or layer media type for the source image "+ref.String()+" is not supported.")
	})
	w.fact("the repository's policy lets Lambda pull once a function is created", guide+"images-create.html#configuration-images-permissions", func(c *check) {
		uri := c.push(scratch(image.DockerManifestSchema2, "amd64", stored{image.DockerLayer, gzipped(good), good}))
		repo := uri[strings.LastIndex(uri, "/")+1 : strings.LastIndex(uri, ":")]
		_, err := c.ecr.GetRepositoryPolicy(c.ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: &repo})
		c.refused(err, "RepositoryPolicyNotFoundException", 400, "")
		must(c.image(uri))(c)
		out := must(c.ecr.GetRepositoryPolicy(c.ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: &repo}))(c)
		if !strings.Contains(*out.PolicyText, "lambda.amazonaws.com") || !strings.Contains(*out.PolicyText, "ecr:GetDownloadUrlForLayer") {
			c.Errorf("%s", *out.PolicyText)
		}
	})
}

func TestECR(t *testing.T) {
	w := writing(t)
	const api = "aws-sdk-go-v2/service/ecr: "
	good := rootfs("var/", "var/task/", "var/task/run")
	w.fact("a repository can be made once", api+"CreateRepository", func(c *check) {
		repo := c.repository().RepositoryName
		_, err := c.ecr.CreateRepository(c.ctx, &ecr.CreateRepositoryInput{RepositoryName: repo})
		c.refused(err, "RepositoryAlreadyExistsException", 400, "The repository with name '"+*repo+"' already exists in the registry with id '"+c.account+"'")
	})
	w.fact("what was pushed is described, by compressed size", api+"ImageDetail", func(c *check) {
		layer := stored{image.DockerLayer, gzipped(good), good}
		img := scratch(image.DockerManifestSchema2, "amd64", layer)
		digest, err := img.Digest()
		sure(err)
		uri := c.push(img)
		repo := uri[strings.LastIndex(uri, "/")+1 : strings.LastIndex(uri, ":")]
		out := must(c.ecr.DescribeImages(c.ctx, &ecr.DescribeImagesInput{RepositoryName: &repo}))(c).ImageDetails
		if len(out) != 1 || *out[0].ImageDigest != digest.String() || strings.Join(out[0].ImageTags, " ") != "v1" || aws.ToInt64(out[0].ImageSizeInBytes) < int64(len(layer.bytes)) {
			c.Errorf("%+v", out)
		}
		_, err = c.ecr.DescribeImages(c.ctx, &ecr.DescribeImagesInput{RepositoryName: &repo, ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("v9")}}})
		c.refused(err, "ImageNotFoundException", 400, "The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the repository with name '"+repo+"'")
	})
	w.fact("a push to a repository that is not there is refused", github+"aws/containers-roadmap/issues/853", func(c *check) {
		uri, auth := c.reachable()
		ref := must(name.ParseReference(uri + "-none:v1"))(c)
		err := remote.Write(ref, scratch(image.DockerManifestSchema2, "amd64", stored{image.DockerLayer, gzipped(good), good}), remote.WithAuth(auth), remote.WithContext(c.ctx))
		if err == nil || !strings.Contains(err.Error(), "does not exist in the registry") {
			c.Errorf("%v", err)
		}
	})
	w.fact("an immutable tag stays", github+"moby/buildkit/issues/3776", func(c *check) {
		uri, auth := c.reachable()
		repo := uri[strings.LastIndex(uri, "/")+1:]
		must(c.ecr.PutImageTagMutability(c.ctx, &ecr.PutImageTagMutabilityInput{RepositoryName: &repo, ImageTagMutability: ecrtypes.ImageTagMutabilityImmutable}))(c)
		ref := must(name.ParseReference(uri + ":v1"))(c)
		write := func(processor string) error {
			return remote.Write(ref, scratch(image.DockerManifestSchema2, processor, stored{image.DockerLayer, gzipped(good), good}), remote.WithAuth(auth), remote.WithContext(c.ctx))
		}
		if err := write("amd64"); err != nil {
			c.Fatalf("%v", err)
		}
		if err := write("amd64"); err != nil {
			c.Errorf("the same image again: %v", err)
		}
		if err := write("arm64"); err == nil || !strings.Contains(err.Error(), "immutable") {
			c.Errorf("another image: %v", err)
		}
	})
	w.fact("nothing without a token", "docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html", func(c *check) {
		uri, _ := c.reachable()
		ref := must(name.ParseReference(uri + ":v1"))(c)
		if _, err := remote.Head(ref, remote.WithContext(c.ctx)); err == nil || !strings.Contains(err.Error(), "401") {
			c.Errorf("%v", err)
		}
	})
}
