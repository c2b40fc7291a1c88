package imagerules

import (
	"net"
	"regexp"
	"strings"

	"github.com/optlift/optlift/aws/emulator/ecr"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// ecrHost is a private registry's name at AWS.
var ecrHost = regexp.MustCompile(`^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// reference is an image URI taken apart.
type reference struct {
	host string
	path string // the repository, below the registry's host
	tag  string // a tag or a digest
}

// parse takes "HOST/NAME:TAG" or "HOST/NAME@sha256:…" apart. A tag together with
// a digest is not valid for Lambda (github.com/serverless/serverless#8636), nor
// is a URI with neither (github.com/aws-samples/bedrock-access-gateway#205).
func parse(uri string) (reference, bool) {
	host, rest, ok := strings.Cut(uri, "/")
	if !ok {
		return reference{}, false
	}
	path, tag, byDigest := strings.Cut(rest, "@")
	if byDigest {
		if strings.Contains(path, ":") || !strings.HasPrefix(tag, "sha256:") {
			return reference{}, false
		}
	} else if path, tag, ok = strings.Cut(rest, ":"); !ok {
		return reference{}, false
	}
	if host == "" || path == "" || tag == "" {
		return reference{}, false
	}
	return reference{host, path, tag}, true
}

// locate maps the reference's host to a repository of the account. ok is false
// for any registry that is not a private one of the caller's region: public ones
// (github.com/grafana/loki#7218), other regions
// (github.com/binxio/cfn-ses-provider#27), the base images.
func (r *Rules) locate(call wire.Call, ref reference) (found ecr.Found, exists, ok bool) {
	path := ref.path
	if m := ecrHost.FindStringSubmatch(ref.host); m != nil {
		if m[2] != call.Region {
			return found, false, false
		}
		path = r.ecr.Path(m[1], m[2], ref.path)
	} else if !r.isHost(ref.host) {
		return found, false, false
	}
	if _, public := r.ecr.Registry().Exists(path); public {
		return found, false, false
	}
	found, exists = r.ecr.At(path)
	if exists && found.Region != call.Region {
		return found, false, false
	}
	return found, exists, true
}

// isHost tells whether a host is the account's registry, by any of its names.
func (r *Rules) isHost(host string) bool {
	own := r.ecr.Host()
	if host == own {
		return true
	}
	name, port, err := net.SplitHostPort(host)
	_, ownPort, ownErr := net.SplitHostPort(own)
	if err != nil || ownErr != nil || port != ownPort {
		return false
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}
