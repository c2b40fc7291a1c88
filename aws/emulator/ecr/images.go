package ecr

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/optlift/optlift/aws/emulator/oci"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// content finds a repository and all its images.
func (s *Service) content(call wire.Call, registryID, name *string) (*repository, string, []oci.Manifest, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	repo, path, err := s.find(call, registryID, name)
	if err != nil {
		return nil, "", nil, err
	}
	all, err := s.oci.Manifests(path)
	return repo, path, all, err
}

// pick finds the image of an identifier, or says why not.
func pick(all []oci.Manifest, id types.ImageIdentifier) (*oci.Manifest, types.ImageFailureCode, string) {
	if id.ImageDigest == nil && id.ImageTag == nil {
		return nil, types.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null"
	}
	if id.ImageDigest != nil {
		if _, err := v1.NewHash(*id.ImageDigest); err != nil {
			return nil, types.ImageFailureCodeInvalidImageDigest, "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
		}
	}
	for i := range all {
		m := &all[i]
		if id.ImageDigest != nil && m.Digest.String() != *id.ImageDigest {
			continue
		}
		if id.ImageTag != nil && !slices.Contains(m.Tags, *id.ImageTag) {
			if id.ImageDigest != nil {
				return nil, types.ImageFailureCodeImageTagDoesNotMatchDigest, "Requested image tag does not match the digest"
			}
			continue
		}
		return m, "", ""
	}
	return nil, types.ImageFailureCodeImageNotFound, "Requested image not found"
}

func fits(status types.TagStatus, tagged bool) bool {
	switch status {
	case types.TagStatusTagged:
		return tagged
	case types.TagStatusUntagged:
		return !tagged
	}
	return true
}

func quoted(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func (s *Service) describeImages(call wire.Call, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	repo, _, all, err := s.content(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}}
	if len(in.ImageIds) > 0 {
		for _, id := range in.ImageIds {
			m, code, _ := pick(all, id)
			if code != "" {
				return nil, wire.Errorf(400, "ImageNotFoundException",
					"The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
					quoted(id.ImageDigest), quoted(id.ImageTag), repo.Name, repo.Home.Account)
			}
			out.ImageDetails = append(out.ImageDetails, detail(repo, m))
		}
		return out, nil
	}
	held := map[string]*oci.Manifest{}
	var keys []string
	for i := range all {
		m := &all[i]
		if in.Filter != nil && !fits(in.Filter.TagStatus, len(m.Tags) > 0) {
			continue
		}
		held[m.Digest.String()] = m
		keys = append(keys, m.Digest.String())
	}
	sort.Strings(keys)
	keys, next, err := page(keys, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		out.ImageDetails = append(out.ImageDetails, detail(repo, held[key]))
	}
	out.NextToken = next
	return out, nil
}

func detail(repo *repository, m *oci.Manifest) types.ImageDetail {
	d := types.ImageDetail{
		ImageDigest: aws.String(m.Digest.String()), ImageManifestMediaType: aws.String(m.MediaType),
		ImagePushedAt: aws.Time(m.Pushed), ImageSizeInBytes: aws.Int64(m.Size), ImageStatus: types.ImageStatusActive,
		RegistryId: aws.String(repo.Home.Account), RepositoryName: aws.String(repo.Name),
	}
	if len(m.Tags) > 0 {
		d.ImageTags = m.Tags
	}
	if m.ArtifactType != "" {
		d.ArtifactMediaType = aws.String(m.ArtifactType)
	}
	if m.Subject != nil {
		d.SubjectManifestDigest = aws.String(m.Subject.String())
	}
	if !m.Pulled.IsZero() {
		d.LastRecordedPullTime = aws.Time(m.Pulled)
	}
	return d
}

func (s *Service) listImages(call wire.Call, in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	_, _, all, err := s.content(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	// A key is "digest tag": an image is listed once for every tag.
	var keys []string
	for _, m := range all {
		if in.Filter != nil && !fits(in.Filter.TagStatus, len(m.Tags) > 0) {
			continue
		}
		for _, tag := range m.Tags {
			keys = append(keys, m.Digest.String()+" "+tag)
		}
		if len(m.Tags) == 0 {
			keys = append(keys, m.Digest.String()+" ")
		}
	}
	sort.Strings(keys)
	keys, next, err := page(keys, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListImagesOutput{ImageIds: []types.ImageIdentifier{}, NextToken: next}
	for _, key := range keys {
		digest, tag, _ := strings.Cut(key, " ")
		out.ImageIds = append(out.ImageIds, identifier(digest, tag))
	}
	return out, nil
}

func identifier(digest, tag string) types.ImageIdentifier {
	id := types.ImageIdentifier{ImageDigest: aws.String(digest)}
	if tag != "" {
		id.ImageTag = aws.String(tag)
	}
	return id
}

func (s *Service) batchGetImage(call wire.Call, in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	repo, _, all, err := s.content(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.ImageIds) < 1 || len(in.ImageIds) > 100 {
		return nil, invalid("imageIds", "Member must have length between 1 and 100")
	}
	out := &ecr.BatchGetImageOutput{Images: []types.Image{}, Failures: []types.ImageFailure{}}
	for _, id := range in.ImageIds {
		m, code, reason := pick(all, id)
		if code != "" {
			out.Failures = append(out.Failures, types.ImageFailure{FailureCode: code, FailureReason: aws.String(reason), ImageId: &id})
			continue
		}
		out.Images = append(out.Images, image(repo, m, aws.ToString(id.ImageTag)))
	}
	return out, nil
}

func image(repo *repository, m *oci.Manifest, tag string) types.Image {
	id := identifier(m.Digest.String(), tag)
	return types.Image{
		ImageId: &id, ImageManifest: aws.String(string(m.Raw)), ImageManifestMediaType: aws.String(m.MediaType),
		RegistryId: aws.String(repo.Home.Account), RepositoryName: aws.String(repo.Name),
	}
}

func (s *Service) putImage(call wire.Call, in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	repo, path, all, err := s.content(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	raw := []byte(aws.ToString(in.ImageManifest))
	digest, _, err := v1.SHA256(strings.NewReader(string(raw)))
	if err != nil {
		return nil, err
	}
	if in.ImageDigest != nil && *in.ImageDigest != digest.String() {
		return nil, wire.Errorf(400, "ImageDigestDoesNotMatchException",
			"The provided digest '%s' does not match the digest '%s' calculated for the image", *in.ImageDigest, digest)
	}
	reference := digest.String()
	if in.ImageTag != nil {
		reference = *in.ImageTag
	}
	if held, code, _ := pick(all, types.ImageIdentifier{ImageDigest: aws.String(digest.String()), ImageTag: in.ImageTag}); code == "" {
		return nil, wire.Errorf(400, "ImageAlreadyExistsException",
			"Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'",
			held.Digest, aws.ToString(in.ImageTag), repo.Name, repo.Home.Account)
	}
	m, err := s.oci.PutManifest(path, reference, aws.ToString(in.ImageManifestMediaType), raw)
	if err != nil {
		return nil, putRefusal(err)
	}
	out := image(repo, &m, aws.ToString(in.ImageTag))
	return &ecr.PutImageOutput{Image: &out}, nil
}

// putRefusal translates the registry's refusal of a manifest.
func putRefusal(err error) error {
	var refusal *oci.Error
	if !errors.As(err, &refusal) {
		return err
	}
	code := "InvalidParameterException"
	switch refusal.Code {
	case "TAG_INVALID":
		code = "ImageTagAlreadyExistsException"
	case "MANIFEST_BLOB_UNKNOWN":
		if code = "LayersNotFoundException"; strings.HasPrefix(refusal.Message, "Images") {
			code = "ReferencedImagesNotFoundException"
		}
	}
	return wire.Errorf(400, code, "%s", refusal.Message)
}

func (s *Service) batchDeleteImage(call wire.Call, in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	_, path, all, err := s.content(call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.ImageIds) < 1 || len(in.ImageIds) > 100 {
		return nil, invalid("imageIds", "Member must have length between 1 and 100")
	}
	out := &ecr.BatchDeleteImageOutput{ImageIds: []types.ImageIdentifier{}, Failures: []types.ImageFailure{}}
	refuse := func(id types.ImageIdentifier, code types.ImageFailureCode, reason string) {
		out.Failures = append(out.Failures, types.ImageFailure{FailureCode: code, FailureReason: aws.String(reason), ImageId: &id})
	}
	for _, id := range in.ImageIds {
		m, code, reason := pick(all, id)
		if code != "" {
			refuse(id, code, reason)
			continue
		}
		byTag := id.ImageTag != nil && id.ImageDigest == nil
		if parent := parentOf(all, m.Digest); parent != "" && !(byTag && len(m.Tags) > 1) {
			refuse(id, types.ImageFailureCodeImageReferencedByManifestList, fmt.Sprintf("Requested image referenced by manifest list: [%s]", parent))
			continue
		}
		switch {
		case byTag:
			s.oci.Untag(path, *id.ImageTag)
			out.ImageIds = append(out.ImageIds, identifier(m.Digest.String(), *id.ImageTag))
		default:
			s.oci.Remove(path, m.Digest)
			for _, tag := range m.Tags {
				out.ImageIds = append(out.ImageIds, identifier(m.Digest.String(), tag))
			}
			if len(m.Tags) == 0 {
				out.ImageIds = append(out.ImageIds, identifier(m.Digest.String(), ""))
			}
		}
		if all, err = s.oci.Manifests(path); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// parentOf finds a list that needs the image.
func parentOf(all []oci.Manifest, digest v1.Hash) string {
	for _, m := range all {
		var list struct{ Manifests []v1.Descriptor }
		if m.ConfigType != "" || json.Unmarshal(m.Raw, &list) != nil {
			continue
		}
		for _, d := range list.Manifests {
			if d.Digest == digest {
				return m.Digest.String()
			}
		}
	}
	return ""
}

func (s *Service) batchCheckLayerAvailability(call wire.Call, in *ecr.BatchCheckLayerAvailabilityInput) (*ecr.BatchCheckLayerAvailabilityOutput, error) {
	s.mu.RLock()
	_, path, err := s.find(call, in.RegistryId, in.RepositoryName)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	if len(in.LayerDigests) < 1 || len(in.LayerDigests) > 100 {
		return nil, invalid("layerDigests", "Member must have length between 1 and 100")
	}
	out := &ecr.BatchCheckLayerAvailabilityOutput{Layers: []types.Layer{}, Failures: []types.LayerFailure{}}
	for _, text := range in.LayerDigests {
		digest, err := v1.NewHash(text)
		if err != nil {
			out.Failures = append(out.Failures, types.LayerFailure{
				FailureCode: types.LayerFailureCodeInvalidLayerDigest, FailureReason: aws.String("Invalid layer digest"), LayerDigest: aws.String(text),
			})
			continue
		}
		size, ok := s.oci.HasBlob(path, digest)
		layer := types.Layer{LayerDigest: aws.String(text), LayerAvailability: types.LayerAvailabilityUnavailable}
		if ok {
			layer.LayerAvailability, layer.LayerSize = types.LayerAvailabilityAvailable, aws.Int64(size)
		}
		out.Layers = append(out.Layers, layer)
	}
	return out, nil
}
