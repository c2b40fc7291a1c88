package switchover

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/settings"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// publish makes version q again and keeps the number that AWS gives it.
func publish(q string) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		if now, err := r.version(q); err == nil {
			got, err := r.live(ctx, r.name, now)
			if err != nil {
				return outcome{}, err
			}
			if got != nil {
				return outcome{skipped: true, note: "version " + now}, nil
			}
		}
		if err := r.settle(ctx, r.name, q, false); err != nil {
			return outcome{}, err
		}
		now, err := r.publish(ctx, q)
		if err != nil {
			return outcome{}, err
		}
		if twin := r.twin(now); twin != "" {
			// AWS publishes nothing when nothing has changed: the version before this
			// one was equal but for its description, which the function gets now.
			if err := r.settle(ctx, r.name, q, true); err != nil {
				return outcome{}, err
			}
			if now, err = r.publish(ctx, q); err != nil {
				return outcome{}, err
			}
		}
		if err := r.describe(ctx); err != nil {
			return outcome{}, err
		}
		if err := r.waitActive(ctx, r.name, now); err != nil {
			return outcome{}, err
		}
		return outcome{note: "version " + q + " is version " + now}, r.j.set(r.prefix+"version:"+q, now)
	}
}

// describe gives the function its own description back.
func (r *run) describe(ctx context.Context) error {
	c, err := r.snap.ConfigOf("")
	if err != nil {
		return err
	}
	description := aws.ToString(c.Description)
	_, err = r.ensure(ctx, "UpdateFunctionConfiguration", r.name,
		func(ctx context.Context) (bool, error) {
			got, err := r.live(ctx, r.name, "")
			return err == nil && got != nil && aws.ToString(got.Configuration.Description) == description, err
		},
		func(ctx context.Context) error {
			_, err := r.api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
				FunctionName: &r.name, Description: &description})
			return err
		})
	if err != nil {
		return err
	}
	return r.waitActive(ctx, r.name, "")
}

// twin returns the version of the snapshot that already became number now.
func (r *run) twin(now string) string {
	for _, q := range r.snap.Carried() {
		if n, err := r.version(q); err == nil && n == now {
			return q
		}
	}
	return ""
}

// publish publishes the function as it is, or finds the version that a run cut
// off has published.
func (r *run) publish(ctx context.Context, q string) (string, error) {
	want, err := r.config(q)
	if err != nil {
		return "", err
	}
	number := ""
	_, err = r.ensure(ctx, "PublishVersion", r.name,
		func(ctx context.Context) (bool, error) {
			number, err = r.published(ctx, q, want)
			return number != "", err
		},
		func(ctx context.Context) error {
			out, err := r.api.PublishVersion(ctx, &lambda.PublishVersionInput{
				FunctionName: &r.name, Description: want.Description})
			if err == nil {
				number = aws.ToString(out.Version)
			}
			return err
		})
	if err == nil && number == "" {
		err = fmt.Errorf("publish version %s of %s: AWS gave no number", q, r.name)
	}
	return number, err
}

// published looks for a version that is what q was and stands for no other.
func (r *run) published(ctx context.Context, q string, want types.FunctionConfiguration) (string, error) {
	pages := lambda.NewListVersionsByFunctionPaginator(r.api, &lambda.ListVersionsByFunctionInput{FunctionName: &r.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, v := range page.Versions {
			number := aws.ToString(v.Version)
			if number == snapshot.Latest || r.twin(number) != "" || !settings.Same(v, want, r.image) {
				continue
			}
			got, err := r.live(ctx, r.name, number)
			if err != nil || got == nil {
				return "", err
			}
			if same, err := r.hasCode(got, q, r.image); err != nil || same {
				return number, err
			}
		}
	}
	return "", nil
}

// putAlias makes an alias again, its versions and weights mapped to the new numbers.
func putAlias(a snapshot.Attachment) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		was, err := snapshot.Decode[types.AliasConfiguration](a.Value)
		if err != nil {
			return outcome{}, err
		}
		want, err := aliasNow(was, r.version)
		if err != nil {
			return outcome{}, err
		}
		var exists bool
		look := func(ctx context.Context) (bool, error) {
			got, err := r.api.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &r.name, Name: want.Name})
			var none *types.ResourceNotFoundException
			if errors.As(err, &none) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			exists = true
			return aws.ToString(got.FunctionVersion) == aws.ToString(want.FunctionVersion) &&
				aws.ToString(got.Description) == aws.ToString(want.Description) &&
				maps.Equal(weights(got.RoutingConfig), weights(want.RoutingConfig)), nil
		}
		out, err := r.ensure(ctx, "CreateAlias", r.name+":"+a.Name, look, func(ctx context.Context) error {
			if exists {
				_, err := r.api.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: &r.name, Name: want.Name,
					FunctionVersion: want.FunctionVersion, Description: aws.String(aws.ToString(want.Description)),
					RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights(want.RoutingConfig)}})
				return err
			}
			_, err := r.api.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &r.name, Name: want.Name,
				FunctionVersion: want.FunctionVersion, Description: want.Description, RoutingConfig: want.RoutingConfig})
			return err
		})
		out.note = "version " + aws.ToString(want.FunctionVersion)
		return out, err
	}
}

// aliasNow maps an alias to the numbers that its versions have now.
func aliasNow(was types.AliasConfiguration, number func(string) (string, error)) (types.AliasConfiguration, error) {
	now, err := number(aws.ToString(was.FunctionVersion))
	if err != nil {
		return was, err
	}
	want := types.AliasConfiguration{Name: was.Name, FunctionVersion: &now}
	if aws.ToString(was.Description) != "" {
		want.Description = was.Description
	}
	shares := map[string]float64{}
	for q, share := range weights(was.RoutingConfig) {
		n, err := number(q)
		if err != nil {
			return was, err
		}
		if n != now { // two equal versions may have become one
			shares[n] = share
		}
	}
	if len(shares) > 0 {
		want.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: shares}
	}
	return want, nil
}

// weights are an alias's additional versions; none is an empty map.
func weights(c *types.AliasRoutingConfiguration) map[string]float64 {
	if c == nil || c.AdditionalVersionWeights == nil {
		return map[string]float64{}
	}
	return c.AdditionalVersionWeights
}
