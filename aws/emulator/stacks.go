package emulator

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/optlift/optlift/aws/emulator/functions"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// stacks are the CloudFormation stacks of the account's functions. They can be
// read and nothing else: who changes a function leaves its stack's template as it
// was, as it is with AWS.
type stacks struct {
	mu  sync.Mutex
	all map[string]stack // by account, region, and name or id
}

type stack struct{ original, processed string }

// fill makes a template for each stack that functions name in their tags.
func (s *stacks) fill(members []functions.Stacked) {
	type text struct {
		original, processed strings.Builder
		id                  string
		sam                 bool
	}
	texts := map[string]*text{}
	for _, m := range members {
		key := m.Account + " " + m.Region + " " + m.Stack
		t := texts[key]
		if t == nil {
			t = &text{id: m.Account + " " + m.Region + " " + m.ID, sam: m.SAM}
			texts[key] = t
		}
		t.original.WriteString(resource(m, m.SAM))
		t.processed.WriteString(resource(m, false))
	}
	for key, t := range texts {
		head := "AWSTemplateFormatVersion: \"2010-09-09\"\n"
		transform := ""
		if t.sam {
			transform = "Transform: AWS::Serverless-2016-10-31\n"
		}
		st := stack{head + transform + "Resources:\n" + t.original.String(), head + "Resources:\n" + t.processed.String()}
		s.put(key, st)
		s.put(t.id, st)
	}
}

func (s *stacks) put(key string, st stack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]stack{}
	}
	s.all[key] = st
}

// PutStack gives the account a stack in its own region, or another template.
func (s *Server) PutStack(name, template string) {
	s.stacks.put(s.opts.Account+" "+s.opts.Region+" "+name, stack{template, template})
}

var matchStack = regexp.MustCompile(`^([a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*)$`)

// resource is a function in a template, as SAM or as CloudFormation writes it.
func resource(m functions.Stacked, sam bool) string {
	f := m.Function
	b := &strings.Builder{}
	kind := "AWS::Lambda::Function"
	if sam {
		kind = "AWS::Serverless::Function"
	}
	fmt.Fprintf(b, "  %s:\n    Type: %s\n    Properties:\n      FunctionName: %s\n", m.Logical, kind, aws.ToString(f.FunctionName))
	fmt.Fprintf(b, "      Runtime: %s\n      Handler: %s\n      Role: %s\n", f.Runtime, aws.ToString(f.Handler), aws.ToString(f.Role))
	fmt.Fprintf(b, "      MemorySize: %d\n      Timeout: %d\n", aws.ToInt32(f.MemorySize), aws.ToInt32(f.Timeout))
	if len(f.Layers) > 0 {
		b.WriteString("      Layers:\n")
		for _, l := range f.Layers {
			fmt.Fprintf(b, "        - %s\n", aws.ToString(l.Arn))
		}
	}
	if sam {
		fmt.Fprintf(b, "      CodeUri: s3://%s-artifacts/%s.zip\n", m.Stack, aws.ToString(f.FunctionName))
	} else {
		fmt.Fprintf(b, "      Code:\n        S3Bucket: %s-artifacts\n        S3Key: %s.zip\n", m.Stack, aws.ToString(f.FunctionName))
	}
	return b.String()
}

// template answers GetTemplate
// (docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html).
// The refusals are CloudFormation's, as people have published them
// (https://github.com/aws-samples/aws2tf/issues/40, https://github.com/humanmade/cf-to-tf/issues/5);
// for a call without a stack, whose answer nobody has, they are in the same words.
func (q queryCall) template(s *Server, c wire.Call) (any, error) {
	name, stage := q.form.Get("StackName"), q.form.Get("TemplateStage")
	switch {
	case name == "":
		return nil, missingParameter("stackName")
	case !matchStack.MatchString(name):
		return nil, wire.Errorf(400, "ValidationError", "1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*", name)
	case stage != "" && stage != "Original" && stage != "Processed":
		return nil, wire.Errorf(400, "ValidationError", "1 validation error detected: Value '%s' at 'templateStage' failed to satisfy constraint: Member must satisfy enum value set: [Original, Processed]", stage)
	}
	s.stacks.mu.Lock()
	st, ok := s.stacks.all[c.Account+" "+c.Region+" "+name]
	s.stacks.mu.Unlock()
	if !ok {
		return nil, wire.Errorf(400, "ValidationError", "Stack with id %s does not exist", name)
	}
	body := st.original
	if stage == "Processed" {
		body = st.processed
	}
	type member struct {
		Members []string `xml:"member"`
	}
	return struct {
		TemplateBody    string
		StagesAvailable member
	}{body, member{[]string{"Original", "Processed"}}}, nil
}
