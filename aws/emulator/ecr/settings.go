package ecr

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/optlift/optlift/aws/emulator/oci"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// blobMounting is the account setting that lets pushes share blobs between
// repositories (https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html).
const blobMounting = "BLOB_MOUNTING"

// settingDefault is what an account setting is until it is set
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutAccountSetting.html).
func settingDefault(name string) (value string, ok bool) {
	switch name {
	case blobMounting:
		return "DISABLED", true
	case "BASIC_SCAN_TYPE_VERSION":
		return "AWS_NATIVE", true
	case "REGISTRY_POLICY_SCOPE":
		return "V2", true
	}
	return "", false
}

func (s *Service) getAccountSetting(call wire.Call, in *ecr.GetAccountSettingInput) (*ecr.GetAccountSettingOutput, error) {
	value, ok := settingDefault(aws.ToString(in.Name))
	if !ok {
		return nil, invalid("name", "%s is not an account setting", aws.ToString(in.Name))
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if set := s.settings[home{call.Account, call.Region}][*in.Name]; set != "" {
		value = set
	}
	return &ecr.GetAccountSettingOutput{Name: in.Name, Value: aws.String(value)}, nil
}

func (s *Service) putAccountSetting(call wire.Call, in *ecr.PutAccountSettingInput) (*ecr.PutAccountSettingOutput, error) {
	name, value := aws.ToString(in.Name), aws.ToString(in.Value)
	if _, ok := settingDefault(name); !ok {
		return nil, invalid("name", "%s is not an account setting", name)
	}
	if value == "" || name == blobMounting && value != "ENABLED" && value != "DISABLED" {
		return nil, invalid("value", "%s is not a value of %s", value, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := home{call.Account, call.Region}
	if s.settings[h] == nil {
		s.settings[h] = map[string]string{}
	}
	s.settings[h][name] = value
	return &ecr.PutAccountSettingOutput{Name: in.Name, Value: in.Value}, nil
}

func (s *Service) getAuthorizationToken(_ wire.Call, _ *ecr.GetAuthorizationTokenInput) (*ecr.GetAuthorizationTokenOutput, error) {
	password, expires := s.oci.IssueToken()
	return &ecr.GetAuthorizationTokenOutput{AuthorizationData: []types.AuthorizationData{{
		AuthorizationToken: aws.String(base64.StdEncoding.EncodeToString([]byte(oci.User + ":" + password))),
		ExpiresAt:          aws.Time(expires),
		ProxyEndpoint:      aws.String("http://" + s.host()),
	}}}, nil
}

func (s *Service) describeRegistry(call wire.Call, _ *ecr.DescribeRegistryInput) (*ecr.DescribeRegistryOutput, error) {
	return &ecr.DescribeRegistryOutput{
		RegistryId:               aws.String(call.Account),
		ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{}},
	}, nil
}

// checkTags applies the rules for tags; only AWS itself may set aws:* keys.
func checkTags(call wire.Call, tags map[string]string) error {
	if len(tags) > 50 {
		return wire.Errorf(400, "TooManyTagsException", "A repository can have up to 50 tags.")
	}
	for key := range tags {
		if key == "" || len(key) > 128 {
			return wire.Errorf(400, "InvalidTagParameterException", "A tag key must have 1 to 128 characters.")
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") && !call.Privileged {
			return wire.Errorf(400, "InvalidTagParameterException", "Tag keys starting with aws: are reserved for system use.")
		}
	}
	return nil
}

// byARN finds the repository of an ARN. The caller holds the lock.
func (s *Service) byARN(call wire.Call, arn *string) (*repository, error) {
	parts := strings.SplitN(aws.ToString(arn), ":", 6)
	if len(parts) != 6 || parts[2] != "ecr" || !strings.HasPrefix(parts[5], "repository/") {
		return nil, invalid("resourceArn", "Invalid ARN")
	}
	name := strings.TrimPrefix(parts[5], "repository/")
	call.Region = parts[3]
	repo, _, err := s.find(call, &parts[4], &name)
	return repo, err
}

func (s *Service) listTagsForResource(call wire.Call, in *ecr.ListTagsForResourceInput) (*ecr.ListTagsForResourceOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	repo, err := s.byARN(call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(repo.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(repo.Tags[key])})
	}
	return out, nil
}

func (s *Service) tagResource(call wire.Call, in *ecr.TagResourceInput) (*ecr.TagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, err := s.byARN(call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(repo.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	for _, t := range in.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if err := checkTags(call, tags); err != nil {
		return nil, err
	}
	repo.Tags = tags
	return &ecr.TagResourceOutput{}, nil
}

func (s *Service) untagResource(call wire.Call, in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, err := s.byARN(call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(repo.Tags, key)
	}
	return &ecr.UntagResourceOutput{}, nil
}
