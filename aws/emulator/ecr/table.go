package ecr

import "github.com/aws/aws-sdk-go-v2/service/ecr/schemas"

// table is every operation the service has.
func (s *Service) table() map[string]operation {
	return map[string]operation{
		"BatchCheckLayerAvailability": handle(schemas.BatchCheckLayerAvailabilityRequest, schemas.BatchCheckLayerAvailabilityResponse, s.batchCheckLayerAvailability),
		"BatchDeleteImage":            handle(schemas.BatchDeleteImageRequest, schemas.BatchDeleteImageResponse, s.batchDeleteImage),
		"BatchGetImage":               handle(schemas.BatchGetImageRequest, schemas.BatchGetImageResponse, s.batchGetImage),
		"CreateRepository":            handle(schemas.CreateRepositoryRequest, schemas.CreateRepositoryResponse, s.createRepository),
		"DeleteLifecyclePolicy":       handle(schemas.DeleteLifecyclePolicyRequest, schemas.DeleteLifecyclePolicyResponse, s.deleteLifecyclePolicy),
		"DeleteRepository":            handle(schemas.DeleteRepositoryRequest, schemas.DeleteRepositoryResponse, s.deleteRepository),
		"DeleteRepositoryPolicy":      handle(schemas.DeleteRepositoryPolicyRequest, schemas.DeleteRepositoryPolicyResponse, s.deleteRepositoryPolicy),
		"DescribeImages":              handle(schemas.DescribeImagesRequest, schemas.DescribeImagesResponse, s.describeImages),
		"DescribeRegistry":            handle(schemas.DescribeRegistryRequest, schemas.DescribeRegistryResponse, s.describeRegistry),
		"DescribeRepositories":        handle(schemas.DescribeRepositoriesRequest, schemas.DescribeRepositoriesResponse, s.describeRepositories),
		"GetAccountSetting":           handle(schemas.GetAccountSettingRequest, schemas.GetAccountSettingResponse, s.getAccountSetting),
		"GetAuthorizationToken":       handle(schemas.GetAuthorizationTokenRequest, schemas.GetAuthorizationTokenResponse, s.getAuthorizationToken),
		"GetLifecyclePolicy":          handle(schemas.GetLifecyclePolicyRequest, schemas.GetLifecyclePolicyResponse, s.getLifecyclePolicy),
		"GetRepositoryPolicy":         handle(schemas.GetRepositoryPolicyRequest, schemas.GetRepositoryPolicyResponse, s.getRepositoryPolicy),
		"ListImages":                  handle(schemas.ListImagesRequest, schemas.ListImagesResponse, s.listImages),
		"ListTagsForResource":         handle(schemas.ListTagsForResourceRequest, schemas.ListTagsForResourceResponse, s.listTagsForResource),
		"PutAccountSetting":           handle(schemas.PutAccountSettingRequest, schemas.PutAccountSettingResponse, s.putAccountSetting),
		"PutImage":                    handle(schemas.PutImageRequest, schemas.PutImageResponse, s.putImage),
		"PutImageTagMutability":       handle(schemas.PutImageTagMutabilityRequest, schemas.PutImageTagMutabilityResponse, s.putImageTagMutability),
		"PutLifecyclePolicy":          handle(schemas.PutLifecyclePolicyRequest, schemas.PutLifecyclePolicyResponse, s.putLifecyclePolicy),
		"SetRepositoryPolicy":         handle(schemas.SetRepositoryPolicyRequest, schemas.SetRepositoryPolicyResponse, s.setRepositoryPolicy),
		"TagResource":                 handle(schemas.TagResourceRequest, schemas.TagResourceResponse, s.tagResource),
		"UntagResource":               handle(schemas.UntagResourceRequest, schemas.UntagResourceResponse, s.untagResource),
	}
}
