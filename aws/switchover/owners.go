package switchover

import "github.com/optlift/optlift/aws/switchover/snapshot"

// The ids of the blockers that tell of somebody else who keeps the function.
const (
	StackManaged     = "stack-managed"
	TerraformManaged = "terraform-managed"
)

// owners finds out whether something else manages the function.
func (n *notices) owners(s *Snapshot, c Choices) {
	switch {
	case c.Terraform == "":
	case c.Strategy == Beside:
		n.warn(TerraformManaged, "Terraform keeps the function (%s): the new one beside it will not be in its state", c.Terraform)
	default:
		n.hold(TerraformManaged, "Terraform keeps the function (%s), and its next apply would delete the image function to make a zip again. "+
			"Change the configuration first, and apply it only after the switch; optlift patch %s --terraform writes that change and the steps", c.Terraform, s.Function)
	}
	stack, logical := StackOf(s)
	if stack == "" {
		return
	}
	if c.Strategy == Beside {
		n.warn(StackManaged, "CloudFormation stack %s manages the function: the new one beside it will not be part of the stack", stack)
		return
	}
	n.hold(StackManaged, "CloudFormation stack %s manages the function as %s and would break at its next update. In its template, change the resource's Properties to "+
		"PackageType: Image and Code: {ImageUri: <the image>}, take out Handler, Runtime and Layers, and let the stack replace it; optlift patch %s writes that change and the steps",
		stack, logical, s.Function)
}

// StackOf is the CloudFormation stack that keeps a captured function, and what its
// template calls it; "" for none that its tags tell.
func StackOf(s *Snapshot) (stack, logical string) {
	for _, a := range s.All(snapshot.KindTags) {
		if got, err := snapshot.Decode[struct{ Tags map[string]string }](a.Value); err == nil {
			return got.Tags["aws:cloudformation:stack-name"], got.Tags["aws:cloudformation:logical-id"]
		}
	}
	return "", ""
}
