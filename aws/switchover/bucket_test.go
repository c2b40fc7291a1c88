package switchover

import (
	"archive/zip"
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/optlift/optlift/aws/emulator"
)

func TestParseBucket(t *testing.T) {
	for text, want := range map[string][2]string{
		"backups": {"backups", ""}, "backups/": {"backups", ""}, "s3://backups/a/b/": {"backups", "a/b/"}, "my.bucket/x": {"my.bucket", "x/"},
	} {
		if name, prefix, err := ParseBucket(text); err != nil || name != want[0] || prefix != want[1] {
			t.Errorf("%s: %q, %q, %v", text, name, prefix, err)
		}
	}
	for _, text := range []string{"", "/x", "Upper", "a", "under_score", "arn:aws:s3:::backups"} {
		if name, _, err := ParseBucket(text); err == nil {
			t.Errorf("%q is taken as bucket %q", text, name)
		}
	}
}

// s3 is a client of the account's for what the program never does.
func (b *bench) s3(region string) *s3.Client {
	env := map[string]string{}
	for _, line := range b.server.Environ() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return s3.New(s3.Options{
		Region: region, BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	})
}

// large makes a function whose zip no call can carry, from a bucket.
func (b *bench) large(name string, buckets ...string) {
	b.t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for file, content := range map[string][]byte{"index.js": []byte("exports.handler = async () => 1"), "model.bin": make([]byte, maxUpload)} {
		h := &zip.FileHeader{Name: file, Method: zip.Store}
		h.SetMode(0o644)
		must(must(w.CreateHeader(h)).Write(content))
	}
	ok(b, 0, w.Close())
	store := b.s3(b.s.config.Region)
	for _, bucket := range append(buckets, "source") {
		_, err := store.CreateBucket(b.ctx, &s3.CreateBucketInput{Bucket: &bucket,
			CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(b.s.config.Region)}})
		ok(b, 0, err)
	}
	_, err := store.PutObject(b.ctx, &s3.PutObjectInput{Bucket: aws.String("source"), Key: aws.String("code.zip"), Body: bytes.NewReader(buf.Bytes())})
	ok(b, 0, err)
	_, err = b.api.CreateFunction(b.ctx, &lambda.CreateFunctionInput{FunctionName: &name,
		Role: aws.String("arn:aws:iam::123456789012:role/r"), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code:        &types.FunctionCode{S3Bucket: aws.String("source"), S3Key: aws.String("code.zip")},
		Environment: &types.Environment{Variables: map[string]string{"TOKEN": plantedEnv}}})
	ok(b, 0, err)
	b.wait(name)
	out, err := b.api.PublishVersion(b.ctx, &lambda.PublishVersionInput{FunctionName: &name})
	_, err = b.api.CreateAlias(b.ctx, &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: ok(b, out, err).Version})
	ok(b, 0, err)
	_, err = b.api.UpdateFunctionCode(b.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: zipOf(map[string]string{"index.js": "exports.handler = async () => 2"})})
	ok(b, 0, err)
	b.wait(name)
}

// A zip that no call can carry comes back from the user's bucket.
func TestLargeZipComesBackFromABucket(t *testing.T) {
	if testing.Short() {
		t.Skip("the zip has 50 MB")
	}
	t.Parallel()
	b := newBench(t)
	b.large("shop", "backups")
	before := b.capture("shop")
	// Without a bucket the flag is named, and accepting it away is possible.
	blocked := PlanFor(before, Choices{})
	if !slices.Equal(ids(blocked.Blockers), []string{"zip-too-large"}) || !strings.Contains(blocked.Blockers[0].Message, "--bucket") {
		t.Errorf("blockers %v", blocked.Blockers)
	}
	if p := must(b.s.Plan(b.ctx, before, Choices{Bucket: "nowhere"})); !slices.Contains(ids(p.Blockers), "bucket") {
		t.Errorf("a bucket that is not there: %+v", p)
	}
	abroad := b.s3("us-west-2")
	_, err := abroad.CreateBucket(b.ctx, &s3.CreateBucketInput{Bucket: aws.String("abroad"),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "us-west-2"}})
	ok(b, 0, err)
	if p := must(b.s.Plan(b.ctx, before, Choices{Bucket: "abroad"})); !slices.ContainsFunc(p.Blockers, func(n Notice) bool {
		return n.ID == "bucket" && strings.Contains(n.Message, "us-west-2")
	}) {
		t.Errorf("a bucket of another region: %+v", p.Blockers)
	}
	c := Choices{Bucket: "backups/lambda"}
	plan := must(b.s.Plan(b.ctx, before, c))
	if len(plan.Blockers) > 0 || !slices.Contains(ids(plan.Notes), "bucket") {
		t.Fatalf("%+v", plan)
	}
	step := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.ID == "bucket" })
	cut := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.ID == "delete-function" })
	if step < 0 || step > cut || plan.Steps[step].Call != "PutObject" || !strings.Contains(plan.Steps[step].Target, "s3://backups/lambda/") {
		t.Errorf("steps %+v", plan.Steps)
	}
	// The bucket that fails stops the run before anything is deleted.
	// The refusal may come while the body is still on its way, and be met as a broken
	// connection, which is tried again.
	b.server.Inject(emulator.Fault{Operation: "PutObject", Kind: emulator.AccessDenied, Count: -1})
	res, err := b.s.Apply(b.ctx, before, plan, c, b.emit)
	b.server.ClearFaults()
	if err == nil || res.State != StateFailed {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, false)
	if res, err = b.s.Resume(b.ctx, res.Journal, b.emit); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, true)
	store := b.s3(b.s.config.Region)
	objects := must(store.ListObjectsV2(b.ctx, &s3.ListObjectsV2Input{Bucket: aws.String("backups"), Prefix: aws.String("lambda/optlift/" + res.Journal + "/")})).Contents
	if len(objects) != 1 {
		t.Fatalf("objects %v", objects)
	}
	// What somebody puts over the object is noticed, and mended from the backup.
	_, err = store.PutObject(b.ctx, &s3.PutObjectInput{Bucket: aws.String("backups"), Key: objects[0].Key, Body: strings.NewReader("no zip")})
	ok(b, 0, err)
	if res, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, false)
	if after := b.capture("shop"); after.CodeSHA256 != before.CodeSHA256 {
		t.Error("the code is another")
	}
	b.noSecrets()
}

// A migration that was begun without a bucket gets one for the way back.
func TestRollbackIsGivenABucket(t *testing.T) {
	if testing.Short() {
		t.Skip("the zip has 50 MB")
	}
	t.Parallel()
	b := newBench(t)
	b.large("shop", "backups")
	before := b.capture("shop")
	res, err := b.apply("shop", Choices{Accept: []string{"zip-too-large"}})
	if err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	if _, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err == nil || !strings.Contains(err.Error(), "--bucket") {
		t.Fatalf("without a bucket: %v", err)
	}
	b.sameAs(before, true)
	if res, err := b.s.WithBucket("backups").Rollback(b.ctx, res.Journal, b.emit); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, false)
	if _, err := os.Stat(b.state); err != nil {
		t.Error(err)
	}
}
