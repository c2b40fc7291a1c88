package session

import (
	"net/url"
	"strings"
)

// Endpoint is the address that Lambda's calls go to where the environment or the
// profile names one that is not AWS's own, as with AWS_ENDPOINT_URL; "" for AWS
// itself, also through a VPC endpoint.
func (s *Session) Endpoint() string {
	if len(s.Regions) == 0 {
		return ""
	}
	base := s.Lambda(s.Regions[0]).Options().BaseEndpoint
	if base == nil || *base == "" {
		return ""
	}
	if u, err := url.Parse(*base); err == nil {
		for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
			if strings.HasSuffix(strings.ToLower(u.Hostname()), domain) {
				return ""
			}
		}
	}
	return *base
}
