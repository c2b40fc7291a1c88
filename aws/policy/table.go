package policy

// Level is how far someone may go; each includes the ones before it.
type Level int

// The levels.
const (
	Audit   Level = iota + 1 // look at functions, layers, files; build images on this disk
	Plan                     // read all that is attached to a function, and how migrated ones stand
	Migrate                  // push, switch, resume and roll back
)

// ParseLevel reads a level's name.
func ParseLevel(s string) (Level, bool) {
	for l, name := range levels {
		if name == s {
			return l, true
		}
	}
	return 0, false
}

var levels = map[Level]string{Audit: "audit", Plan: "plan", Migrate: "migrate"}

func (l Level) String() string { return levels[l] }

// Resource is the kind of thing that an action is granted on.
type Resource int

// The kinds, as the service authorization reference has them
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html and
// …/list_amazonelasticcontainerregistry.html).
const (
	Anything Resource = iota // the action knows no resources
	Function
	LayerVersion
	Mapping
	Repository
	Role
	Key
	Bucket
	Object   // of the bucket
	Identity // the caller's user or role, and the functions' roles
	Stack    // of CloudFormation
)

// Feature is a setting of a function that needs more rights of whoever creates it.
type Feature string

// The features.
const (
	VPC Feature = "vpc" // subnets and security groups
	EFS Feature = "efs" // a file system
	KMS Feature = "kms" // a key of one's own
	// S3 is a bucket for zips over 50 MB, which are given back from there.
	S3 Feature = "s3"
)

// Features lists them.
func Features() []Feature { return []Feature{VPC, EFS, KMS, S3} }

// Call is one operation that the program makes.
type Call struct {
	Service   string // "lambda", "ecr", "registry" (the repository's own API), "sts", "iam", "s3", "account", "cloudformation"; "" is made by Lambda for the caller
	Operation string // as the SDK calls it
	Actions   []string
	Level     Level // the first that makes it
	Resource  Resource
	Write     bool    // refused by a session that is not armed
	Feature   Feature // needed for functions that have it, "" for all
	When      string  // the case that makes it, where not every run does
}

// Calls is the table. Most actions are called as their operation is.
func Calls() []Call {
	var t table
	t.level(Audit)
	t.lambda(Anything, "", "ListFunctions", "ListLayers")
	t.lambda(Function, "", "GetFunction", "ListTags")
	t.add(Call{Service: "lambda", Operation: "GetLayerVersionByArn", Actions: []string{"lambda:GetLayerVersion"}, Resource: LayerVersion})
	t.add(Call{Service: "lambda", Operation: "GetLayerVersion", Actions: []string{"lambda:GetLayerVersion"}, Resource: LayerVersion,
		When: "an endpoint answers GetLayerVersionByArn without a link"})
	// Whether it knows resources is told both ways: every layer is right in either case.
	t.add(Call{Service: "lambda", Operation: "ListLayerVersions", Actions: []string{"lambda:ListLayerVersions"}, When: "a what-if with a layer named without its version"})
	t.add(Call{Service: "sts", Operation: "GetCallerIdentity"}) // needs no permission
	t.add(Call{Service: "account", Operation: "ListRegions", Actions: []string{"account:ListRegions"}, When: "--region all"})

	// Lambda decrypts the environment in the caller's name.
	t.add(Call{Operation: "Decrypt", Actions: []string{"kms:Decrypt"}, Resource: Key, Feature: KMS})

	t.level(Plan)
	t.lambda(Anything, "", "ListEventSourceMappings")
	t.lambda(Mapping, "", "GetEventSourceMapping")
	t.lambda(Function, "", "GetFunctionConfiguration", "ListVersionsByFunction", "ListAliases", "GetPolicy", "GetResourcePolicy",
		"ListFunctionUrlConfigs", "ListFunctionEventInvokeConfigs", "ListProvisionedConcurrencyConfigs", "GetFunctionConcurrency",
		"GetFunctionCodeSigningConfig", "GetRuntimeManagementConfig", "GetFunctionRecursionConfig")
	t.lambda(Function, "a function on managed instances", "GetFunctionScalingConfig")
	t.lambda(Function, "a durable function", "ListDurableExecutionsByFunction")
	t.lambda(Anything, "", "GetAccountSettings")
	// What would stop a run is looked for beforehand, where that is allowed.
	t.named("ecr", Repository, false, "", []string{"DescribeRepositories", "GetLifecyclePolicy"})
	t.named("iam", Identity, false, "", []string{"GetRole", "SimulatePrincipalPolicy"})
	t.named("cloudformation", Stack, false, "a stack's function, without --template", []string{"GetTemplate"})
	const big = "a zip over 50 MB with --bucket"
	t.add(Call{Service: "s3", Operation: "HeadBucket", Actions: []string{"s3:ListBucket"}, Resource: Bucket, Feature: S3, When: big})

	// How migrated functions stand: their images and those these were built on.
	t.ecr(Repository, false, "DescribeImages")
	t.ecr(Anything, false, "GetAuthorizationToken")
	t.registry("Ping", false)
	t.registry("GetManifest", false, "ecr:BatchGetImage")
	t.registry("GetBlob", false, "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer")

	t.level(Migrate)
	t.lambda(Function, "", "GetAlias", "GetFunctionUrlConfig", "GetFunctionEventInvokeConfig", "GetProvisionedConcurrencyConfig")
	t.writes(Function, "", "CreateFunction", "DeleteFunction", "PublishVersion", "CreateAlias",
		"CreateFunctionUrlConfig", "PutFunctionConcurrency", "PutProvisionedConcurrencyConfig", "PutFunctionEventInvokeConfig",
		"PutFunctionRecursionConfig")
	t.writes(Function, "a refresh, or versions that differ from one another", "UpdateFunctionCode", "UpdateFunctionConfiguration")
	t.writes(Function, "policies that only a whole document can carry, or not at all", "PutResourcePolicy", "AddPermission")
	t.writes(Function, "what a run finds half done", "UpdateAlias", "UpdateFunctionUrlConfig", "DeleteFunctionConcurrency", "TagResource")
	t.add(Call{Service: "lambda", Operation: "Invoke", Actions: []string{"lambda:InvokeFunction"}, Resource: Function, Write: true, When: "a rehearsal with events"})
	t.writes(Mapping, "", "UpdateEventSourceMapping")
	t.add(Call{Operation: "PassRole", Actions: []string{"iam:PassRole"}, Resource: Role})
	t.ecr(Repository, false, "GetRepositoryPolicy")
	// Lambda fetches the zip in the caller's name.
	t.add(Call{Service: "s3", Operation: "HeadObject", Actions: []string{"s3:GetObject"}, Resource: Object, Feature: S3, When: big})
	t.add(Call{Service: "s3", Operation: "GetObject", Actions: []string{"s3:GetObject"}, Resource: Object, Feature: S3, When: "an endpoint that keeps no checksums"})
	t.add(Call{Service: "s3", Operation: "PutObject", Actions: []string{"s3:PutObject"}, Resource: Object, Write: true, Feature: S3, When: big})
	t.ecr(Repository, true, "CreateRepository", "SetRepositoryPolicy")
	t.registry("StartUpload", true, "ecr:InitiateLayerUpload")
	t.registry("PatchUpload", true, "ecr:UploadLayerPart")
	t.registry("PutUpload", true, "ecr:CompleteLayerUpload")
	t.registry("PutManifest", true, "ecr:PutImage")
	// What Lambda asks in the caller's name when it creates a function
	// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions,
	// …/configuration-filesystem.html, …/security-encryption-at-rest.html).
	for _, f := range []struct {
		feature  Feature
		resource Resource
		actions  []string
	}{
		{VPC, Anything, []string{"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"}},
		{EFS, Anything, []string{"elasticfilesystem:DescribeMountTargets"}},
		{KMS, Key, []string{"kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}},
	} {
		t.add(Call{Operation: string(f.feature), Actions: f.actions, Resource: f.resource, Feature: f.feature})
	}
	return t.calls
}

type table struct {
	calls []Call
	at    Level
}

func (t *table) level(l Level) { t.at = l }

func (t *table) add(c Call) {
	c.Level = t.at
	t.calls = append(t.calls, c)
}

func (t *table) named(service string, r Resource, write bool, when string, operations []string) {
	for _, op := range operations {
		t.add(Call{Service: service, Operation: op, Actions: []string{service + ":" + op}, Resource: r, Write: write, When: when})
	}
}

func (t *table) lambda(r Resource, when string, operations ...string) {
	t.named("lambda", r, false, when, operations)
}
func (t *table) writes(r Resource, when string, operations ...string) {
	t.named("lambda", r, true, when, operations)
}
func (t *table) ecr(r Resource, write bool, operations ...string) {
	t.named("ecr", r, write, "", operations)
}

// registry is for the registry's own API
// (https://github.com/opencontainers/distribution-spec), which ECR guards with
// actions of its own names
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html).
func (t *table) registry(operation string, write bool, actions ...string) {
	t.add(Call{Service: "registry", Operation: operation, Actions: actions, Resource: Repository, Write: write})
}
