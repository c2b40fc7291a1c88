package ecr

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// The largest policies, in characters
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html
// and API_PutLifecyclePolicy.html).
const (
	maxPolicy    = 10240
	maxLifecycle = 30720
)

func policyNotFound(repo *repository) *wire.Error {
	return wire.Errorf(400, "RepositoryPolicyNotFoundException",
		"Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", repo.Name, repo.Home.Account)
}

func lifecycleNotFound(repo *repository) *wire.Error {
	return wire.Errorf(400, "LifecyclePolicyNotFoundException",
		"Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", repo.Name, repo.Home.Account)
}

func (s *Service) getRepositoryPolicy(call wire.Call, in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	repo, _, err := s.find(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if repo.Policy == "" {
		return nil, policyNotFound(repo)
	}
	return &ecr.GetRepositoryPolicyOutput{PolicyText: aws.String(repo.Policy), RegistryId: aws.String(repo.Home.Account), RepositoryName: aws.String(repo.Name)}, nil
}

func (s *Service) setRepositoryPolicy(call wire.Call, in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	text := aws.ToString(in.PolicyText)
	var policy struct {
		Statement []map[string]any
	}
	if len(text) > maxPolicy || json.Unmarshal([]byte(text), &policy) != nil || len(policy.Statement) == 0 {
		return nil, invalid("PolicyText", "Invalid repository policy provided")
	}
	for _, statement := range policy.Statement {
		if statement["Principal"] == nil || statement["Action"] == nil || statement["Effect"] == nil || statement["Resource"] != nil {
			return nil, invalid("PolicyText", "Invalid repository policy provided")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, _, err := s.find(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	repo.Policy = text
	return &ecr.SetRepositoryPolicyOutput{PolicyText: aws.String(text), RegistryId: aws.String(repo.Home.Account), RepositoryName: aws.String(repo.Name)}, nil
}

func (s *Service) deleteRepositoryPolicy(call wire.Call, in *ecr.DeleteRepositoryPolicyInput) (*ecr.DeleteRepositoryPolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, _, err := s.find(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if repo.Policy == "" {
		return nil, policyNotFound(repo)
	}
	text := repo.Policy
	repo.Policy = ""
	return &ecr.DeleteRepositoryPolicyOutput{PolicyText: aws.String(text), RegistryId: aws.String(repo.Home.Account), RepositoryName: aws.String(repo.Name)}, nil
}

func (s *Service) getLifecyclePolicy(call wire.Call, in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	repo, _, err := s.find(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if repo.Lifecycle == "" {
		return nil, lifecycleNotFound(repo)
	}
	return &ecr.GetLifecyclePolicyOutput{LifecyclePolicyText: aws.String(repo.Lifecycle), RegistryId: aws.String(repo.Home.Account), RepositoryName: aws.String(repo.Name)}, nil
}

func (s *Service) putLifecyclePolicy(call wire.Call, in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	text := aws.ToString(in.LifecyclePolicyText)
	var policy struct {
		Rules []map[string]any `json:"rules"`
	}
	if len(text) > maxLifecycle || json.Unmarshal([]byte(text), &policy) != nil || len(policy.Rules) == 0 {
		return nil, invalid("LifecyclePolicyText", "Lifecycle policy validation failure: a policy needs rules")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, _, err := s.find(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	repo.Lifecycle = text
	return &ecr.PutLifecyclePolicyOutput{LifecyclePolicyText: aws.String(text), RegistryId: aws.String(repo.Home.Account), RepositoryName: aws.String(repo.Name)}, nil
}

func (s *Service) deleteLifecyclePolicy(call wire.Call, in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, _, err := s.find(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if repo.Lifecycle == "" {
		return nil, lifecycleNotFound(repo)
	}
	text := repo.Lifecycle
	repo.Lifecycle = ""
	return &ecr.DeleteLifecyclePolicyOutput{LifecyclePolicyText: aws.String(text), RegistryId: aws.String(repo.Home.Account), RepositoryName: aws.String(repo.Name)}, nil
}
