package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// maxManifest is the largest manifest that is read, in bytes
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests).
const maxManifest = 4 << 20

// tagForm is the specification's form of a tag.
var tagForm = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// document is what the registry reads of any manifest.
type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *v1.Descriptor    `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Manifests     []v1.Descriptor   `json:"manifests"`
	Subject       *v1.Descriptor    `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

func (r *Registry) invalidManifest(format string, args ...any) *Error {
	return fail(http.StatusBadRequest, "MANIFEST_INVALID", "Invalid parameter at 'ImageManifest' failed to satisfy constraint: "+format, args...)
}

// PutManifest stores a manifest under a tag or a digest. Everything it names
// must be in the repository already.
func (r *Registry) PutManifest(name, reference, mediaType string, raw []byte) (Manifest, error) {
	digest, _, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return Manifest{}, err
	}
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return Manifest{}, r.invalidManifest("it is not JSON")
	}
	if doc.SchemaVersion != 2 {
		return Manifest{}, r.invalidManifest("schemaVersion must be 2")
	}
	if mediaType == "" {
		mediaType = doc.MediaType
	}
	if doc.MediaType != "" && doc.MediaType != mediaType {
		return Manifest{}, r.invalidManifest("media type '%s' differs from the manifest's '%s'", mediaType, doc.MediaType)
	}
	byDigest := false
	if want, err := v1.NewHash(reference); err == nil {
		if byDigest = true; want != digest {
			return Manifest{}, r.manifestMismatch(reference, name)
		}
	} else if !tagForm.MatchString(reference) {
		return Manifest{}, fail(http.StatusBadRequest, "TAG_INVALID", "The image tag '%s' is not valid", reference)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	repo := r.repos[name]
	if repo == nil {
		return Manifest{}, r.nameUnknown(name)
	}
	m := &Manifest{
		Digest: digest, MediaType: mediaType, Raw: raw, Pushed: r.now().UTC(),
		ArtifactType: doc.ArtifactType, Annotations: doc.Annotations,
	}
	if bad := r.checkReferences(repo, &doc, m); bad != nil {
		return Manifest{}, bad
	}
	if doc.Subject != nil {
		m.Subject = &doc.Subject.Digest
	}
	if !byDigest {
		held, tagged := repo.tags[reference]
		if tagged && held != digest && repo.immutable != nil && repo.immutable(reference) {
			return Manifest{}, tagImmutable(reference, name)
		}
		repo.tags[reference] = digest
	}
	if old := repo.manifests[digest]; old != nil {
		m.Pushed, m.Pulled = old.Pushed, old.Pulled
	}
	repo.manifests[digest] = m
	return repo.copy(m), nil
}

// checkReferences looks up all that a manifest needs and sums its size.
func (r *Registry) checkReferences(repo *repository, doc *document, m *Manifest) *Error {
	var absent []string
	switch types.MediaType(m.MediaType) {
	case types.DockerManifestSchema2, types.OCIManifestSchema1:
		if doc.Config == nil {
			return r.invalidManifest("it has no config")
		}
		m.ConfigType = string(doc.Config.MediaType)
		if m.ArtifactType == "" {
			m.ArtifactType = m.ConfigType
		}
		for _, d := range append([]v1.Descriptor{*doc.Config}, doc.Layers...) {
			if !d.MediaType.IsDistributable() {
				continue // foreign layers are fetched from their own addresses
			}
			size, ok := repo.blobs[d.Digest]
			switch {
			case !ok:
				absent = append(absent, d.Digest.String())
			case size != d.Size:
				return r.invalidManifest("blob %s has %d bytes, not %d", d.Digest, size, d.Size)
			default:
				m.Size += size
			}
		}
		if len(absent) > 0 {
			return r.missing("Layers", absent, repo.name)
		}
	case types.DockerManifestList, types.OCIImageIndex:
		for _, d := range doc.Manifests {
			child := repo.manifests[d.Digest]
			if child == nil {
				absent = append(absent, d.Digest.String())
				continue
			}
			m.Size += child.Size
		}
		if len(absent) > 0 {
			return r.missing("Images", absent, repo.name)
		}
	default:
		return r.invalidManifest("media type '%s' is not supported", m.MediaType)
	}
	return nil
}

func (r *Registry) serveManifest(w http.ResponseWriter, req *http.Request, name, reference string) error {
	switch req.Method {
	case http.MethodPut:
		raw, err := io.ReadAll(io.LimitReader(req.Body, maxManifest+1))
		if err != nil {
			return err
		}
		if len(raw) > maxManifest {
			return fail(http.StatusRequestEntityTooLarge, "SIZE_INVALID", "The manifest is larger than %d bytes", maxManifest)
		}
		m, err := r.PutManifest(name, reference, req.Header.Get("Content-Type"), raw)
		if err != nil {
			return err
		}
		if m.Subject != nil {
			w.Header().Set("OCI-Subject", m.Subject.String())
		}
		w.Header().Set("Location", "/v2/"+name+"/manifests/"+m.Digest.String())
		w.Header().Set("Docker-Content-Digest", m.Digest.String())
		w.WriteHeader(http.StatusCreated)
		return nil
	case http.MethodGet, http.MethodHead:
		m, err := r.pull(name, reference, req.Method == http.MethodGet)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", m.MediaType)
		w.Header().Set("Docker-Content-Digest", m.Digest.String())
		http.ServeContent(w, req, "", m.Pushed, bytes.NewReader(m.Raw))
		return nil
	}
	// ECR deletes images by its own API only.
	return unsupported()
}

// pull is Manifest that notes the time.
func (r *Registry) pull(name, reference string, note bool) (Manifest, error) {
	m, err := r.Manifest(name, reference)
	if err != nil || !note {
		return m, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if repo := r.repos[name]; repo != nil {
		if held := repo.manifests[m.Digest]; held != nil {
			held.Pulled = r.now().UTC()
		}
	}
	return m, nil
}

// serveReferrers lists the manifests whose subject is a digest
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers).
func (r *Registry) serveReferrers(w http.ResponseWriter, req *http.Request, name, reference string) error {
	subject, err := v1.NewHash(reference)
	if err != nil {
		return fail(http.StatusBadRequest, "DIGEST_INVALID", "The digest '%s' is not valid", reference)
	}
	all, err := r.Manifests(name)
	if err != nil {
		return err
	}
	wanted := req.URL.Query().Get("artifactType")
	type entry struct {
		v1.Descriptor
		ArtifactType string `json:"artifactType,omitempty"`
	}
	list := struct {
		SchemaVersion int     `json:"schemaVersion"`
		MediaType     string  `json:"mediaType"`
		Manifests     []entry `json:"manifests"`
	}{2, string(types.OCIImageIndex), []entry{}}
	for _, m := range all {
		if m.Subject == nil || *m.Subject != subject || wanted != "" && m.ArtifactType != wanted {
			continue
		}
		list.Manifests = append(list.Manifests, entry{v1.Descriptor{
			MediaType: types.MediaType(m.MediaType), Digest: m.Digest, Size: int64(len(m.Raw)), Annotations: m.Annotations,
		}, m.ArtifactType})
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return errors.Join(errors.New("write the list of referrers"), err)
	}
	if wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	w.Header().Set("Content-Type", list.MediaType)
	_, _ = w.Write(raw) // a client that is gone is nobody to tell
	return nil
}
