package ecr

import (
	"encoding/base64"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// nameForm is the form of a repository's name, 2 to 256 characters
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
const nameForm = `(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`

var nameRegexp = regexp.MustCompile("^" + nameForm + "$")

// maxPage and defaultPage are ECR's page sizes.
const (
	maxPage     = 1000
	defaultPage = 100
)

func (s *Service) describe(repo *repository, path string) *types.Repository {
	encryption := repo.Encryption
	return &types.Repository{
		CreatedAt: aws.Time(repo.Created), EncryptionConfiguration: &encryption,
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: repo.ScanOnPush},
		ImageTagMutability:         repo.Mutability, ImageTagMutabilityExclusionFilters: repo.Exclusions,
		RegistryId: aws.String(repo.Home.Account), RepositoryArn: aws.String(repo.ARN),
		RepositoryName: aws.String(repo.Name), RepositoryUri: aws.String(s.uri(path)),
	}
}

func (s *Service) createRepository(call wire.Call, in *ecr.CreateRepositoryInput) (*ecr.CreateRepositoryOutput, error) {
	name := aws.ToString(in.RepositoryName)
	if len(name) < 2 || len(name) > 256 || !nameRegexp.MatchString(name) {
		return nil, invalid("repositoryName", "must satisfy regular expression '%s'", nameForm)
	}
	mutability, err := checkMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if err := checkTags(call, tags); err != nil {
		return nil, err
	}
	h := home{call.Account, call.Region}
	path := s.path(h, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.repos[path] != nil {
		return nil, wire.Errorf(400, "RepositoryAlreadyExistsException",
			"The repository with name '%s' already exists in the registry with id '%s'", name, call.Account)
	}
	if !s.oci.Create(path) {
		return nil, invalid("repositoryName", "%s is the name of a public base image in the embedded account", name)
	}
	repo := &repository{
		Home: h, Name: name, Created: call.Now.UTC(),
		ARN:        "arn:" + call.Partition() + ":ecr:" + call.Region + ":" + call.Account + ":repository/" + name,
		Mutability: mutability, Exclusions: in.ImageTagMutabilityExclusionFilters,
		ScanOnPush: in.ImageScanningConfiguration != nil && in.ImageScanningConfiguration.ScanOnPush,
		Encryption: types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeAes256}, Tags: tags,
	}
	if in.EncryptionConfiguration != nil {
		repo.Encryption = *in.EncryptionConfiguration
	}
	s.repos[path] = repo
	s.oci.Protect(path, protection(repo.Mutability, repo.Exclusions))
	return &ecr.CreateRepositoryOutput{Repository: s.describe(repo, path)}, nil
}

func checkMutability(m types.ImageTagMutability, filters []types.ImageTagMutabilityExclusionFilter) (types.ImageTagMutability, error) {
	if m == "" {
		m = types.ImageTagMutabilityMutable
	}
	if !slices.Contains(m.Values(), m) {
		return m, invalid("imageTagMutability", "Member must satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]")
	}
	exclusion := m == types.ImageTagMutabilityImmutableWithExclusion || m == types.ImageTagMutabilityMutableWithExclusion
	if exclusion != (len(filters) > 0) || len(filters) > 5 {
		return m, invalid("imageTagMutabilityExclusionFilters", "1 to 5 filters are required with an exclusion and not allowed without one")
	}
	return m, nil
}

// protection tells which tags may not be moved.
func protection(m types.ImageTagMutability, filters []types.ImageTagMutabilityExclusionFilter) func(string) bool {
	excluded := func(tag string) bool {
		return slices.ContainsFunc(filters, func(f types.ImageTagMutabilityExclusionFilter) bool {
			return wildcard(aws.ToString(f.Filter), tag)
		})
	}
	switch m {
	case types.ImageTagMutabilityImmutable:
		return func(string) bool { return true }
	case types.ImageTagMutabilityImmutableWithExclusion:
		return func(tag string) bool { return !excluded(tag) }
	case types.ImageTagMutabilityMutableWithExclusion:
		return excluded
	}
	return nil
}

// wildcard matches a pattern in which * stands for any characters.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		at := strings.Index(text, p)
		if at < 0 {
			return false
		}
		text = text[at+len(p):]
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}

func (s *Service) putImageTagMutability(call wire.Call, in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	mutability, err := checkMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, path, err := s.find(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	repo.Mutability, repo.Exclusions = mutability, in.ImageTagMutabilityExclusionFilters
	s.oci.Protect(path, protection(repo.Mutability, repo.Exclusions))
	return &ecr.PutImageTagMutabilityOutput{
		ImageTagMutability: mutability, ImageTagMutabilityExclusionFilters: repo.Exclusions,
		RegistryId: aws.String(repo.Home.Account), RepositoryName: in.RepositoryName,
	}, nil
}

func (s *Service) deleteRepository(call wire.Call, in *ecr.DeleteRepositoryInput) (*ecr.DeleteRepositoryOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, path, err := s.find(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	images, err := s.oci.Manifests(path)
	if err != nil {
		return nil, err
	}
	if len(images) > 0 && !in.Force {
		return nil, wire.Errorf(400, "RepositoryNotEmptyException",
			"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", repo.Name, repo.Home.Account)
	}
	delete(s.repos, path)
	s.oci.Delete(path)
	described := s.describe(repo, path)
	described.EncryptionConfiguration, described.ImageScanningConfiguration = nil, nil
	return &ecr.DeleteRepositoryOutput{Repository: described}, nil
}

func (s *Service) describeRepositories(call wire.Call, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{}}
	if len(in.RepositoryNames) > 0 {
		if in.NextToken != nil || in.MaxResults != nil {
			return nil, invalid("maxResults", "it can't be used together with repositoryNames")
		}
		for _, name := range in.RepositoryNames {
			repo, path, err := s.find(call, in.RegistryId, &name)
			if err != nil {
				return nil, err
			}
			out.Repositories = append(out.Repositories, *s.describe(repo, path))
		}
		return out, nil
	}
	h := home{call.Account, call.Region}
	if in.RegistryId != nil {
		h.Account = *in.RegistryId
	}
	var names []string
	for _, repo := range s.repos {
		if repo.Home == h {
			names = append(names, repo.Name)
		}
	}
	sort.Strings(names)
	names, next, err := page(names, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		path := s.path(h, name)
		out.Repositories = append(out.Repositories, *s.describe(s.repos[path], path))
	}
	out.NextToken = next
	return out, nil
}

// page cuts one page out of sorted, distinct keys. The token is the last key of
// the page before.
func page(keys []string, size *int32, token *string) (some []string, next *string, err error) {
	limit := defaultPage
	if size != nil {
		if limit = int(*size); limit < 1 || limit > maxPage {
			return nil, nil, invalid("maxResults", "Member must have value between 1 and %d", maxPage)
		}
	}
	if token != nil {
		last, err := base64.StdEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, invalid("nextToken", "it is not a token of this account")
		}
		at, found := slices.BinarySearch(keys, string(last))
		if found {
			at++
		}
		keys = keys[at:]
	}
	if len(keys) > limit {
		keys = keys[:limit]
		next = aws.String(base64.StdEncoding.EncodeToString([]byte(keys[limit-1])))
	}
	return keys, next, nil
}
