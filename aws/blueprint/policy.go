package blueprint

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/infra"
)

// policy turns statements into permissions. One that AddPermission could not have
// written is told, not bent.
func (d *drawing) policy(a snapshot.Attachment) error {
	statements, err := snapshot.Statements(a)
	if err != nil {
		return err
	}
	for _, s := range statements {
		in, why := s.Permission(d.f.Name, a.Qualifier)
		if why != "" {
			d.note("the statement %s of the %s is not here: %s", s.Sid, a.What(), why)
			continue
		}
		p := infra.Permission{
			ID: aws.ToString(in.StatementId), Qualifier: a.Qualifier, Action: aws.ToString(in.Action), Principal: aws.ToString(in.Principal),
			SourceARN: aws.ToString(in.SourceArn), SourceAccount: aws.ToString(in.SourceAccount), OrgID: aws.ToString(in.PrincipalOrgID),
			URLAuth: string(in.FunctionUrlAuthType), ViaURL: aws.ToBool(in.InvokedViaFunctionUrl), Token: in.EventSourceToken != nil,
		}
		// An account that was granted by its number comes back as its root.
		if who, err := arn.Parse(p.Principal); err == nil && who.Service == "iam" && who.Resource == "root" {
			p.Principal = who.AccountID
		}
		d.f.Permissions = append(d.f.Permissions, p)
	}
	return nil
}
