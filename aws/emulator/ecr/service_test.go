package ecr_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/optlift/optlift/aws/emulator/ecr"
	"github.com/optlift/optlift/aws/emulator/wire"
)

const account, region = "123456789012", "eu-central-1"

// start serves a fresh ECR to the SDK's client.
func start(t *testing.T) (*sdk.Client, *ecr.Service) {
	t.Helper()
	var host string
	service, err := ecr.New(ecr.Options{Dir: t.TempDir(), Account: account, Region: region, Host: func() string { return host }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		target, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
		if target != "AmazonEC2ContainerRegistry_V20150921" {
			service.ServeHTTP(w, req)
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
			return
		}
		// "AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/…"
		scope := strings.Split(req.Header.Get("Authorization"), "/")
		out, err := service.Call(req.Context(), wire.Call{Account: account, Region: scope[2], Operation: operation, Now: time.Now()}, body)
		var refusal *wire.Error
		if errors.As(err, &refusal) {
			refusal.WriteJSON(w)
			return
		}
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write(out)
	}))
	t.Cleanup(srv.Close)
	host = "localhost:" + srv.URL[strings.LastIndex(srv.URL, ":")+1:]
	return client(host, region), service
}

func client(host, region string) *sdk.Client {
	return sdk.New(sdk.Options{
		Region: region, BaseEndpoint: aws.String("http://" + host),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
}

func wantCode(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Errorf("got %v, want %s with %q", err, code, text)
	}
}

// login turns ECR's token into credentials, as the registry's users do.
func login(t *testing.T, c *sdk.Client) remote.Option {
	t.Helper()
	out, err := c.GetAuthorizationToken(t.Context(), &sdk.GetAuthorizationTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(raw), ":")
	if life := time.Until(*out.AuthorizationData[0].ExpiresAt); user != "AWS" || life < 11*time.Hour || life > 12*time.Hour {
		t.Errorf("token of %s lives %s", user, life)
	}
	return remote.WithAuth(authn.FromConfig(authn.AuthConfig{Username: user, Password: password}))
}

func create(t *testing.T, c *sdk.Client, name string) *types.Repository {
	t.Helper()
	out, err := c.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.Repository
}

func push(t *testing.T, uri, tag string, img v1.Image, opts ...remote.Option) {
	t.Helper()
	ref, err := name.NewTag(uri + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, opts...); err != nil {
		t.Fatal(err)
	}
}

func TestRepositories(t *testing.T) {
	c, service := start(t)
	ctx := t.Context()
	repo := create(t, c, "team/app")
	if *repo.RepositoryUri != service.Host()+"/team/app" || *repo.RepositoryArn != "arn:aws:ecr:eu-central-1:123456789012:repository/team/app" ||
		repo.ImageTagMutability != types.ImageTagMutabilityMutable || repo.EncryptionConfiguration.EncryptionType != types.EncryptionTypeAes256 ||
		time.Since(*repo.CreatedAt) > time.Hour {
		t.Errorf("repository is %+v", repo)
	}
	_, err := c.CreateRepository(ctx, &sdk.CreateRepositoryInput{RepositoryName: aws.String("team/app")})
	wantCode(t, err, "RepositoryAlreadyExistsException", "The repository with name 'team/app' already exists in the registry with id '123456789012'")
	for _, bad := range []string{"A", "x", "Team/app", "a//b", "a/", "-a"} {
		_, err := c.CreateRepository(ctx, &sdk.CreateRepositoryInput{RepositoryName: &bad})
		wantCode(t, err, "InvalidParameterException", "repositoryName")
	}
	for i := range 7 {
		create(t, c, fmt.Sprintf("many/%d", i))
	}
	var names []string
	for p := sdk.NewDescribeRepositoriesPaginator(c, &sdk.DescribeRepositoriesInput{MaxResults: aws.Int32(3)}); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Repositories {
			names = append(names, *r.RepositoryName)
		}
	}
	if got := strings.Join(names, " "); got != "many/0 many/1 many/2 many/3 many/4 many/5 many/6 team/app" {
		t.Errorf("repositories are %s", got)
	}
	_, err = c.DescribeRepositories(ctx, &sdk.DescribeRepositoriesInput{RepositoryNames: []string{"none"}})
	wantCode(t, err, "RepositoryNotFoundException", "The repository with name 'none' does not exist in the registry with id '123456789012'")

	other := client(service.Host(), "us-west-2")
	if uri := *create(t, other, "team/app").RepositoryUri; uri != service.Host()+"/us-west-2/team/app" {
		t.Errorf("another region's URI is %s", uri)
	}
	_, err = c.StartImageScan(ctx, &sdk.StartImageScanInput{RepositoryName: aws.String("team/app"), ImageId: &types.ImageIdentifier{}})
	wantCode(t, err, "UnknownOperationException", "StartImageScan")
}

func TestPoliciesAndSettings(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	repo := create(t, c, "team/app")
	_, err := c.GetRepositoryPolicy(ctx, &sdk.GetRepositoryPolicyInput{RepositoryName: repo.RepositoryName})
	wantCode(t, err, "RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository with name 'team/app'")
	_, err = c.SetRepositoryPolicy(ctx, &sdk.SetRepositoryPolicyInput{RepositoryName: repo.RepositoryName, PolicyText: aws.String("{}")})
	wantCode(t, err, "InvalidParameterException", "Invalid repository policy provided")
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}`
	if _, err := c.SetRepositoryPolicy(ctx, &sdk.SetRepositoryPolicyInput{RepositoryName: repo.RepositoryName, PolicyText: &text}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetRepositoryPolicy(ctx, &sdk.GetRepositoryPolicyInput{RepositoryName: repo.RepositoryName})
	if err != nil || *got.PolicyText != text {
		t.Errorf("policy is %v, %v", got, err)
	}
	if _, err := c.DeleteRepositoryPolicy(ctx, &sdk.DeleteRepositoryPolicyInput{RepositoryName: repo.RepositoryName}); err != nil {
		t.Error(err)
	}

	_, err = c.GetLifecyclePolicy(ctx, &sdk.GetLifecyclePolicyInput{RepositoryName: repo.RepositoryName})
	wantCode(t, err, "LifecyclePolicyNotFoundException", "Lifecycle policy does not exist")
	rules := `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}`
	if _, err := c.PutLifecyclePolicy(ctx, &sdk.PutLifecyclePolicyInput{RepositoryName: repo.RepositoryName, LifecyclePolicyText: &rules}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.GetLifecyclePolicy(ctx, &sdk.GetLifecyclePolicyInput{RepositoryName: repo.RepositoryName}); err != nil || *got.LifecyclePolicyText != rules {
		t.Errorf("lifecycle policy is %v, %v", got, err)
	}
	if _, err := c.DeleteLifecyclePolicy(ctx, &sdk.DeleteLifecyclePolicyInput{RepositoryName: repo.RepositoryName}); err != nil {
		t.Error(err)
	}

	setting, err := c.GetAccountSetting(ctx, &sdk.GetAccountSettingInput{Name: aws.String("BLOB_MOUNTING")})
	if err != nil || *setting.Value != "DISABLED" {
		t.Errorf("setting is %v, %v", setting, err)
	}
	_, err = c.PutAccountSetting(ctx, &sdk.PutAccountSettingInput{Name: aws.String("BLOB_MOUNTING"), Value: aws.String("maybe")})
	wantCode(t, err, "InvalidParameterException", "maybe")

	if _, err := c.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: repo.RepositoryArn, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}}); err != nil {
		t.Fatal(err)
	}
	tags, err := c.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: repo.RepositoryArn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "web" {
		t.Errorf("tags are %v, %v", tags, err)
	}
	_, err = c.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: repo.RepositoryArn, Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}})
	wantCode(t, err, "InvalidTagParameterException", "aws:")
}

func TestImages(t *testing.T) {
	c, service := start(t)
	ctx := t.Context()
	repo := create(t, c, "team/app")
	auth := login(t, c)
	first, _ := random.Image(1000, 2)
	second, _ := random.Image(1000, 1)
	push(t, *repo.RepositoryUri, "v1", first, auth)
	push(t, *repo.RepositoryUri, "stable", first, auth)
	push(t, *repo.RepositoryUri, "v2", second, auth)
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: second})
	ref, _ := name.NewTag(*repo.RepositoryUri + ":both")
	if err := remote.WriteIndex(ref, index, auth); err != nil {
		t.Fatal(err)
	}

	all, err := c.DescribeImages(ctx, &sdk.DescribeImagesInput{RepositoryName: repo.RepositoryName})
	if err != nil || len(all.ImageDetails) != 3 {
		t.Fatalf("images are %v, %v", all, err)
	}
	one, err := c.DescribeImages(ctx, &sdk.DescribeImagesInput{RepositoryName: repo.RepositoryName, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}}})
	if err != nil {
		t.Fatal(err)
	}
	digest, _ := first.Digest()
	manifest, _ := first.Manifest()
	size := manifest.Config.Size
	for _, l := range manifest.Layers {
		size += l.Size
	}
	if d := one.ImageDetails[0]; *d.ImageDigest != digest.String() || fmt.Sprint(d.ImageTags) != "[stable v1]" || *d.ImageSizeInBytes != size {
		t.Errorf("image is %+v, want %s of %d bytes", d, digest, size)
	}
	_, err = c.DescribeImages(ctx, &sdk.DescribeImagesInput{RepositoryName: repo.RepositoryName, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v9")}}})
	wantCode(t, err, "ImageNotFoundException", "The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the repository with name 'team/app'")

	ids, err := c.ListImages(ctx, &sdk.ListImagesInput{RepositoryName: repo.RepositoryName, MaxResults: aws.Int32(3)})
	if err != nil || len(ids.ImageIds) != 3 || ids.NextToken == nil {
		t.Fatalf("the first page is %v, %v", ids, err)
	}
	ids, err = c.ListImages(ctx, &sdk.ListImagesInput{RepositoryName: repo.RepositoryName, NextToken: ids.NextToken})
	if err != nil || len(ids.ImageIds) != 1 || ids.NextToken != nil {
		t.Errorf("the last page is %v, %v", ids, err)
	}

	raw, _ := first.RawManifest()
	got, err := c.BatchGetImage(ctx, &sdk.BatchGetImageInput{RepositoryName: repo.RepositoryName,
		ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}, {ImageTag: aws.String("v9")}, {}}})
	if err != nil || len(got.Images) != 1 || *got.Images[0].ImageManifest != string(raw) || len(got.Failures) != 2 ||
		got.Failures[0].FailureCode != types.ImageFailureCodeImageNotFound || got.Failures[1].FailureCode != types.ImageFailureCodeMissingDigestAndTag {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := c.PutImage(ctx, &sdk.PutImageInput{RepositoryName: repo.RepositoryName, ImageManifest: aws.String(string(raw)), ImageTag: aws.String("copy")}); err != nil {
		t.Errorf("a further tag: %v", err)
	}
	_, err = c.PutImage(ctx, &sdk.PutImageInput{RepositoryName: repo.RepositoryName, ImageManifest: aws.String(string(raw)), ImageTag: aws.String("copy")})
	wantCode(t, err, "ImageAlreadyExistsException", "already exists")

	layers, err := c.BatchCheckLayerAvailability(ctx, &sdk.BatchCheckLayerAvailabilityInput{RepositoryName: repo.RepositoryName,
		LayerDigests: []string{manifest.Layers[0].Digest.String(), "sha256:" + strings.Repeat("0", 64)}})
	if err != nil || layers.Layers[0].LayerAvailability != types.LayerAvailabilityAvailable || layers.Layers[1].LayerAvailability != types.LayerAvailabilityUnavailable {
		t.Errorf("layers are %+v, %v", layers, err)
	}

	secondDigest, _ := second.Digest()
	gone, err := c.BatchDeleteImage(ctx, &sdk.BatchDeleteImageInput{RepositoryName: repo.RepositoryName, ImageIds: []types.ImageIdentifier{
		{ImageDigest: aws.String(secondDigest.String())}, {ImageTag: aws.String("stable")}, {ImageDigest: aws.String(digest.String())}}})
	if err != nil || len(gone.Failures) != 1 || gone.Failures[0].FailureCode != types.ImageFailureCodeImageReferencedByManifestList || len(gone.ImageIds) != 3 {
		t.Errorf("deleted %+v, %v", gone, err)
	}
	_, err = c.DeleteRepository(ctx, &sdk.DeleteRepositoryInput{RepositoryName: repo.RepositoryName})
	wantCode(t, err, "RepositoryNotEmptyException", "cannot be deleted because it still contains images")

	dir := t.TempDir()
	if err := service.Save(dir); err != nil {
		t.Fatal(err)
	}
	c2, service2 := start(t)
	if err := service2.Load(dir); err != nil {
		t.Fatal(err)
	}
	if out, err := c2.DescribeImages(ctx, &sdk.DescribeImagesInput{RepositoryName: repo.RepositoryName}); err != nil || len(out.ImageDetails) != 2 {
		t.Errorf("after loading: %+v, %v", out, err)
	}
	if _, err := c.DeleteRepository(ctx, &sdk.DeleteRepositoryInput{RepositoryName: repo.RepositoryName, Force: true}); err != nil {
		t.Error(err)
	}
}

func TestTagMutability(t *testing.T) {
	c, _ := start(t)
	repo := create(t, c, "team/app")
	auth := login(t, c)
	first, _ := random.Image(10, 1)
	second, _ := random.Image(10, 1)
	set := func(m types.ImageTagMutability, filters ...string) {
		t.Helper()
		in := &sdk.PutImageTagMutabilityInput{RepositoryName: repo.RepositoryName, ImageTagMutability: m}
		for _, f := range filters {
			in.ImageTagMutabilityExclusionFilters = append(in.ImageTagMutabilityExclusionFilters,
				types.ImageTagMutabilityExclusionFilter{Filter: &f, FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard})
		}
		if _, err := c.PutImageTagMutability(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	movable := func(tag string) bool {
		t.Helper()
		ref, _ := name.NewTag(*repo.RepositoryUri + ":" + tag)
		if err := remote.Write(ref, second, auth); err != nil {
			return false
		}
		push(t, *repo.RepositoryUri, "scratch", first, auth)
		return true
	}
	for _, tag := range []string{"a", "dev-1", "b", "dev-2", "c", "dev-3"} {
		push(t, *repo.RepositoryUri, tag, first, auth)
	}
	set(types.ImageTagMutabilityImmutable)
	if movable("a") || movable("dev-1") {
		t.Error("an immutable tag moved")
	}
	set(types.ImageTagMutabilityImmutableWithExclusion, "dev-*", "scratch")
	if movable("a") || !movable("dev-1") {
		t.Error("the exclusion does not hold")
	}
	set(types.ImageTagMutabilityMutableWithExclusion, "dev-*")
	if !movable("b") || movable("dev-2") {
		t.Error("the exclusion of mutability does not hold")
	}
	_, err := c.PutImageTagMutability(t.Context(), &sdk.PutImageTagMutabilityInput{RepositoryName: repo.RepositoryName, ImageTagMutability: "SOMETIMES"})
	wantCode(t, err, "InvalidParameterException", "imageTagMutability")
}
