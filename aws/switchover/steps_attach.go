package switchover

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/answer"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// optional is a qualifier as an input takes it: nil for the function itself.
func optional(qualifier string) *string {
	if qualifier == "" {
		return nil
	}
	return &qualifier
}

// absent turns "there is none" into no answer and no error.
func absent[T any](got *T, err error) (*T, error) {
	var none *types.ResourceNotFoundException
	if errors.As(err, &none) {
		return nil, nil
	}
	return got, err
}

// putPolicy makes a resource policy again: statement by statement, or as a whole
// where AddPermission could not express it.
func putPolicy(a snapshot.Attachment) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		q, err := r.version(a.Qualifier)
		if err != nil {
			return outcome{}, err
		}
		statements, err := snapshot.Statements(a)
		if err != nil {
			return outcome{}, err
		}
		inputs := make([]*lambda.AddPermissionInput, len(statements))
		for i, st := range statements {
			in, why := st.Permission(r.name, q)
			if why != "" {
				return r.putWholePolicy(ctx, a, q)
			}
			inputs[i] = in
		}
		out := outcome{skipped: true}
		for i, in := range inputs {
			one, err := r.ensure(ctx, "AddPermission", r.name+colon(q)+" "+statements[i].Sid,
				func(ctx context.Context) (bool, error) { return r.hasStatement(ctx, q, statements[i].Sid) },
				func(ctx context.Context) error {
					_, err := r.api.AddPermission(ctx, in)
					return err
				})
			if err != nil {
				return out, err
			}
			out.skipped = out.skipped && one.skipped
		}
		out.note = plural(len(inputs), "statement")
		return out, nil
	}
}

func (r *run) hasStatement(ctx context.Context, q, sid string) (bool, error) {
	got, err := absent(r.api.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &r.name, Qualifier: optional(q)}))
	if err != nil || got == nil {
		return false, err
	}
	live, err := snapshot.ParsePolicy(aws.ToString(got.Policy))
	for _, st := range live {
		if st.Sid == sid {
			return true, err
		}
	}
	return false, err
}

func (r *run) putWholePolicy(ctx context.Context, a snapshot.Attachment, q string) (outcome, error) {
	policy, err := snapshot.Decode[struct{ Policy string }](a.Value)
	if err != nil {
		return outcome{}, err
	}
	resource := r.arn + colon(q)
	document := strings.ReplaceAll(policy.Policy, `"`+r.snap.ARN+colon(a.Qualifier)+`"`, `"`+resource+`"`)
	return r.ensure(ctx, "PutResourcePolicy", resource,
		func(ctx context.Context) (bool, error) {
			got, err := absent(r.api.GetResourcePolicy(ctx, &lambda.GetResourcePolicyInput{ResourceArn: &resource}))
			return err == nil && got != nil && answer.SameJSON(aws.ToString(got.Policy), document), err
		},
		func(ctx context.Context) error {
			_, err := r.api.PutResourcePolicy(ctx, &lambda.PutResourcePolicyInput{ResourceArn: &resource, Policy: &document})
			return err
		})
}

// putAsync makes the settings of asynchronous invocation again.
func putAsync(a snapshot.Attachment) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		q, err := r.version(a.Qualifier)
		if err != nil {
			return outcome{}, err
		}
		want, err := snapshot.Decode[types.FunctionEventInvokeConfig](a.Value)
		if err != nil {
			return outcome{}, err
		}
		return r.ensure(ctx, "PutFunctionEventInvokeConfig", r.name+colon(q),
			func(ctx context.Context) (bool, error) {
				got, err := absent(r.api.GetFunctionEventInvokeConfig(ctx,
					&lambda.GetFunctionEventInvokeConfigInput{FunctionName: &r.name, Qualifier: optional(q)}))
				return err == nil && got != nil &&
					reflect.DeepEqual(got.MaximumEventAgeInSeconds, want.MaximumEventAgeInSeconds) &&
					reflect.DeepEqual(got.MaximumRetryAttempts, want.MaximumRetryAttempts) &&
					reflect.DeepEqual(got.DestinationConfig, want.DestinationConfig), err
			},
			func(ctx context.Context) error {
				_, err := r.api.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
					FunctionName: &r.name, Qualifier: optional(q), DestinationConfig: want.DestinationConfig,
					MaximumEventAgeInSeconds: want.MaximumEventAgeInSeconds, MaximumRetryAttempts: want.MaximumRetryAttempts})
				return err
			})
	}
}

// putURL makes a function URL again; its address is a new one.
func putURL(a snapshot.Attachment) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		want, err := snapshot.Decode[types.FunctionUrlConfig](a.Value)
		if err != nil {
			return outcome{}, err
		}
		address, exists := "", false
		look := func(ctx context.Context) (bool, error) {
			got, err := absent(r.api.GetFunctionUrlConfig(ctx,
				&lambda.GetFunctionUrlConfigInput{FunctionName: &r.name, Qualifier: optional(a.Qualifier)}))
			if err != nil || got == nil {
				return false, err
			}
			address, exists = aws.ToString(got.FunctionUrl), true
			return got.AuthType == want.AuthType && got.InvokeMode == want.InvokeMode && reflect.DeepEqual(got.Cors, want.Cors), nil
		}
		out, err := r.ensure(ctx, "CreateFunctionUrlConfig", r.name+colon(a.Qualifier), look, func(ctx context.Context) error {
			if exists {
				_, err := r.api.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: &r.name,
					Qualifier: optional(a.Qualifier), AuthType: want.AuthType, InvokeMode: want.InvokeMode, Cors: want.Cors})
				return err
			}
			got, err := r.api.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: &r.name,
				Qualifier: optional(a.Qualifier), AuthType: want.AuthType, InvokeMode: want.InvokeMode, Cors: want.Cors})
			if err == nil {
				address = aws.ToString(got.FunctionUrl)
			}
			return err
		})
		out.note = "the address is " + address + " now"
		return out, err
	}
}

// putProvisioned asks for provisioned concurrency again and waits until it is
// ready.
func putProvisioned(a snapshot.Attachment) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		q, err := r.version(a.Qualifier)
		if err != nil {
			return outcome{}, err
		}
		want, err := snapshot.Decode[types.ProvisionedConcurrencyConfigListItem](a.Value)
		if err != nil || want.RequestedProvisionedConcurrentExecutions == nil {
			return outcome{}, errors.Join(err, fmt.Errorf("the snapshot holds no number for the %s", a.What()))
		}
		n := *want.RequestedProvisionedConcurrentExecutions
		get := func(ctx context.Context) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
			got, err := r.api.GetProvisionedConcurrencyConfig(ctx,
				&lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &r.name, Qualifier: &q})
			var none *types.ProvisionedConcurrencyConfigNotFoundException
			if errors.As(err, &none) {
				return nil, nil
			}
			return absent(got, err)
		}
		out, err := r.ensure(ctx, "PutProvisionedConcurrencyConfig", r.name+colon(q)+" to "+strconv.Itoa(int(n)),
			func(ctx context.Context) (bool, error) {
				got, err := get(ctx)
				return err == nil && got != nil && aws.ToInt32(got.RequestedProvisionedConcurrentExecutions) == n, err
			},
			func(ctx context.Context) error {
				_, err := r.api.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
					FunctionName: &r.name, Qualifier: &q, ProvisionedConcurrentExecutions: &n})
				return err
			})
		if err != nil || want.Status == types.ProvisionedConcurrencyStatusEnumFailed {
			return out, err // what had failed before is not waited for
		}
		err = poll(ctx, r.s.patience, func(ctx context.Context) (bool, error) {
			got, err := get(ctx)
			if err != nil || got == nil {
				return false, err
			}
			if got.Status == types.ProvisionedConcurrencyStatusEnumFailed {
				return false, fmt.Errorf("it failed: %s", aws.ToString(got.StatusReason))
			}
			return got.Status == types.ProvisionedConcurrencyStatusEnumReady, nil
		})
		if err != nil {
			return out, fmt.Errorf("wait for the provisioned concurrency of %s: %w", r.name+colon(q), err)
		}
		return out, nil
	}
}

// putRecursion allows recursive loops again.
func putRecursion(a snapshot.Attachment) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		want, err := snapshot.Decode[lambda.GetFunctionRecursionConfigOutput](a.Value)
		if err != nil {
			return outcome{}, err
		}
		return r.ensure(ctx, "PutFunctionRecursionConfig", r.name,
			func(ctx context.Context) (bool, error) {
				got, err := r.api.GetFunctionRecursionConfig(ctx, &lambda.GetFunctionRecursionConfigInput{FunctionName: &r.name})
				return err == nil && got.RecursiveLoop == want.RecursiveLoop, err
			},
			func(ctx context.Context) error {
				_, err := r.api.PutFunctionRecursionConfig(ctx, &lambda.PutFunctionRecursionConfigInput{
					FunctionName: &r.name, RecursiveLoop: want.RecursiveLoop})
				return err
			})
	}
}

// putTags adds the tags that the creation did not set.
func putTags(ctx context.Context, r *run) (outcome, error) {
	want, err := r.tags()
	if err != nil {
		return outcome{}, err
	}
	out, err := r.ensure(ctx, "TagResource", r.arn,
		func(ctx context.Context) (bool, error) {
			got, err := r.api.ListTags(ctx, &lambda.ListTagsInput{Resource: &r.arn})
			if err != nil {
				return false, err
			}
			for k, v := range want {
				if got.Tags[k] != v {
					return false, nil
				}
			}
			return true, nil
		},
		func(ctx context.Context) error {
			_, err := r.api.TagResource(ctx, &lambda.TagResourceInput{Resource: &r.arn, Tags: want})
			return err
		})
	out.note = plural(len(want), "tag")
	return out, err
}
