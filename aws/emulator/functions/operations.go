package functions

import (
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/smithy-go"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// Absent are the operations that AWS has and this Lambda has not, so that it can
// refuse them by name: capacity providers, single durable executions and
// streamed answers.
func Absent() []*smithy.Schema {
	return []*smithy.Schema{
		schemas.CheckpointDurableExecution, schemas.GetDurableExecutionHistory, schemas.GetDurableExecutionState, schemas.StopDurableExecution,
		schemas.SendDurableExecutionCallbackFailure, schemas.SendDurableExecutionCallbackHeartbeat, schemas.SendDurableExecutionCallbackSuccess,
		schemas.CreateCapacityProvider, schemas.DeleteCapacityProvider, schemas.GetCapacityProvider, schemas.ListCapacityProviders,
		schemas.UpdateCapacityProvider, schemas.ListFunctionVersionsByCapacityProvider,
		schemas.InvokeAsync, schemas.InvokeWithResponseStream,
	}
}

// Operations are what this Lambda can do. Paths, query parameters, headers and
// status codes come from the SDK's schemas.
func (s *Store) Operations() []wire.Operation {
	return []wire.Operation{
		wire.Op(schemas.CreateFunction, schemas.CreateFunctionRequest, schemas.FunctionConfiguration, s.createFunction),
		wire.Op(schemas.GetFunction, schemas.GetFunctionRequest, schemas.GetFunctionResponse, s.getFunction),
		wire.Op(schemas.GetFunctionConfiguration, schemas.GetFunctionConfigurationRequest, schemas.FunctionConfiguration, s.getFunctionConfiguration),
		wire.Op(schemas.ListFunctions, schemas.ListFunctionsRequest, schemas.ListFunctionsResponse, s.listFunctions),
		wire.Op(schemas.UpdateFunctionCode, schemas.UpdateFunctionCodeRequest, schemas.FunctionConfiguration, s.updateFunctionCode),
		wire.Op(schemas.UpdateFunctionConfiguration, schemas.UpdateFunctionConfigurationRequest, schemas.FunctionConfiguration, s.updateFunctionConfiguration),
		wire.Op(schemas.DeleteFunction, schemas.DeleteFunctionRequest, schemas.DeleteFunctionResponse, s.deleteFunction),
		wire.Op(schemas.PublishVersion, schemas.PublishVersionRequest, schemas.FunctionConfiguration, s.publishVersion),
		wire.Op(schemas.ListVersionsByFunction, schemas.ListVersionsByFunctionRequest, schemas.ListVersionsByFunctionResponse, s.listVersions),

		wire.Op(schemas.CreateAlias, schemas.CreateAliasRequest, schemas.AliasConfiguration, s.createAlias),
		wire.Op(schemas.GetAlias, schemas.GetAliasRequest, schemas.AliasConfiguration, s.getAlias),
		wire.Op(schemas.ListAliases, schemas.ListAliasesRequest, schemas.ListAliasesResponse, s.listAliases),
		wire.Op(schemas.UpdateAlias, schemas.UpdateAliasRequest, schemas.AliasConfiguration, s.updateAlias),
		wire.Op(schemas.DeleteAlias, schemas.DeleteAliasRequest, nil, s.deleteAlias),

		wire.Op(schemas.AddPermission, schemas.AddPermissionRequest, schemas.AddPermissionResponse, s.addPermission),
		wire.Op(schemas.GetPolicy, schemas.GetPolicyRequest, schemas.GetPolicyResponse, s.getPolicy),
		wire.Op(schemas.RemovePermission, schemas.RemovePermissionRequest, nil, s.removePermission),
		wire.Op(schemas.GetResourcePolicy, schemas.GetResourcePolicyRequest, schemas.GetResourcePolicyResponse, s.getResourcePolicy),
		wire.Op(schemas.PutResourcePolicy, schemas.PutResourcePolicyRequest, schemas.PutResourcePolicyResponse, s.putResourcePolicy),
		wire.Op(schemas.DeleteResourcePolicy, schemas.DeleteResourcePolicyRequest, nil, s.deleteResourcePolicy),

		wire.Op(schemas.CreateEventSourceMapping, schemas.CreateEventSourceMappingRequest, schemas.EventSourceMappingConfiguration, s.createMapping),
		wire.Op(schemas.GetEventSourceMapping, schemas.GetEventSourceMappingRequest, schemas.EventSourceMappingConfiguration, s.getMapping),
		wire.Op(schemas.ListEventSourceMappings, schemas.ListEventSourceMappingsRequest, schemas.ListEventSourceMappingsResponse, s.listMappings),
		wire.Op(schemas.UpdateEventSourceMapping, schemas.UpdateEventSourceMappingRequest, schemas.EventSourceMappingConfiguration, s.updateMapping),
		wire.Op(schemas.DeleteEventSourceMapping, schemas.DeleteEventSourceMappingRequest, schemas.EventSourceMappingConfiguration, s.deleteMapping),

		wire.Op(schemas.CreateFunctionUrlConfig, schemas.CreateFunctionUrlConfigRequest, schemas.CreateFunctionUrlConfigResponse, s.createURL),
		wire.Op(schemas.GetFunctionUrlConfig, schemas.GetFunctionUrlConfigRequest, schemas.GetFunctionUrlConfigResponse, s.getURL),
		wire.Op(schemas.ListFunctionUrlConfigs, schemas.ListFunctionUrlConfigsRequest, schemas.ListFunctionUrlConfigsResponse, s.listURLs),
		wire.Op(schemas.UpdateFunctionUrlConfig, schemas.UpdateFunctionUrlConfigRequest, schemas.UpdateFunctionUrlConfigResponse, s.updateURL),
		wire.Op(schemas.DeleteFunctionUrlConfig, schemas.DeleteFunctionUrlConfigRequest, nil, s.deleteURL),

		wire.Op(schemas.PutFunctionConcurrency, schemas.PutFunctionConcurrencyRequest, schemas.Concurrency, s.putFunctionConcurrency),
		wire.Op(schemas.GetFunctionConcurrency, schemas.GetFunctionConcurrencyRequest, schemas.GetFunctionConcurrencyResponse, s.getFunctionConcurrency),
		wire.Op(schemas.DeleteFunctionConcurrency, schemas.DeleteFunctionConcurrencyRequest, nil, s.deleteFunctionConcurrency),
		wire.Op(schemas.PutProvisionedConcurrencyConfig, schemas.PutProvisionedConcurrencyConfigRequest, schemas.PutProvisionedConcurrencyConfigResponse, s.putProvisioned),
		wire.Op(schemas.GetProvisionedConcurrencyConfig, schemas.GetProvisionedConcurrencyConfigRequest, schemas.GetProvisionedConcurrencyConfigResponse, s.getProvisioned),
		wire.Op(schemas.ListProvisionedConcurrencyConfigs, schemas.ListProvisionedConcurrencyConfigsRequest, schemas.ListProvisionedConcurrencyConfigsResponse, s.listProvisioned),
		wire.Op(schemas.DeleteProvisionedConcurrencyConfig, schemas.DeleteProvisionedConcurrencyConfigRequest, nil, s.deleteProvisioned),

		wire.Op(schemas.PutFunctionEventInvokeConfig, schemas.PutFunctionEventInvokeConfigRequest, schemas.FunctionEventInvokeConfig, s.putEventInvokeConfig),
		wire.Op(schemas.UpdateFunctionEventInvokeConfig, schemas.UpdateFunctionEventInvokeConfigRequest, schemas.FunctionEventInvokeConfig, s.updateEventInvokeConfig),
		wire.Op(schemas.GetFunctionEventInvokeConfig, schemas.GetFunctionEventInvokeConfigRequest, schemas.FunctionEventInvokeConfig, s.getEventInvokeConfig),
		wire.Op(schemas.ListFunctionEventInvokeConfigs, schemas.ListFunctionEventInvokeConfigsRequest, schemas.ListFunctionEventInvokeConfigsResponse, s.listEventInvokeConfigs),
		wire.Op(schemas.DeleteFunctionEventInvokeConfig, schemas.DeleteFunctionEventInvokeConfigRequest, nil, s.deleteEventInvokeConfig),

		wire.Op(schemas.CreateCodeSigningConfig, schemas.CreateCodeSigningConfigRequest, schemas.CreateCodeSigningConfigResponse, s.createSigning),
		wire.Op(schemas.GetCodeSigningConfig, schemas.GetCodeSigningConfigRequest, schemas.GetCodeSigningConfigResponse, s.getSigning),
		wire.Op(schemas.ListCodeSigningConfigs, schemas.ListCodeSigningConfigsRequest, schemas.ListCodeSigningConfigsResponse, s.listSigning),
		wire.Op(schemas.UpdateCodeSigningConfig, schemas.UpdateCodeSigningConfigRequest, schemas.UpdateCodeSigningConfigResponse, s.updateSigning),
		wire.Op(schemas.ListFunctionsByCodeSigningConfig, schemas.ListFunctionsByCodeSigningConfigRequest, schemas.ListFunctionsByCodeSigningConfigResponse, s.listSigned),
		wire.Op(schemas.DeleteCodeSigningConfig, schemas.DeleteCodeSigningConfigRequest, schemas.DeleteCodeSigningConfigResponse, s.deleteSigning),
		wire.Op(schemas.PutFunctionCodeSigningConfig, schemas.PutFunctionCodeSigningConfigRequest, schemas.PutFunctionCodeSigningConfigResponse, s.putFunctionSigning),
		wire.Op(schemas.GetFunctionCodeSigningConfig, schemas.GetFunctionCodeSigningConfigRequest, schemas.GetFunctionCodeSigningConfigResponse, s.getFunctionSigning),
		wire.Op(schemas.DeleteFunctionCodeSigningConfig, schemas.DeleteFunctionCodeSigningConfigRequest, nil, s.deleteFunctionSigning),

		wire.Op(schemas.GetRuntimeManagementConfig, schemas.GetRuntimeManagementConfigRequest, schemas.GetRuntimeManagementConfigResponse, s.getRuntimeManagement),
		wire.Op(schemas.PutRuntimeManagementConfig, schemas.PutRuntimeManagementConfigRequest, schemas.PutRuntimeManagementConfigResponse, s.putRuntimeManagement),
		wire.Op(schemas.GetFunctionRecursionConfig, schemas.GetFunctionRecursionConfigRequest, schemas.GetFunctionRecursionConfigResponse, s.getRecursion),
		wire.Op(schemas.PutFunctionRecursionConfig, schemas.PutFunctionRecursionConfigRequest, schemas.PutFunctionRecursionConfigResponse, s.putRecursion),
		wire.Op(schemas.GetFunctionScalingConfig, schemas.GetFunctionScalingConfigRequest, schemas.GetFunctionScalingConfigResponse, s.getScaling),
		wire.Op(schemas.PutFunctionScalingConfig, schemas.PutFunctionScalingConfigRequest, schemas.PutFunctionScalingConfigResponse, s.putScaling),
		wire.Op(schemas.GetDurableExecution, schemas.GetDurableExecutionRequest, schemas.GetDurableExecutionResponse, s.getDurable),
		wire.Op(schemas.ListDurableExecutionsByFunction, schemas.ListDurableExecutionsByFunctionRequest, schemas.ListDurableExecutionsByFunctionResponse, s.listDurable),
		wire.Op(schemas.GetAccountSettings, schemas.GetAccountSettingsRequest, schemas.GetAccountSettingsResponse, s.accountSettings),

		wire.Op(schemas.PublishLayerVersion, schemas.PublishLayerVersionRequest, schemas.PublishLayerVersionResponse, s.publishLayerVersion),
		wire.Op(schemas.GetLayerVersion, schemas.GetLayerVersionRequest, schemas.GetLayerVersionResponse, s.getLayerVersion),
		wire.Op(schemas.GetLayerVersionByArn, schemas.GetLayerVersionByArnRequest, schemas.GetLayerVersionResponse, s.getLayerVersionByArn),
		wire.Op(schemas.ListLayers, schemas.ListLayersRequest, schemas.ListLayersResponse, s.listLayers),
		wire.Op(schemas.ListLayerVersions, schemas.ListLayerVersionsRequest, schemas.ListLayerVersionsResponse, s.listLayerVersions),
		wire.Op(schemas.DeleteLayerVersion, schemas.DeleteLayerVersionRequest, nil, s.deleteLayerVersion),
		wire.Op(schemas.AddLayerVersionPermission, schemas.AddLayerVersionPermissionRequest, schemas.AddLayerVersionPermissionResponse, s.addLayerVersionPermission),
		wire.Op(schemas.GetLayerVersionPolicy, schemas.GetLayerVersionPolicyRequest, schemas.GetLayerVersionPolicyResponse, s.getLayerVersionPolicy),
		wire.Op(schemas.RemoveLayerVersionPermission, schemas.RemoveLayerVersionPermissionRequest, nil, s.removeLayerVersionPermission),

		wire.Op(schemas.TagResource, schemas.TagResourceRequest, nil, s.tagResource),
		wire.Op(schemas.UntagResource, schemas.UntagResourceRequest, nil, s.untagResource),
		wire.Op(schemas.ListTags, schemas.ListTagsRequest, schemas.ListTagsResponse, s.listTags),

		wire.Op(schemas.Invoke, schemas.InvocationRequest, schemas.InvocationResponse, s.invoke),
	}
}
