package contract

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/optlift/optlift/aws/emulator"
)

// patience is how long a state may take to come; slow peers are slow, and an
// image function on AWS takes minutes.
const patience = 3 * time.Minute

// world is the account under test, as one group of checks sees it.
type world struct {
	*testing.T
	lambda   *lambda.Client
	ecr      *ecr.Client
	sts      *sts.Client
	endpoint string // "" is AWS's own
	account  string
	region   string
	role     string
	queue    string
	known    map[string]string // what the peer does otherwise, by check
	every    time.Duration     // between two looks at a state
	names    atomic.Int64
}

// reading opens the account for checks that only read.
func reading(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, every: 10 * time.Millisecond}
	at := os.Getenv("OPTLIFT_CONTRACT_ENDPOINT")
	peer := os.Getenv("OPTLIFT_CONTRACT_PEER")
	if peer != "" {
		known, ok := peers()[peer]
		if !ok {
			t.Fatalf("OPTLIFT_CONTRACT_PEER names %q, of which no differences are known", peer)
		}
		w.known = known
	}
	cfg := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIACONTRACT", "secret", "")}
	if at == "" {
		// The test's own context ends before its clean-up, which needs the account.
		s, err := emulator.Start(context.WithoutCancel(t.Context()), emulator.Options{Functions: 64, Delay: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		w.endpoint = s.URL()
	} else {
		var err error
		if cfg, err = config.LoadDefaultConfig(t.Context()); err != nil {
			t.Fatal(err)
		}
		if at != "aws" {
			w.endpoint = at
		} else {
			w.every = time.Second
		}
	}
	cfg.HTTPClient = awshttp.NewBuildableClient()
	var base *string
	if w.endpoint != "" {
		base = &w.endpoint
	}
	w.lambda = lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.BaseEndpoint = base })
	w.ecr = ecr.NewFromConfig(cfg, func(o *ecr.Options) { o.BaseEndpoint = base })
	w.sts = sts.NewFromConfig(cfg, func(o *sts.Options) { o.BaseEndpoint = base })
	me, err := w.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatalf("ask %s who is calling: %v", cmp.Or(w.endpoint, "AWS"), err)
	}
	w.account, w.region = *me.Account, cfg.Region
	w.role = cmp.Or(os.Getenv("OPTLIFT_CONTRACT_ROLE"), "arn:aws:iam::"+w.account+":role/contract")
	w.queue = cmp.Or(os.Getenv("OPTLIFT_CONTRACT_QUEUE"), "arn:aws:sqs:"+w.region+":"+w.account+":contract")
	return w
}

// writing opens the account for checks that change it.
func writing(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	if os.Getenv("OPTLIFT_CONTRACT_READONLY") != "" {
		t.Skip("OPTLIFT_CONTRACT_READONLY: these checks write")
	}
	return reading(t)
}

// arn is that of something of Lambda's in this account.
func (w *world) arn(what string) string {
	return "arn:aws:lambda:" + w.region + ":" + w.account + ":" + what
}

// name is one that nobody else uses.
func (w *world) name(what string) string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("contract-%s-%s-%d", what, hex.EncodeToString(b[:]), w.names.Add(1))
}

// check is one fact while it is looked at. It is given to helpers in the place
// of a testing.T: what fails may be a known difference.
type check struct {
	*world
	ctx      context.Context
	problems []string
	nothing  string // why there was nothing to look at
}

// halted ends a check.
type halted struct{}

func (c *check) Errorf(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *check) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	panic(halted{})
}

// lacking ends a check for which the account holds nothing to look at.
func (c *check) lacking(what string) {
	c.nothing = what
	panic(halted{})
}

// fact runs one check. source says where the fact is written down.
func (w *world) fact(name, source string, look func(c *check)) {
	w.Helper()
	w.Run(name, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c := &check{world: w, ctx: ctx}
		func() {
			defer func() {
				if r := recover(); r != nil && r != (halted{}) {
					panic(r)
				}
			}()
			look(c)
		}()
		otherwise, listed := w.known[t.Name()]
		switch problems := strings.Join(c.problems, "\n"); {
		case problems == "" && c.nothing != "":
			t.Skipf("nothing to look at: %s", c.nothing)
		case problems == "" && listed:
			t.Errorf("the peer no longer differs: strike it from its table")
		case problems == "":
		case listed:
			t.Skipf("known difference: %s\n%s\nthe source that shows who is right: %s", otherwise, problems, source)
		default:
			t.Errorf("%s\nsource: %s", problems, source)
		}
	})
}

// must ends the check on an error and returns the value.
func must[T any](v T, err error) func(c *check) T {
	return func(c *check) T {
		if err != nil {
			c.Fatalf("%v", err)
		}
		return v
	}
}

// refused checks AWS's code, HTTP status and a part of the message.
func (c *check) refused(err error, code string, status int, message string) {
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		c.Fatalf("got %v, want %d %s: %s", err, status, code, message)
	}
	if api.ErrorCode() != code || response.HTTPStatusCode() != status || !strings.Contains(api.ErrorMessage(), message) {
		c.Errorf("got %d %s: %s\nwant %d %s: %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(), status, code, message)
	}
}

// until asks again until what is waited for has come.
func (c *check) until(what string, come func() bool) {
	look := time.NewTicker(c.every)
	defer look.Stop()
	for !come() {
		select {
		case <-c.ctx.Done():
			c.Fatalf("waited in vain until %s", what)
		case <-look.C:
		}
	}
}

// input is a good CreateFunction.
func (c *check) input() *lambda.CreateFunctionInput {
	return &lambda.CreateFunctionInput{
		FunctionName: aws.String(c.name("f")), Role: &c.role, Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: zipped("index.js", script)},
	}
}

const script = "exports.handler = async (event) => { console.log('seen', event.name); return { hello: event.name, stage: process.env.STAGE }; };"

// make creates a function, to be deleted with the group, and waits until it is Active.
func (c *check) make(change ...func(*lambda.CreateFunctionInput)) *types.FunctionConfiguration {
	in := c.input()
	for _, f := range change {
		f(in)
	}
	must(c.create(in))(c)
	return c.settled(*in.FunctionName)
}

// create calls CreateFunction and sees to it that the function goes, too.
func (c *check) create(in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	out, err := c.lambda.CreateFunction(c.ctx, in)
	if err == nil {
		c.later(func(ctx context.Context) error {
			_, err := c.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: in.FunctionName})
			return err
		})
	}
	return out, err
}

// later cleans up when the group is through. What is gone by then is fine.
func (c *check) later(clean func(context.Context) error) {
	c.Cleanup(func() {
		err := clean(context.WithoutCancel(c.ctx))
		var response *awshttp.ResponseError
		if err != nil && (!errors.As(err, &response) || response.HTTPStatusCode() != http.StatusNotFound) {
			c.Logf("clean up: %v", err)
		}
	})
}

// settled waits until nothing is under way, and answers what there is.
func (c *check) settled(name string) *types.FunctionConfiguration {
	var out *types.FunctionConfiguration
	c.until(name+" settles", func() bool {
		out = must(c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: &name}))(c).Configuration
		return out.State != types.StatePending && out.LastUpdateStatus != types.LastUpdateStatusInProgress
	})
	return out
}

// published makes a function with version 1 and an alias of it.
func (c *check) published(alias string) string {
	name := *c.make(func(in *lambda.CreateFunctionInput) { in.Publish = true }).FunctionName
	must(c.lambda.CreateAlias(c.ctx, &lambda.CreateAliasInput{FunctionName: &name, Name: &alias, FunctionVersion: aws.String("1")}))(c)
	return name
}

// layer publishes a layer version, to be deleted with the group.
func (c *check) layer(name string, content []byte) *lambda.PublishLayerVersionOutput {
	out := must(c.lambda.PublishLayerVersion(c.ctx, &lambda.PublishLayerVersionInput{
		LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: content}, CompatibleRuntimes: []types.Runtime{types.RuntimeNodejs22x},
	}))(c)
	c.later(func(ctx context.Context) error {
		_, err := c.lambda.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: &name, VersionNumber: &out.Version})
		return err
	})
	return out
}

// get asks for a URL that the account has given out. A peer on this machine that
// names a host elsewhere is not followed there.
func (c *check) get(location string, header ...string) (*http.Response, []byte) {
	if !c.local(location) {
		c.Fatalf("the location is at another host than the account")
	}
	req := must(http.NewRequestWithContext(c.ctx, http.MethodGet, location, nil))(c)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res := must(http.DefaultClient.Do(req))(c)
	defer func() { _ = res.Body.Close() }()
	return res, must(io.ReadAll(res.Body))(c)
}

// local reports whether a URL is where the account is: on this machine, if that is.
func (w *world) local(location string) bool {
	u, err := url.Parse(location)
	return err == nil && loopback(u.Hostname()) == loopback(w.host())
}

func (w *world) host() string {
	u, err := url.Parse(w.endpoint)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
