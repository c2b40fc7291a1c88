package overlay

import (
	"regexp"
	"strings"
)

// Vendor is a publisher of layers who also publishes their content as images. The
// list holds those whose own build files or documentation say so; it decides
// nothing: an image is taken only after Take has compared it with the zip.
type Vendor struct {
	Publisher string
	Source    string // where the publisher says it
	accounts  []string
	layer     *regexp.Regexp // of the name and version, "NAME:VERSION"
	image     string         // what it turns into; "" where the version can't be told from the layer
	// Repository is where the images are, without a tag.
	Repository string
	Copies     []Copy
}

// Vendors returns the table.
func Vendors() []Vendor {
	return []Vendor{
		{
			Publisher: "Datadog (extension)", Source: "https://github.com/DataDog/datadog-lambda-extension",
			accounts: []string{"464622532012", "002406178527"}, layer: regexp.MustCompile(`^Datadog-Extension(?:-ARM)?:([0-9]+)$`),
			image:      "public.ecr.aws/datadog/lambda-extension:$1", // the tag is the layer's version
			Repository: "public.ecr.aws/datadog/lambda-extension", Copies: wholeOpt,
		},
		newRelic("nodejs", `NewRelicNodeJS([0-9]+)X`),
		newRelic("python", `NewRelicPython([0-9]+)`),
		newRelic("java", `NewRelicJava([0-9]+)`),
		newRelic("ruby", `NewRelicRuby([0-9]+)`),
		{
			// The extension only, at the root of the image; a layer's version does not
			// tell the image's.
			Publisher: "AWS Lambda Web Adapter", Source: "https://github.com/awslabs/aws-lambda-web-adapter",
			accounts: []string{"753240598075"}, layer: regexp.MustCompile(`^LambdaAdapterLayer(?:X86|Arm64):([0-9]+)$`),
			Repository: "public.ecr.aws/awsguru/aws-lambda-adapter",
			Copies:     []Copy{{"/lambda-adapter", "/opt/extensions/lambda-adapter"}},
		},
		elastic("x86_64"),
		elastic("arm64"),
	}
}

// newRelic's images hold an operating system beside /opt, and their tags are a
// language's version: they move on with every release.
func newRelic(language, layer string) Vendor {
	repository := "public.ecr.aws/newrelic-lambda-layers-for-docker/newrelic-lambda-layers-" + language
	return Vendor{
		Publisher: "New Relic (" + language + ")", Source: "https://github.com/newrelic/newrelic-lambda-layers",
		accounts: []string{"451483290750"}, layer: regexp.MustCompile("^" + layer + "(ARM64)?:[0-9]+$"),
		image: repository + ":$1$2", Repository: repository, Copies: wholeOpt,
	}
}

func elastic(architecture string) Vendor {
	return Vendor{
		Publisher: "Elastic APM (extension, " + architecture + ")", Source: "https://github.com/elastic/apm-aws-lambda",
		Repository: "docker.elastic.co/observability/apm-lambda-extension-" + architecture,
		Copies:     []Copy{{"/opt/elastic-apm-extension", "/opt/extensions/elastic-apm-extension"}},
	}
}

// ImageFor returns the publisher's image for a layer version's ARN, "" where none
// is known or its tag can't be told from the ARN.
func ImageFor(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) != 8 || parts[2] != "lambda" || parts[5] != "layer" {
		return ""
	}
	for _, v := range Vendors() {
		for _, account := range v.accounts {
			if account != parts[4] || v.image == "" {
				continue
			}
			if found := v.layer.FindStringSubmatchIndex(parts[6] + ":" + parts[7]); found != nil {
				image := string(v.layer.ExpandString(nil, v.image, parts[6]+":"+parts[7], found))
				return strings.Replace(image, "ARM64", "-arm64", 1)
			}
		}
	}
	return ""
}

// copiesFor is what to copy from an image of a repository: a publisher's own
// layout, or /opt.
func copiesFor(repository string) []Copy {
	for _, v := range Vendors() {
		if v.Repository == repository {
			return v.Copies
		}
	}
	return wholeOpt
}
