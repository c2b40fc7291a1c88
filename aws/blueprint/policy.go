package blueprint

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/infra"
)

type statement struct {
	Sid, Effect       string
	Action, Principal any
	Condition         map[string]map[string]any
}

// policy turns statements into permissions. One that AddPermission could not have
// written is told, not bent.
func (d *drawing) policy(a switchover.Attachment) error {
	var answer struct{ Policy string }
	if err := json.Unmarshal(a.Value, &answer); err != nil {
		return err
	}
	var doc struct{ Statement []statement }
	if err := json.Unmarshal([]byte(answer.Policy), &doc); err != nil {
		return err
	}
	for _, s := range doc.Statement {
		p, ok := s.permission()
		if !ok {
			d.note("the statement %s of the %s can't be written as a permission: it is not here", s.Sid, named(a))
			continue
		}
		p.Qualifier = a.Qualifier
		d.f.Permissions = append(d.f.Permissions, p)
	}
	return nil
}

// permission reads a statement as
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html writes it.
func (s statement) permission() (infra.Permission, bool) {
	action, ok := s.Action.(string)
	p := infra.Permission{ID: s.Sid, Action: action}
	if !ok || s.Effect != "Allow" {
		return p, false
	}
	switch v := s.Principal.(type) {
	case string:
		p.Principal = v
	case map[string]any:
		for _, kind := range []string{"Service", "AWS"} {
			if one, ok := v[kind].(string); ok && len(v) == 1 {
				p.Principal = one
			}
		}
	}
	if p.Principal == "" {
		return p, false
	}
	// An account that was granted by its number comes back as its root.
	if parsed, err := arn.Parse(p.Principal); err == nil && parsed.Service == "iam" && parsed.Resource == "root" {
		p.Principal = parsed.AccountID
	}
	for operator, keys := range s.Condition {
		for key, value := range keys {
			text, isText := value.(string)
			switch operator + " " + strings.ToLower(key) {
			case "ArnLike aws:sourcearn", "StringLike aws:sourcearn", "StringEquals aws:sourcearn", "ArnEquals aws:sourcearn":
				p.SourceARN = text
			case "StringEquals aws:sourceaccount":
				p.SourceAccount = text
			case "StringEquals aws:principalorgid":
				p.OrgID = text
			case "StringEquals lambda:functionurlauthtype":
				p.URLAuth = text
			case "StringEquals lambda:eventsourcetoken":
				p.Token = true
			case "Bool lambda:invokedviafunctionurl":
				p.ViaURL = value == "true" || value == true
				isText = true
			default:
				return p, false
			}
			if !isText {
				return p, false
			}
		}
	}
	return p, true
}
