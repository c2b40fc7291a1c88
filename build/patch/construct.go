package patch

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Constructs is the CDK's code for what the patch says, in TypeScript: two ways to
// write the construct, and an override that leaves the construct as it is. It is ""
// for a template that no CDK has made.
//
// A program that makes templates can't be patched mechanically, as the template can:
// the construct may be made in a loop, by a library, or from a file. So it is told
// which construct, and what has to come out.
func (s *Stack) Constructs() string {
	path := s.Result.Construct
	if path == "" {
		return ""
	}
	ids := strings.Split(path, "/")
	construct := ids[len(ids)-1]
	if len(ids) > 1 && construct == "Resource" { // the L1 construct inside of the one that people write
		construct = ids[len(ids)-2]
	}
	quoted := make([]string, len(ids))
	for i, id := range ids {
		quoted[i] = script(id)
	}
	b := &strings.Builder{}
	p := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	repository, digest := script(repositoryOf(s.Image)), script(digestOf(s.Image))
	p("// Function %s is the construct %s, %s in the template.", s.Function, path, s.Logical)
	p("// Choose one of the three. The repository must be in the stack's account and region.\n")
	p("import * as ecr from 'aws-cdk-lib/aws-ecr';")
	p("import * as lambda from 'aws-cdk-lib/aws-lambda';")
	p("import { Construct, IConstruct } from 'constructs';\n")
	p("// 1. The construct as an image function. As long as its id stays, so does its logical id.")
	p("export function asImageFunction(scope: Construct) {")
	p("  const images = ecr.Repository.fromRepositoryName(scope, %s, %s);", script(construct+"Images"), repository)
	p("  return new lambda.DockerImageFunction(scope, %s, {", script(construct))
	p("    code: lambda.DockerImageCode.fromEcr(images, { tagOrDigest: %s }),", digest)
	p("    // role, memorySize, timeout, environment … as before; no runtime, handler, layers or snapStart")
	p("  });\n}\n")
	p("// 2. Or as the lambda.Function that it is, where its class must stay.")
	p("export function asFunction(scope: Construct) {")
	p("  const images = ecr.Repository.fromRepositoryName(scope, %s, %s);", script(construct+"Images"), repository)
	p("  return new lambda.Function(scope, %s, {", script(construct))
	p("    code: lambda.Code.fromEcrImage(images, { tagOrDigest: %s }),", digest)
	p("    handler: lambda.Handler.FROM_IMAGE,\n    runtime: lambda.Runtime.FROM_IMAGE,")
	p("    // everything else as before; no layers or snapStart")
	p("  });\n}\n")
	p("// 3. Or change what is synthesized, exactly as the patch does: call it with the App,")
	p("// once its stacks are there.")
	p("export function override(app: Construct) {")
	p("  const path = [%s];", strings.Join(quoted, ", "))
	p("  const fn = path.reduce<IConstruct>((at, id) => at.node.findChild(id), app) as lambda.CfnFunction;")
	for _, property := range s.Result.dropped {
		p("  fn.addPropertyDeletionOverride(%s);", script(property))
	}
	p("  fn.addPropertyOverride('PackageType', 'Image');")
	p("  fn.addPropertyOverride('Code.ImageUri', %s);", script(s.Image))
	p("}")
	return b.String()
}

// script writes a text as a literal of TypeScript: JSON's are.
func script(s string) string {
	quoted, err := json.Marshal(s)
	if err == nil && !strings.Contains(s, "'") && string(quoted) == `"`+s+`"` {
		return "'" + s + "'"
	}
	return string(quoted)
}
