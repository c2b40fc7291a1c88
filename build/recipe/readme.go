package recipe

import (
	"fmt"
	"strings"
)

// readme explains every file and gives every call. Settings of the function that
// are secrets are fetched by the user, when they are needed.
func (r *Request) readme() []byte {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	what := "a function"
	if r.Function != "" {
		what = "the function `" + comment(r.Function) + "`"
	}
	p("# The container image of %s\n", what)
	p("This folder makes an image with the same files as the zip and the layers: the layers under `/opt`, in their order,\nlater ones over earlier ones, and the code under `/var/task`. Nothing in it is secret: commit it.\n")
	p("| file | what it does |\n|---|---|")
	p("| `fetch.sh` | gets each zip%s, checks its SHA-256, unpacks it into `%s/` and sets modes as Lambda needs them |", r.fetched(), unpackedDir)
	p("| `Dockerfile` | one stage for each layer, then the image; base and layer images are pinned by digest |")
	p("| `.dockerignore` | lets nothing but `%s/` into the build |", unpackedDir)
	p("| `repository-policy.json` | lets Lambda pull from the repository |\n")
	for i, l := range r.Layers {
		from := "its zip"
		if l.From != nil {
			from = "the image `" + comment(l.From.Reference) + "`, which holds the same files"
		}
		p("- layer %d: `%s`, from %s", i+1, comment(l.Source.Name), from)
	}
	p("- code: `%s`\n", comment(r.Code.Source.Name))

	p("## 1. Get the archives\n\n```sh\n./fetch.sh\n```\n")
	if r.Function != "" {
		p("It needs the AWS CLI, curl and unzip, and your own credentials with `lambda:GetFunction` and `lambda:GetLayerVersion`.\nNo link and no credential is written down. It works as long as the function is of package type Zip; keep `%s/`, or put\nyour own sources in place of `%s/code`, before you let go of it.\n", zipsDir, unpackedDir)
	} else {
		p("It needs unzip.\n")
	}
	platform := r.Base.Platform.String()
	p("## 2. Build\n\n```sh\ndocker build --platform %s --provenance=false --sbom=false -t %s .\n```\n", platform, r.localTag())
	p("Lambda takes no image index, and attestations make one: hence the two flags. With podman or buildah:\n\n```sh\npodman build --platform %s --layers -t %s .\n```\n", platform, r.localTag())
	p("The build needs no credentials. If yours comes to need one, for a private package index say, mount it for one command\n(`RUN --mount=type=secret,id=token …` and `docker build --secret id=token,src=FILE`); build arguments and `ENV` stay in the\nimage's history, for everybody who can pull it.\n")

	p("## 3. Publish\n\n```sh")
	p("region=%s\nrepository=%s", quote(orText(r.Region, "REGION")), quote(r.Repository))
	p(`aws ecr create-repository --region "$region" --repository-name "$repository"
aws ecr set-repository-policy --region "$region" --repository-name "$repository" --policy-text file://repository-policy.json
uri=$(aws ecr describe-repositories --region "$region" --repository-names "$repository" \
  --query 'repositories[0].repositoryUri' --output text)
aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "${uri%%%%/*}"
docker tag %s "$uri:latest"
docker push "$uri:latest"
digest=$(aws ecr describe-images --region "$region" --repository-name "$repository" --image-ids imageTag=latest \
  --query 'imageDetails[0].imageDigest' --output text)
image=$uri@$digest`, r.localTag())
	p("```\n")
	p("Check it before a function depends on it:\n\n```sh\noptlift lint \"$image\"\noptlift prove \"$image\" %s\n```\n", r.proveWith())

	p("## 4. Create the function\n")
	p("AWS does not let a function's package type change. This creates a second function beside the first; `optlift migrate`\nreplaces it under its own name, with everything attached to it and a way back.\n")
	if len(r.EnvNames) > 0 {
		p("The environment (%s) is not part of the image. Fetch it into a file of your own, and delete the file afterwards:\n", names(r.EnvNames))
		p("```sh\n(umask 077 && aws lambda get-function-configuration --region %s --function-name %s \\\n  --query '{Variables: Environment.Variables}' >%s)\n```\n", quote(r.Region), quote(orText(r.Function, "FUNCTION")), envFile)
	}
	p("```sh\n%s\n```\n", strings.TrimSpace(r.create()))
	p("## What the image does not bring\n")
	p("- The base image is frozen where it is pinned. AWS patches the runtime of a zip by itself; an image is built again, on a\n  newer digest of `%s`.", comment(r.Base.Reference))
	if r.Wrapper != "" && !plainPath.MatchString(r.Wrapper) {
		p("- The wrapper script stays in the function's environment (`AWS_LAMBDA_EXEC_WRAPPER`).")
	} else if r.Wrapper != "" {
		p("- The wrapper script `%s` is set in the image as well as in the function's environment, which wins.", r.Wrapper)
	}
	for _, v := range r.EnvNames {
		if internal[v] {
			p("- `%s` starts an internal extension: it has to be in the new function's environment, too.", v)
		}
	}
	p("- Code signing does not exist for images. SnapStart does, but is left out here: some bases need a label for it.")
	return []byte(b.String())
}

// internal are the variables that load an extension into the runtime's own
// process (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html).
var internal = map[string]bool{"JAVA_TOOL_OPTIONS": true, "NODE_OPTIONS": true, "DOTNET_STARTUP_HOOKS": true}

func (r *Request) fetched() string {
	if r.Function == "" {
		return ""
	}
	return " from Lambda with your own credentials"
}

func (r *Request) localTag() string { return quote(r.Repository + ":latest") }

func (r *Request) proveWith() string {
	if r.Function != "" {
		return quote(r.Function)
	}
	s := "--code " + r.zip(len(r.Layers))
	for i := range r.Layers {
		s += " --layer " + r.zip(i)
	}
	return s
}

func (r *Request) create() string {
	if r.Create != "" {
		return r.Create
	}
	env := ""
	if len(r.EnvNames) > 0 {
		env = " \\\n  --environment file://" + envFile
	}
	return fmt.Sprintf("aws lambda create-function --region \"$region\" --function-name %s --package-type Image \\\n  --code ImageUri=\"$image\" --architectures %s --role ROLE-ARN%s",
		quote(orText(r.Function, "FUNCTION")+"-image"), r.Architecture, env)
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// names lists variables for people, without their values.
func names(list []string) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = "`" + comment(n) + "`"
	}
	return strings.Join(out, ", ")
}
