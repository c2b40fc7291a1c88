package imagerules_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	image "github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"github.com/optlift/optlift/aws/emulator/ecr"
	"github.com/optlift/optlift/aws/emulator/imagerules"
	"github.com/optlift/optlift/aws/emulator/oci"
	"github.com/optlift/optlift/aws/emulator/oci/bases"
	"github.com/optlift/optlift/aws/emulator/wire"
)

const account, region = "123456789012", "eu-central-1"

// world is an ECR with a repository "app" and the rules for it.
type world struct {
	*imagerules.Rules
	ecr  *ecr.Service
	host string
}

func build(t *testing.T) *world {
	t.Helper()
	w := &world{}
	service, err := ecr.New(ecr.Options{Dir: t.TempDir(), Account: account, Region: region, Host: func() string { return w.host }})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(service)
	t.Cleanup(func() { srv.Close(); _ = service.Close() })
	w.host = "localhost:" + srv.URL[strings.LastIndex(srv.URL, ":")+1:]
	w.ecr, w.Rules = service, imagerules.New(service)
	w.create(t, call(), "app")
	return w
}

func call() wire.Call {
	return wire.Call{Account: account, Region: region, Now: time.Now()}
}

func (w *world) create(t *testing.T, c wire.Call, repository string) {
	t.Helper()
	c.Operation = "CreateRepository"
	if _, err := w.ecr.Call(t.Context(), c, []byte(`{"repositoryName":"`+repository+`"}`)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) policy(t *testing.T) string {
	t.Helper()
	c := call()
	c.Operation = "GetRepositoryPolicy"
	raw, err := w.ecr.Call(t.Context(), c, []byte(`{"repositoryName":"app"}`))
	if err != nil {
		return ""
	}
	var out sdk.GetRepositoryPolicyOutput
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return *out.PolicyText
}

func (w *world) push(t *testing.T, path string, img v1.Image) string {
	t.Helper()
	ref, err := name.NewTag(w.host + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := w.ecr.Registry().IssueToken()
	if err := remote.Write(ref, img, remote.WithAuth(authn.FromConfig(authn.AuthConfig{Username: oci.User, Password: password}))); err != nil {
		t.Fatal(err)
	}
	return w.host + "/" + path
}

// raw is a layer that is stored just as it is given.
type raw struct {
	mediaType image.MediaType
	stored    []byte
	plain     []byte
}

func (l raw) Digest() (v1.Hash, error) {
	h, _, err := v1.SHA256(bytes.NewReader(l.stored))
	return h, err
}
func (l raw) DiffID() (v1.Hash, error) {
	h, _, err := v1.SHA256(bytes.NewReader(l.plain))
	return h, err
}
func (l raw) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.stored)), nil
}
func (l raw) Uncompressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.plain)), nil
}
func (l raw) Size() (int64, error)                { return int64(len(l.stored)), nil }
func (l raw) MediaType() (image.MediaType, error) { return l.mediaType, nil }

// archive writes names as a tar: "a/" is a directory, "a>b" a link, "a=b" a hard
// link, anything else a file.
func archive(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, n := range names {
		h := &tar.Header{Name: n, Mode: 0o755, Typeflag: tar.TypeReg}
		if to, target, ok := strings.Cut(n, ">"); ok {
			h.Name, h.Linkname, h.Typeflag = to, target, tar.TypeSymlink
		} else if to, target, ok := strings.Cut(n, "="); ok {
			h.Name, h.Linkname, h.Typeflag = to, target, tar.TypeLink
		} else if strings.HasSuffix(n, "/") {
			h.Typeflag = tar.TypeDir
		} else {
			h.Size = int64(len(n))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// on adds a layer to the stand-in of a runtime.
func on(t *testing.T, runtime string, l v1.Layer) v1.Image {
	t.Helper()
	base, ok := bases.For(runtime)
	if !ok {
		t.Fatal("no base for " + runtime)
	}
	img, err := base.Image("x86_64")
	if err != nil {
		t.Fatal(err)
	}
	if l == nil {
		return img
	}
	mediaType, _ := l.MediaType()
	img, err = mutate.Append(img, mutate.Addendum{Layer: l, MediaType: mediaType})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestEveryBaseIsFit(t *testing.T) {
	w := build(t)
	for _, b := range bases.All() {
		for _, architecture := range b.Architectures() {
			img, err := b.Image(architecture)
			if err != nil {
				t.Fatal(err)
			}
			tag := strings.ReplaceAll(b.Runtime, ".", "-") + "-" + architecture
			if err := bases.PushImage(w.ecr.Registry(), "app", tag, img); err != nil {
				t.Fatal(err)
			}
			got, err := w.Resolve(t.Context(), call(), w.host+"/app:"+tag, architecture)
			if err != nil {
				t.Fatal(err)
			}
			if code, reason := w.Check(t.Context(), got); code != "" {
				t.Errorf("%s: %s %s", tag, code, reason)
			}
		}
	}
}

func TestOneDefectAtATime(t *testing.T) {
	w := build(t)
	good := archive(t, "opt/", "opt/bin/", "opt/bin/tool", "var/", "var/task/", "var/task/link>index.js")
	gz := gzipped(t, good)
	var zs bytes.Buffer
	zw, err := zstd.NewWriter(&zs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zw.Write(good); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	noParent := archive(t, "opt/", "opt/extensions/agent", "opt/other/file")
	lateParent := archive(t, "opt/", "opt/extensions/agent", "opt/extensions/")
	hard := archive(t, "opt/", "opt/a", "opt/b=opt/a")
	const docker, ociFamily = "nodejs20.x", "python3.13"
	for _, c := range []struct {
		name    string
		runtime string
		layer   raw
		reason  string // "" is fit; %s is the layer's digest
	}{
		{"docker", docker, raw{image.DockerLayer, gz, good}, ""},
		{"oci", ociFamily, raw{image.OCILayer, gz, good}, ""},
		{"dots", docker, raw{image.DockerLayer, gzipped(t, archive(t, "./", "./opt/", "./opt/a")), archive(t, "./", "./opt/", "./opt/a")}, ""},
		{"parent missing", docker, raw{image.DockerLayer, gzipped(t, noParent), noParent}, "MissingParentDirectory: Parent directory does not exist for file: opt/extensions/agent"},
		{"parent late", ociFamily, raw{image.OCILayer, gzipped(t, lateParent), lateParent}, "MissingParentDirectory: Parent directory does not exist for file: opt/extensions/agent"},
		{"hard link", docker, raw{image.DockerLayer, gzipped(t, hard), hard}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s (hard link opt/b)"},
		{"docker uncompressed", docker, raw{image.DockerUncompressedLayer, good, good}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s"},
		{"oci uncompressed", ociFamily, raw{image.OCIUncompressedLayer, good, good}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s"},
		{"plain tar called gzip", docker, raw{image.DockerLayer, good, good}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s"},
		{"zstd", ociFamily, raw{image.OCILayerZStd, zs.Bytes(), good}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s"},
		{"zstd called gzip", ociFamily, raw{image.OCILayer, zs.Bytes(), good}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s"},
		{"other family", ociFamily, raw{image.DockerLayer, gz, good}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s"},
		{"other diff ID", docker, raw{image.DockerLayer, gz, hard}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s"},
		{"cut off", docker, raw{image.DockerLayer, gz[:len(gz)-20], good}, "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest %s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			uri := w.push(t, "app:"+strings.ReplaceAll(c.name, " ", "-"), on(t, c.runtime, c.layer))
			got, err := w.Resolve(t.Context(), call(), uri, "x86_64")
			if err != nil {
				t.Fatal(err)
			}
			want, wantCode := c.reason, types.StateReasonCode("")
			if want != "" {
				wantCode = types.StateReasonCodeInvalidImage
				if digest, _ := c.layer.Digest(); strings.Contains(want, "%s") {
					want = fmt.Sprintf(want, digest)
				}
			}
			for range 2 { // the second time from memory
				if code, reason := w.Check(t.Context(), got); code != wantCode || reason != want {
					t.Errorf("got %s %q, want %s %q", code, reason, wantCode, want)
				}
			}
		})
	}
}

func wantRefusal(t *testing.T, err error, status int, code, text string) {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) || e.Status != status || e.Code != code || !strings.Contains(e.Message, text) {
		t.Errorf("got %v, want %d %s with %q", err, status, code, text)
	}
}

func TestRefusedAtOnce(t *testing.T) {
	w := build(t)
	uri := w.push(t, "app:v1", on(t, "nodejs22.x", nil))
	resolve := func(c wire.Call, uri string) error {
		_, err := w.Resolve(t.Context(), c, uri, "x86_64")
		return err
	}
	got, err := w.Resolve(t.Context(), call(), uri, "x86_64")
	if err != nil || got.URI != uri || !strings.HasPrefix(got.Resolved, w.host+"/app@sha256:") || !strings.HasSuffix(got.Resolved, got.Digest) {
		t.Errorf("resolved to %+v, %v", got, err)
	}
	if err := resolve(call(), got.Resolved); err != nil {
		t.Errorf("by digest: %v", err)
	}
	if err := resolve(call(), account+".dkr.ecr."+region+".amazonaws.com/app:v1"); err != nil {
		t.Errorf("by AWS's name: %v", err)
	}

	for _, bad := range []string{
		"public.ecr.aws/lambda/nodejs:22", w.host + "/lambda/nodejs:22", "docker.io/library/node:22", "app:v1", w.host + "/app",
		uri + "@" + got.Digest, account + ".dkr.ecr.us-west-2.amazonaws.com/app:v1",
	} {
		wantRefusal(t, resolve(call(), bad), 400, "InvalidParameterValueException", "Source image "+bad+" is not valid. Provide a valid source image.")
	}
	west := call()
	west.Region = "us-west-2"
	w.create(t, west, "app")
	w.push(t, "us-west-2/app:v1", on(t, "nodejs22.x", nil))
	wantRefusal(t, resolve(call(), w.host+"/us-west-2/app:v1"), 400, "InvalidParameterValueException", "is not valid")
	wantRefusal(t, resolve(west, uri), 400, "InvalidParameterValueException", "is not valid")
	if err := resolve(west, w.host+"/us-west-2/app:v1"); err != nil {
		t.Errorf("in its own region: %v", err)
	}

	for _, missing := range []string{w.host + "/none:v1", w.host + "/app:v9", w.host + "/app@sha256:" + strings.Repeat("0", 64)} {
		wantRefusal(t, resolve(call(), missing), 400, "InvalidParameterValueException", "Source image "+missing+" does not exist. Provide a valid source image.")
	}

	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: on(t, "nodejs22.x", nil)})
	ref, _ := name.NewTag(w.host + "/app:list")
	password, _ := w.ecr.Registry().IssueToken()
	if err := remote.WriteIndex(ref, index, remote.WithAuth(authn.FromConfig(authn.AuthConfig{Username: oci.User, Password: password}))); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, resolve(call(), w.host+"/app:list"), 400, "InvalidParameterValueException",
		"The image manifest, config or layer media type for the source image "+w.host+"/app:list is not supported.")
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, image.OCIManifestSchema1), "application/vnd.oci.empty.v1+json")
	wantRefusal(t, resolve(call(), w.push(t, "app:artifact", artifact)), 400, "InvalidParameterValueException", "is not supported")
}

func TestPullPolicy(t *testing.T) {
	w := build(t)
	uri := w.push(t, "app:v1", on(t, "nodejs22.x", nil))
	set := func(text string) {
		t.Helper()
		if !w.ecr.SetPolicy("app", text) {
			t.Fatal("no repository")
		}
	}
	got, err := w.Resolve(t.Context(), call(), uri, "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	added := w.policy(t)
	for _, part := range []string{`"LambdaECRImageRetrievalPolicy"`, `"lambda.amazonaws.com"`, `"ecr:BatchGetImage"`, `"ecr:GetDownloadUrlForLayer"`} {
		if !strings.Contains(added, part) {
			t.Errorf("the added policy %s has no %s", added, part)
		}
	}
	if _, err := w.Resolve(t.Context(), call(), uri, "x86_64"); err != nil || w.policy(t) != added {
		t.Errorf("a second look changed the policy to %s, %v", w.policy(t), err)
	}
	own := `{"Version":"2012-10-17","Statement":[{"Sid":"mine","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"ecr:*"}]}`
	set(own)
	if _, err := w.Resolve(t.Context(), call(), uri, "x86_64"); err != nil || !strings.Contains(w.policy(t), `"mine"`) || !strings.Contains(w.policy(t), "LambdaECRImageRetrievalPolicy") {
		t.Errorf("the policy became %s, %v", w.policy(t), err)
	}

	stranger := call()
	stranger.Account = "999999999999"
	if _, err := w.Resolve(t.Context(), stranger, uri, "x86_64"); err != nil {
		t.Errorf("another account with a grant: %v", err)
	}
	set(own)
	_, err = w.Resolve(t.Context(), stranger, uri, "x86_64")
	wantRefusal(t, err, 403, "AccessDeniedException", "Lambda does not have permission to access the ECR image. Check the ECR permissions.")
	set(`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"ecr:BatchGetImage"}]}`)
	_, err = w.Resolve(t.Context(), call(), uri, "x86_64")
	wantRefusal(t, err, 403, "AccessDeniedException", "permission")

	if code, _ := w.Check(t.Context(), got); code != types.StateReasonCodeImageAccessDenied {
		t.Errorf("a revoked policy gives %s", code)
	}
	digest, _ := v1.NewHash(got.Digest)
	w.ecr.Registry().Remove("app", digest)
	if code, _ := w.Check(t.Context(), got); code != types.StateReasonCodeImageDeleted {
		t.Errorf("a deleted image gives %s", code)
	}
}

// A layer may claim more than is stored: the claim alone is refused.
func TestTooBig(t *testing.T) {
	w := build(t)
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	if err := tw.WriteHeader(&tar.Header{Name: "big", Mode: 0o644, Typeflag: tar.TypeReg, Size: 10<<30 + 1}); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	uri := w.push(t, "app:big", on(t, "nodejs20.x", raw{image.DockerLayer, b.Bytes(), []byte("other")}))
	got, err := w.Resolve(t.Context(), call(), uri, "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	if code, reason := w.Check(t.Context(), got); code != types.StateReasonCodeInvalidImage || !strings.Contains(reason, "10737418240") {
		t.Errorf("got %s %q", code, reason)
	}
}

func TestOpen(t *testing.T) {
	w := build(t)
	plain := archive(t, "opt/", "opt/tool")
	img := on(t, "nodejs20.x", raw{image.DockerLayer, gzipped(t, plain), plain})
	got, err := w.Resolve(t.Context(), call(), w.push(t, "app:v1", img), "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	tree, config, err := w.Open(t.Context(), got)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if content, err := tree.Read("/opt/tool", 100); err != nil || string(content) != "opt/tool" {
		t.Errorf("read %q, %v", content, err)
	}
	want, _ := partial.ConfigName(img)
	raw, _ := img.RawConfigFile()
	if have, _, _ := v1.SHA256(bytes.NewReader(raw)); have != want || config.Config.WorkingDir != "/var/task" {
		t.Errorf("configuration is %+v", config)
	}
}
