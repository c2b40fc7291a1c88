package upkeep

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// migrated is an account with one function that was migrated, and its journal.
func migrated(t *testing.T) (*sessiontest.Account, Config, string) {
	t.Helper()
	a := sessiontest.Start(t)
	name := "shop"
	a.Function(name, []ziptest.Entry{ziptest.File("index.js", "exports.handler = async () => 1")}, nil)
	wait := lambda.NewFunctionActiveV2Waiter(a.Lambda, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := wait.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	store, err := layer.OpenStore(t.TempDir(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Session: a.Session, BaseRegistry: os.Getenv("OPTLIFT_BASE_REGISTRY"), StateDir: filepath.Join(t.TempDir(), "state")}
	s := switchover.New(switchover.Config{Session: a.Session, Region: sessiontest.Region, Store: store, BaseRegistry: c.BaseRegistry, StateDir: c.StateDir})
	snap, err := s.Capture(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Apply(t.Context(), snap, switchover.PlanFor(snap, switchover.Choices{}), switchover.Choices{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a, c, res.Journal
}

// one is the status of the account's one migrated function.
func one(t *testing.T, c Config) Function {
	t.Helper()
	r, err := New(c).Status(t.Context(), "", true)
	if err != nil || len(r.Functions) != 1 || len(r.Errors) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	return r.Functions[0]
}

func states(f Function) string {
	return strings.Join([]string{f.Base.State, f.Registry.State, f.Expiry.State, f.Backup.State}, " ")
}

// Everything is as it should be, or else told for what it is: none, denied,
// failed and gone are four answers.
func TestStatus(t *testing.T) {
	a, c, journal := migrated(t)
	a.Function("plain", []ziptest.Entry{ziptest.File("index.js", "1")}, nil)
	f := one(t, c)
	if states(f) != "current present none verified" || f.Journal != journal || f.Tag != journal || f.Backup.Until == nil || f.Base.Digest != f.Base.Newest || f.Base.Digest == "" {
		t.Errorf("%+v", f)
	}
	policy := func(text string) {
		_, err := session.ECR(a.Session, sessiontest.Region).PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("shop"), LifecyclePolicyText: &text})
		if err != nil {
			t.Fatal(err)
		}
	}
	policy(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`)
	if f := one(t, c); states(f) != "current present safe verified" {
		t.Errorf("%+v", f)
	}
	policy(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":30},"action":{"type":"expire"}}]}`)
	if f := one(t, c); states(f) != "current present at-risk verified" || f.Expiry.At == nil || time.Until(*f.Expiry.At) < 29*24*time.Hour {
		t.Errorf("%+v", f)
	}
	for _, x := range []struct {
		fault emulator.Fault
		want  string
	}{
		{emulator.Fault{Operation: "GetLifecyclePolicy", Kind: emulator.AccessDenied, Count: -1}, "current present denied verified"},
		{emulator.Fault{Operation: "DescribeImages", Kind: emulator.AccessDenied, Count: -1}, "current denied denied verified"},
		{emulator.Fault{Operation: "GetManifest", Target: "/v2/shop/", Kind: emulator.AccessDenied, Count: -1}, "denied present at-risk verified"},
		{emulator.Fault{Operation: "GetManifest", Target: "/v2/lambda/", Kind: emulator.AccessDenied, Count: -1}, "denied present at-risk verified"},
	} {
		a.Inject(x.fault)
		if f := one(t, c); states(f) != x.want {
			t.Errorf("%s on %s: %s, want %s: %+v", x.fault.Operation, x.fault.Target, states(f), x.want, f)
		}
		a.ClearFaults()
	}
	// What could not be looked at may be migrated or not.
	a.Inject(emulator.Fault{Operation: "GetFunction", Target: "shop", Kind: emulator.AccessDenied, Count: -1})
	r, err := New(c).Status(t.Context(), "", false)
	if err != nil || len(r.Functions) != 0 || len(r.Errors) != 1 || r.Errors[0].Function != "shop" {
		t.Errorf("%+v, %v", r, err)
	}
	a.ClearFaults()

	// The image is gone, the backup is broken, and the journal on another machine.
	_, digest, _ := strings.Cut(f.Image, "@")
	if _, err := session.ECR(a.Session, sessiontest.Region).BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("shop"), ImageIds: []types.ImageIdentifier{{ImageDigest: &digest}}}); err != nil {
		t.Fatal(err)
	}
	zips, err := filepath.Glob(filepath.Join(c.StateDir, "backups", journal, "*.zip"))
	if err != nil || len(zips) != 1 {
		t.Fatal(zips, err)
	}
	if err := os.WriteFile(zips[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := one(t, c); states(f) != "failed absent unknown broken" {
		t.Errorf("%s: %+v", states(f), f)
	}
	c.StateDir = t.TempDir()
	if f := one(t, c); states(f) != "failed absent unknown absent" || f.Journal != "" || f.Tag != journal {
		t.Errorf("%s: %+v", states(f), f)
	}
	if _, err := New(c).Changes(t.Context(), sessiontest.Region, "shop", Wanted{}); err == nil || !strings.Contains(err.Error(), "no journal on this machine") {
		t.Errorf("%v", err)
	}
}

// A base with a new digest, and other code, are changes; the same again is none.
func TestChanges(t *testing.T) {
	_, c, _ := migrated(t)
	changes := func(c Config, want Wanted) *Changes {
		t.Helper()
		got, err := New(c).Changes(t.Context(), sessiontest.Region, "shop", want)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := changes(c, Wanted{}); len(got.Changes) != 0 || got.Choices.Repository != "shop" || got.Choices.Strategy != switchover.Refresh {
		t.Errorf("%+v", got)
	}
	sum := sha256.Sum256([]byte("x"))
	other := switchover.Archive{Name: "x.zip", SHA256: hex.EncodeToString(sum[:]), From: "x.zip"}
	if got := changes(c, Wanted{Code: &other}); len(got.Changes) != 1 || got.Changes[0].What != "code" || got.Changes[0].To != other.SHA256 || got.Choices.Origin.Code != other {
		t.Errorf("%+v", got)
	}
	if got := changes(c, Wanted{Layers: []switchover.Archive{other}}); len(got.Changes) != 1 || got.Changes[0] != (Change{"layers", "none", other.SHA256}) {
		t.Errorf("%+v", got)
	}

	// The same name, a newer image.
	server := httptest.NewServer(registry.New())
	defer server.Close()
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	newer := c
	newer.BaseRegistry = strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "localhost", 1) + "/lambda"
	ref, err := name.ParseReference(newer.BaseRegistry + "/nodejs:22")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	if got := changes(newer, Wanted{}); len(got.Changes) != 1 || got.Changes[0].What != "base" || got.Base != ref.String() {
		t.Errorf("%+v", got)
	}
	if f := one(t, newer); f.Base.State != "newer" || f.Base.Newest == f.Base.Digest {
		t.Errorf("%+v", f)
	}
}
