package overlay

import (
	"regexp"
	"slices"
	"strings"
)

// Vendor is a publisher of layers who also publishes their content as images. The
// list holds those whose own build files or documentation say so; it decides
// nothing: an image is taken only after Take has compared it with the zip.
type Vendor struct {
	Publisher string
	Source    string // where the publisher says it
	accounts  []string
	layer     *regexp.Regexp // of the name and version, "NAME:VERSION"; nil is none
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
	for _, v := range Vendors() {
		if image, ok := v.match(arn); ok && image != "" {
			return image
		}
	}
	return ""
}

// Publishers knows who publishes which layers: those of Vendors, and those who
// publish no image of them. It is safe for concurrent use.
type Publishers []Vendor

// AllPublishers returns the whole table.
func AllPublishers() Publishers { return append(Vendors(), withoutImages()...) }

// Of returns the publisher of a layer version, and the image that holds the same
// files as the publisher says, "" where there is none or the ARN does not tell
// its tag. Nil is a layer that nobody here knows.
func (p Publishers) Of(arn string) (v *Vendor, image string) {
	for i := range p {
		if image, ok := p[i].match(arn); ok {
			return &p[i], image
		}
	}
	return nil, ""
}

// match reports whether a layer version is one of the vendor's.
func (v *Vendor) match(arn string) (image string, ok bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 8 || parts[2] != "lambda" || parts[5] != "layer" || v.layer == nil || !slices.Contains(v.accounts, parts[4]) {
		return "", false
	}
	found := v.layer.FindStringSubmatchIndex(parts[6] + ":" + parts[7])
	if found == nil {
		return "", false
	}
	image = string(v.layer.ExpandString(nil, v.image, parts[6]+":"+parts[7], found))
	return strings.Replace(image, "ARM64", "-arm64", 1), true
}

// withoutImages are publishers whose layers have no image with the same files,
// or none that they name: the layer's zip is the source then.
func withoutImages() []Vendor {
	no := func(publisher, source, layer string, accounts ...string) Vendor {
		return Vendor{Publisher: publisher, Source: source, accounts: accounts, layer: regexp.MustCompile("^(?:" + layer + "):[0-9]+$")}
	}
	return []Vendor{
		no("Datadog (tracer)", "https://github.com/DataDog/datadog-lambda-extension", `Datadog-(?:Node|Python|Ruby)[0-9A-Za-z-]+|dd-trace-(?:java|dotnet)(?:-ARM)?`, "464622532012", "002406178527"),
		no("HashiCorp Vault", "https://github.com/hashicorp/vault-lambda-extension", `vault-lambda-extension(?:-arm64)?`, "634166935893"),
		no("AWS Lambda Insights", "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights.html", `LambdaInsightsExtension(?:-Arm64)?`, "580247275435"),
		no("AWS AppConfig", "https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-lambda-extensions-add.html", `AWS-AppConfig-Extension(?:-Arm64)?`,
			"027255383542", "728743619870", "359756378197"),
		no("AWS Distro for OpenTelemetry", "https://github.com/aws-observability/aws-otel-lambda", `aws-otel-[a-z0-9-]+`, "901920570463"),
		no("OpenTelemetry", "https://github.com/open-telemetry/opentelemetry-lambda", `opentelemetry-[A-Za-z0-9_-]+`, "184161586896"),
		no("Elastic APM", "https://github.com/elastic/apm-aws-lambda", `elastic-apm-[A-Za-z0-9-]+`, "267093732750"),
		no("Powertools for AWS Lambda (Python)", "https://github.com/aws-powertools/powertools-lambda-python", `AWSLambdaPowertoolsPython[A-Za-z0-9_-]+`, "017000801446"),
		no("AWS SDK for pandas", "https://github.com/aws/aws-sdk-pandas", `AWSSDKPandas-[A-Za-z0-9-]+`, "336392948345"),
		no("Honeycomb", "https://github.com/honeycombio/honeycomb-lambda-extension", `honeycomb-lambda-extension-[a-z0-9_-]+`, "702835727665"),
		no("Bref", "https://bref.sh/docs", `(?:arm-)?php-[a-z0-9-]+`, "873528684822", "534081306603", "209497400698"),
		no("New Relic", "https://github.com/newrelic/newrelic-lambda-layers", `NewRelic[A-Za-z0-9-]+`, "451483290750"),
	}
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
