package seed

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/ecr"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// Account is where the seed goes.
type Account struct {
	// Do runs a Lambda operation in process; input is one of the SDK's inputs.
	Do      func(ctx context.Context, call wire.Call, input any) (output any, err error)
	ECR     *ecr.Service
	Account string // 12 digits
	Region  string
	Now     time.Time
}

// vendor is the account that publishes the layers of others.
const vendor = "210987654321"

// planter holds what the parts of the seed share.
type planter struct {
	ctx context.Context
	Account
	layers map[string]string // ARNs by "name:version"
	codes  map[string][]byte // archives by kind
}

// Plant makes exactly n functions, with the layers and attachments they need.
func Plant(ctx context.Context, account Account, n int) error {
	if n <= 0 {
		return nil
	}
	p := &planter{ctx: ctx, Account: account, layers: map[string]string{}, codes: map[string][]byte{}}
	if err := p.publishLayers(); err != nil {
		return err
	}
	special := specials()
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := ordinary(i - len(special))
		if i < len(special) {
			s = special[i]
		}
		if err := p.create(i, s); err != nil {
			return fmt.Errorf("seed function %s: %w", s.name, err)
		}
	}
	return p.retire()
}

// do runs one operation as AWS would for itself: aws:* tags, deprecated runtimes
// and settled states are allowed.
func (p *planter) do(account string, at time.Time, input any) (any, error) {
	return p.Do(p.ctx, wire.Call{Account: account, Region: p.Region, Now: at, Privileged: true}, input)
}

// own is do in the seeded account, now.
func (p *planter) own(input any) error {
	_, err := p.do(p.Account.Account, p.Now, input)
	return err
}

// arn makes the ARN of a resource that the account only refers to.
func (p *planter) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + p.Region + ":" + p.Account.Account + ":" + resource
}

func (p *planter) role(name string) string {
	return "arn:aws:iam::" + p.Account.Account + ":role/service-role/" + name
}

// function is one function of the seed.
type function struct {
	name    string
	team    string
	runtime string // "" is an image
	arch    types.Architecture
	handler string
	about   string
	memory  int32
	timeout int32
	layers  []string // "name:version"
	env     map[string]string
	tags    map[string]string
	code    func() files // nil is what the runtime's functions commonly have
	age     time.Duration
	// adjust changes the request, and attach adds what comes after it; both may
	// be nil.
	adjust func(*planter, *lambda.CreateFunctionInput) error
	attach func(*planter, string) error
}

// create makes a function and attaches what belongs to it.
func (p *planter) create(index int, f function) error {
	in := &lambda.CreateFunctionInput{
		FunctionName: &f.name, Description: &f.about, Role: aws.String(p.role(f.team + "-lambda")),
		Architectures: []types.Architecture{f.arch}, MemorySize: aws.Int32(f.memory), Timeout: aws.Int32(f.timeout),
		Tags: map[string]string{"team": f.team},
	}
	for k, v := range f.tags {
		in.Tags[k] = v
	}
	if stack := f.tags[stackName]; stack != "" {
		in.Tags["aws:cloudformation:stack-id"] = p.arn("cloudformation", "stack/"+stack+"/5f3c1d20-1111-11f0-8a2b-0a1b2c3d4e5f")
	}
	if len(f.env) > 0 {
		in.Environment = &types.Environment{Variables: f.env}
	}
	for _, l := range f.layers {
		arn, ok := p.layers[l]
		if !ok {
			return fmt.Errorf("there is no layer %s", l)
		}
		in.Layers = append(in.Layers, arn)
	}
	if f.runtime != "" {
		code, err := p.archive(index, f)
		if err != nil {
			return err
		}
		in.Runtime, in.Handler, in.Code = types.Runtime(f.runtime), &f.handler, &types.FunctionCode{ZipFile: code}
	}
	if f.adjust != nil {
		if err := f.adjust(p, in); err != nil {
			return err
		}
	}
	if _, err := p.do(p.Account.Account, p.Now.Add(-f.age), in); err != nil {
		return err
	}
	if f.attach == nil {
		return nil
	}
	return f.attach(p, f.name)
}

// heavy is how many functions bring libraries of their own along. The thousands
// behind them are light, so that a large account is there at once.
const heavy = 200

// archive is the function's code; functions of one kind share it.
func (p *planter) archive(index int, f function) ([]byte, error) {
	key := f.name
	content := f.code
	if content == nil {
		variant := index % 4
		if index >= heavy {
			variant = light
		}
		key = fmt.Sprint(f.runtime, " ", variant, " ", len(f.layers) > 0)
		content = func() files { return common(f.runtime, variant, f.layers) }
	}
	if known := p.codes[key]; known != nil {
		return known, nil
	}
	code, err := content().zip()
	if err != nil {
		return nil, err
	}
	p.codes[key] = code
	return code, nil
}

// publishLayers publishes every version of every layer, in order.
func (p *planter) publishLayers() error {
	for _, l := range layers() {
		account := p.Account.Account
		if l.vendor {
			account = vendor
		}
		for i, version := range l.versions {
			code, err := version().zip()
			if err != nil {
				return fmt.Errorf("seed layer %s: %w", l.name, err)
			}
			out, err := p.do(account, p.Now.Add(-l.age+time.Duration(i)*40*24*time.Hour), &lambda.PublishLayerVersionInput{
				LayerName: aws.String(l.name), Description: aws.String(l.about), Content: &types.LayerVersionContentInput{ZipFile: code},
				CompatibleRuntimes: l.runtimes, CompatibleArchitectures: l.architectures, LicenseInfo: aws.String("Apache-2.0"),
			})
			if err != nil {
				return fmt.Errorf("seed layer %s: %w", l.name, err)
			}
			arn, err := versionARN(out)
			if err != nil {
				return fmt.Errorf("seed layer %s: %w", l.name, err)
			}
			p.layers[fmt.Sprint(l.name, ":", i+1)] = arn
			if !l.vendor {
				continue
			}
			if _, err := p.do(vendor, p.Now, &lambda.AddLayerVersionPermissionInput{
				LayerName: aws.String(l.name), VersionNumber: aws.Int64(int64(i + 1)), StatementId: aws.String("public"),
				Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("*"),
			}); err != nil {
				return fmt.Errorf("seed layer %s: share it: %w", l.name, err)
			}
		}
	}
	return nil
}

// versionARN reads the ARN out of the answer to PublishLayerVersion.
func versionARN(out any) (string, error) {
	switch o := out.(type) {
	case *lambda.PublishLayerVersionOutput:
		return aws.ToString(o.LayerVersionArn), nil
	case *lambda.GetLayerVersionOutput:
		return aws.ToString(o.LayerVersionArn), nil
	}
	return "", fmt.Errorf("the account answered a %T", out)
}

// retire takes away what functions still use: a deleted layer version, and the
// grant of a vendor's.
func (p *planter) retire() error {
	if err := p.own(&lambda.DeleteLayerVersionInput{LayerName: aws.String("tax-tables"), VersionNumber: aws.Int64(1)}); err != nil {
		return fmt.Errorf("seed layer tax-tables: delete version 1: %w", err)
	}
	_, err := p.do(vendor, p.Now, &lambda.RemoveLayerVersionPermissionInput{
		LayerName: aws.String("partner-geo"), VersionNumber: aws.Int64(1), StatementId: aws.String("public"),
	})
	if err != nil {
		return fmt.Errorf("seed layer partner-geo: revoke version 1: %w", err)
	}
	return nil
}
