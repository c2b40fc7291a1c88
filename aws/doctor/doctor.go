package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/dustin/go-humanize"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/build/image"
)

// State is the outcome of a check.
type State string

// The outcomes. Unknown is a check that could not be made.
const (
	OK      State = "ok"
	Warning State = "warning" // something works less well, or is not allowed
	Failed  State = "failed"
	Unknown State = "unknown"
)

// Finding is one check and its outcome.
type Finding struct {
	Check   string `json:"check"`
	State   State  `json:"state"`
	Message string `json:"message"`
	Next    string `json:"next,omitempty"` // what to do about it
}

// Options say what to look at.
type Options struct {
	Open         func(context.Context) (*session.Session, error)
	BaseRegistry string   // "" is image.DefaultBaseRegistry
	Bucket       string   // for zips over 50 MB; "" checks none
	Dirs         []string // where things are kept; each need not be there yet
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// maxSkew is how far the clock may be off. AWS refuses signatures that are more
// than five minutes old
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html);
// the SDK corrects for that, other tools do not.
const (
	maxSkew  = 5 * time.Minute
	someSkew = 30 * time.Second
)

// enough is the free space below which a build of the largest function, with its
// layers and base, may not fit.
const enough = 2 << 30

// Examine makes every check and reports each as it is made. Only the end of ctx is
// an error.
func Examine(ctx context.Context, o Options, report func(Finding)) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if s, err := o.Open(ctx); err != nil {
		report(Finding{"credentials", Failed, session.Explain(err), "see optlift --help for --profile and --region"})
		for _, check := range []string{"clock", "lambda", "registry"} {
			report(Finding{check, Unknown, "needs credentials", ""})
		}
	} else {
		report(Finding{Check: "credentials", State: OK, Message: fmt.Sprintf("account %s as %s", s.Account, session.Clean(s.CallerARN))})
		for _, region := range s.Regions {
			o.service(ctx, s, region, report)
		}
	}
	if ctx.Err() == nil {
		o.bases(ctx, report)
	}
	for _, dir := range o.Dirs {
		report(disk(dir))
	}
	return ctx.Err()
}

// service checks one region: the clock, the right to list, and the registry.
func (o *Options) service(ctx context.Context, s *session.Session, region string, report func(Finding)) {
	sent := o.Now()
	out, err := s.Lambda(region).ListFunctions(ctx, &lambda.ListFunctionsInput{MaxItems: aws.Int32(1)})
	if ctx.Err() != nil {
		return
	}
	var server time.Time
	var known bool
	var refused *smithyhttp.ResponseError
	if err == nil {
		server, known = awsmiddleware.GetServerTime(out.ResultMetadata)
	} else if errors.As(err, &refused) {
		at, bad := http.ParseTime(refused.Response.Header.Get("Date"))
		server, known = at, bad == nil
	}
	report(clock(region, sent, server, known))
	name := "lambda " + region
	switch session.KindOf(err) {
	case session.Denied:
		report(Finding{name, Failed, session.Explain(err), "optlift policy audit prints the policy that is needed"})
	default:
		if err != nil {
			report(Finding{name, Failed, session.Explain(err), ""})
		} else {
			report(Finding{Check: name, State: OK, Message: "functions can be listed"})
		}
	}
	report(o.registry(ctx, s, region))
	if o.Bucket != "" && ctx.Err() == nil {
		report(o.bucket(ctx, s, region))
	}
}

// bucket checks that zips over 50 MB can be given back from a bucket: Lambda takes
// code from a bucket of its own region only
// (https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html).
func (o *Options) bucket(ctx context.Context, s *session.Session, region string) Finding {
	name := "bucket " + region
	at, err := session.S3(s, region).Region(ctx, o.Bucket)
	if err != nil {
		at = session.BucketRegion(err)
	}
	switch {
	case at != "" && at != region:
		return Finding{name, Failed, "the bucket is in " + session.Clean(at) + ", and Lambda takes code from its own region only", "name a bucket of the functions' region"}
	case session.KindOf(err) == session.Denied:
		return Finding{name, Warning, session.Explain(err), "optlift policy migrate --feature s3 --bucket " + session.Clean(o.Bucket) + " prints the policy"}
	case err != nil:
		return Finding{name, Failed, session.Explain(err), "name a bucket of the functions' region"}
	}
	return Finding{name, OK, "code can be given back from " + session.Clean(o.Bucket), ""}
}

// clock compares this machine's time with that of an answer, whose Date counts in
// whole seconds.
func clock(region string, sent, server time.Time, known bool) Finding {
	name := "clock " + region
	if !known {
		return Finding{name, Unknown, "the endpoint's answer names no time", ""}
	}
	skew := sent.Sub(server).Round(time.Second)
	off := skew.Abs()
	text := fmt.Sprintf("this clock is %s ahead of AWS's", off)
	if skew < 0 {
		text = fmt.Sprintf("this clock is %s behind AWS's", off)
	}
	switch {
	case off >= maxSkew:
		return Finding{name, Failed, text + ": AWS refuses requests that are signed with it", "set the clock, or let a time service do it"}
	case off >= someSkew:
		return Finding{name, Warning, text, "set the clock, or let a time service do it"}
	default:
		return Finding{name, OK, "agrees with AWS's", ""}
	}
}

// registry checks that ECR hands out a token and that its registry takes it. Only
// pushing needs that, so a refusal is a warning.
func (o *Options) registry(ctx context.Context, s *session.Session, region string) Finding {
	name := "registry " + region
	out, err := session.ECR(s, region).GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	switch {
	case session.KindOf(err) == session.Denied:
		return Finding{name, Warning, session.Explain(err), "needed to push images only: optlift policy migrate prints the policy"}
	case err != nil:
		return Finding{name, Failed, session.Explain(err), ""}
	case len(out.AuthorizationData) == 0:
		return Finding{name, Failed, "ECR hands out no token", ""}
	}
	data := out.AuthorizationData[0]
	endpoint := strings.TrimSuffix(aws.ToString(data.ProxyEndpoint), "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/v2/", nil)
	if err != nil {
		return Finding{name, Failed, "ECR names a registry that is no address", ""}
	}
	req.Header.Set("Authorization", "Basic "+aws.ToString(data.AuthorizationToken))
	res, err := s.HTTP().Do(req)
	if err != nil {
		return Finding{name, Failed, "the registry " + req.URL.Host + " can't be reached: " + session.Explain(err), "check the network, proxy and AWS_CA_BUNDLE"}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Finding{name, Failed, fmt.Sprintf("the registry %s answers %s", req.URL.Host, res.Status), "check for a proxy in between"}
	}
	return Finding{name, OK, req.URL.Host + " takes the token", ""}
}

// bases checks that base images can be read.
func (o *Options) bases(ctx context.Context, report func(Finding)) {
	registry := strings.TrimSuffix(o.BaseRegistry, "/")
	if registry == "" {
		registry = image.DefaultBaseRegistry
	}
	reference := registry + "/provided:al2023"
	if _, err := image.ResolveBase(ctx, reference, "x86_64"); err != nil {
		if ctx.Err() == nil {
			report(Finding{"base images", Failed, session.Clean(err.Error()), "check the network, or name a copy with --base-registry"})
		}
		return
	}
	report(Finding{"base images", OK, registry + " can be read", ""})
}

// disk checks that a directory can be written and has room. A directory that is
// not there yet is judged by the nearest one that is.
func disk(dir string) Finding {
	name := "disk " + dir
	at := dir
	for {
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			break
		}
		up := filepath.Dir(at)
		if up == at {
			return Finding{name, Failed, "there is no such place", "set XDG_CACHE_HOME or XDG_STATE_HOME"}
		}
		at = up
	}
	f, err := os.CreateTemp(at, ".optlift-*")
	if err != nil {
		return Finding{name, Failed, "can't be written: " + err.Error(), "check its owner, or set XDG_CACHE_HOME or XDG_STATE_HOME"}
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	free, err := freeBytes(at)
	if err != nil {
		return Finding{name, Unknown, "its free space can't be told: " + err.Error(), ""}
	}
	text := humanize.IBytes(free) + " free"
	if free < enough {
		return Finding{name, Warning, text + ": a large function with its base image may need " + humanize.IBytes(enough), "make room, or set XDG_CACHE_HOME or XDG_STATE_HOME"}
	}
	return Finding{name, OK, text, ""}
}
