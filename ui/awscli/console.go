package awscli

import (
	"net/url"
	"strings"
)

// Console is the page of AWS's console that shows a function or a layer version,
// "" where the ARN is neither or lies in a partition whose console is not known.
func Console(arn string) string {
	// arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME or …:layer:NAME:VERSION
	parts := strings.Split(arn, ":")
	if len(parts) < 7 || parts[0] != "arn" || parts[2] != "lambda" || !safe(parts[3]) {
		return ""
	}
	// https://docs.aws.amazon.com/general/latest/gr/mgmt-console.html
	domain := map[string]string{
		"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com",
	}[parts[1]]
	page := ""
	switch {
	case parts[5] == "function":
		page = "functions/" + url.PathEscape(parts[6])
	case parts[5] == "layer" && len(parts) == 8:
		page = "layers/" + url.PathEscape(parts[6]) + "/versions/" + url.PathEscape(parts[7])
	}
	if domain == "" || page == "" {
		return ""
	}
	return "https://" + parts[3] + "." + domain + "/lambda/home?region=" + parts[3] + "#/" + page
}

// safe reports whether a region can be part of a host name.
func safe(region string) bool {
	return region != "" && strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
