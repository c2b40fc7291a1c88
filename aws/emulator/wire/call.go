package wire

import "time"

// Call is one request to the account, after routing.
type Call struct {
	ID        string // request id, as AWS answers it in x-amzn-RequestId
	Account   string // 12 digits, chosen by the access key
	Region    string // chosen by the signature's credential scope
	AccessKey string
	Operation string // "CreateFunction", "GetAuthorizationToken", …
	// Now is the account's clock at the time of the call; tests move it.
	Now time.Time
	// Privileged is set for calls that AWS itself makes, such as the seed's: they
	// may set aws:* tags and create functions of deprecated runtimes.
	Privileged bool
}

// Partition is the ARN partition of the call's region.
func (c Call) Partition() string {
	switch {
	case len(c.Region) > 3 && c.Region[:3] == "cn-":
		return "aws-cn"
	case len(c.Region) > 7 && c.Region[:7] == "us-gov-":
		return "aws-us-gov"
	}
	return "aws"
}
