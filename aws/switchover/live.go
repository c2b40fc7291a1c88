package switchover

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// live reads a function as it is now; nil says that there is none.
func (r *run) live(ctx context.Context, name, qualifier string) (*lambda.GetFunctionOutput, error) {
	in := &lambda.GetFunctionInput{FunctionName: &name}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	got, err := r.api.GetFunction(ctx, in)
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look at function %s: %w", name+colon(qualifier), err)
	case got.Configuration == nil || got.Code == nil:
		return nil, fmt.Errorf("look at function %s: the answer holds no configuration", name+colon(qualifier))
	}
	return got, nil
}

// waitGone waits until a function is really deleted: durable functions and
// those on managed instances are deleted after the answer.
func (r *run) waitGone(ctx context.Context, name string) error {
	err := poll(ctx, r.s.patience, func(ctx context.Context) (bool, error) {
		got, err := r.live(ctx, name, "")
		return got == nil, err
	})
	if err != nil {
		return fmt.Errorf("wait until %s is deleted: %w", name, err)
	}
	return nil
}

// waitActive waits until a function or version can be invoked and changed. For a
// while after it was made reads may not find it.
func (r *run) waitActive(ctx context.Context, name, qualifier string) error {
	of := name + colon(qualifier)
	seen := time.Now().Add(r.s.lag)
	err := poll(ctx, r.s.patience, func(ctx context.Context) (bool, error) {
		got, err := r.live(ctx, name, qualifier)
		if err != nil {
			return false, err
		}
		if got == nil && time.Now().Before(seen) {
			return false, nil
		}
		if got == nil {
			return false, fmt.Errorf("it is gone")
		}
		c := got.Configuration
		if c.State == types.StateFailed {
			return false, fmt.Errorf("it became Failed: %s (%s)", aws.ToString(c.StateReason), c.StateReasonCode)
		}
		if c.LastUpdateStatus == types.LastUpdateStatusFailed {
			return false, fmt.Errorf("its update failed: %s (%s)", aws.ToString(c.LastUpdateStatusReason), c.LastUpdateStatusReasonCode)
		}
		return (c.State == "" || c.State == types.StateActive) && c.LastUpdateStatus != types.LastUpdateStatusInProgress, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s is Active: %w", of, err)
	}
	return nil
}

// made reports whether a live function was made by this run: its image is one
// of ours, or its zip one of those in the backup.
func (r *run) made(got *lambda.GetFunctionOutput, image bool) (bool, error) {
	c := got.Configuration
	if image != (c.PackageType == types.PackageTypeImage) {
		return false, nil
	}
	for _, q := range append([]string{snapshot.Latest}, r.snap.Carried()...) {
		same, err := r.hasCode(got, q, image)
		if err != nil || same {
			return same, err
		}
	}
	if !image {
		return false, nil
	}
	return r.byRefresh(got)
}

// hasCode reports whether a live function or version runs what version q is
// made of.
func (r *run) hasCode(got *lambda.GetFunctionOutput, q string, image bool) (bool, error) {
	if image {
		want := digestOf(r.j.fact(imageFact(q)))
		return want != "" && want == digestOf(aws.ToString(got.Code.ImageUri)), nil
	}
	c, err := r.snap.ConfigOf(q)
	if err != nil {
		return false, err
	}
	return aws.ToString(c.CodeSha256) == aws.ToString(got.Configuration.CodeSha256) &&
		fmt.Sprint(c.Architectures) == fmt.Sprint(got.Configuration.Architectures), nil
}

// imageFact is the key under which a version's image is kept.
func imageFact(q string) string {
	if q == "" {
		q = snapshot.Latest
	}
	return "image:" + q
}

// digestOf returns what follows the @ of a pinned reference.
func digestOf(reference string) string {
	_, digest, _ := strings.Cut(reference, "@")
	return digest
}

// hexSum turns Lambda's base64 SHA-256 into the usual hex.
func hexSum(sum string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(sum)
	if err != nil || len(raw) != 32 {
		return "", fmt.Errorf("%q is not a SHA-256 in base64", sum)
	}
	return hex.EncodeToString(raw), nil
}

// config is what version q is made again with.
func (r *run) config(q string) (types.FunctionConfiguration, error) {
	c, err := r.snap.ConfigOf(q)
	// The default log group follows the function's name.
	if err == nil && r.name != r.snap.Function && c.LoggingConfig != nil &&
		aws.ToString(c.LoggingConfig.LogGroup) == "/aws/lambda/"+r.snap.Function {
		logging := *c.LoggingConfig
		logging.LogGroup = nil
		c.LoggingConfig = &logging
	}
	return c, err
}

// version is the number that version q of the snapshot has now; other
// qualifiers stay as they are.
func (r *run) version(q string) (string, error) {
	if !snapshot.IsVersion(q) {
		return q, nil
	}
	now := r.j.fact(r.prefix + "version:" + q)
	if now == "" {
		return "", fmt.Errorf("version %s of %s was not made again", q, r.snap.Function)
	}
	return now, nil
}
