package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/smithy-go/middleware"
)

// ErrReadOnly is what a guarded client answers to any call that is not a read
// while the session is not armed. The call never leaves the program.
var ErrReadOnly = errors.New("session is read-only")

// The operations that change nothing, by service. What is not listed is a
// write: an operation that AWS adds tomorrow is refused until someone has read
// what it does. Invoking runs the function, so it is a write.
var (
	readsLambda = set(
		"GetAccountSettings", "GetAlias", "GetCapacityProvider", "GetCodeSigningConfig",
		"GetDurableExecution", "GetDurableExecutionHistory",
		"GetEventSourceMapping", "GetFunction", "GetFunctionCodeSigningConfig", "GetFunctionConcurrency",
		"GetFunctionConfiguration", "GetFunctionEventInvokeConfig", "GetFunctionRecursionConfig",
		"GetFunctionScalingConfig", "GetFunctionUrlConfig", "GetLayerVersion", "GetLayerVersionByArn",
		"GetLayerVersionPolicy", "GetPolicy", "GetProvisionedConcurrencyConfig", "GetResourcePolicy",
		"GetRuntimeManagementConfig",
		"ListAliases", "ListCapacityProviders", "ListCodeSigningConfigs", "ListDurableExecutionsByFunction",
		"ListEventSourceMappings", "ListFunctionEventInvokeConfigs", "ListFunctionUrlConfigs",
		"ListFunctionVersionsByCapacityProvider", "ListFunctions", "ListFunctionsByCodeSigningConfig",
		"ListLayerVersions", "ListLayers", "ListProvisionedConcurrencyConfigs", "ListTags", "ListVersionsByFunction",
	)
	// GetAuthorizationToken is needed to pull; what a push sends does not go
	// through this client, and aws/registry asks Armed itself.
	readsECR = set(
		"BatchCheckLayerAvailability", "BatchGetImage", "DescribeImages", "DescribeRepositories",
		"GetAuthorizationToken", "GetDownloadUrlForLayer", "GetLifecyclePolicy", "GetRepositoryPolicy",
		"ListImages", "ListTagsForResource",
	)
	readsSTS     = set("GetCallerIdentity")
	readsIAM     = set("GetRole", "SimulatePrincipalPolicy")
	readsS3      = set("GetObject", "HeadBucket", "HeadObject")
	readsAccount = set("ListRegions")
	readsCFN     = set("GetTemplate")
)

// IsRead reports whether the guard takes an operation of "lambda", "ecr", "sts",
// "iam", "s3", "account" or "cloudformation" for a read, and so lets it through in every session.
func IsRead(service, op string) bool {
	return map[string]map[string]bool{"lambda": readsLambda, "ecr": readsECR, "sts": readsSTS, "iam": readsIAM, "s3": readsS3, "account": readsAccount, "cloudformation": readsCFN}[service][op]
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// guard refuses what is not a read before the request is even built.
func (s *Session) guard(service, op string, reads map[string]bool) middleware.InitializeMiddleware {
	return middleware.InitializeMiddlewareFunc("optlift.guard",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if !reads[op] && !s.Armed() {
				return middleware.InitializeOutput{}, middleware.Metadata{}, fmt.Errorf("%s %s was not sent: %w", service, op, ErrReadOnly)
			}
			return next.HandleInitialize(ctx, in)
		})
}
