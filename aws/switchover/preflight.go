package switchover

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/image"
)

// Notice is a blocker, a warning or a loss, with a stable id.
type Notice struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

// maxUpload is the size below which a zip can be sent in the call itself ("Zipped
// size must be smaller than 52428800 bytes",
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxUpload = 52428800

// notices is what a preflight finds.
type notices struct {
	accepted                        map[string]bool
	blockers, warnings, lost, notes []Notice
}

// refuse adds a blocker that nobody can accept away.
func (n *notices) refuse(id, format string, args ...any) {
	n.blockers = append(n.blockers, Notice{id, session.Clean(fmt.Sprintf(format, args...))})
}

// hold adds a blocker that the user may accept by its id; accepted, it is a warning.
func (n *notices) hold(id, format string, args ...any) {
	message := session.Clean(fmt.Sprintf(format, args...))
	if n.accepted[id] {
		n.warnings = append(n.warnings, Notice{id, message + " (accepted)"})
		return
	}
	n.blockers = append(n.blockers, Notice{id, message + ": go on with --accept " + id})
}

func (n *notices) warn(id, format string, args ...any) {
	n.warnings = append(n.warnings, Notice{id, session.Clean(fmt.Sprintf(format, args...))})
}

func (n *notices) note(id, format string, args ...any) {
	n.notes = append(n.notes, Notice{id, session.Clean(fmt.Sprintf(format, args...))})
}

func (n *notices) lose(id, format string, args ...any) {
	n.lost = append(n.lost, Notice{id, session.Clean(fmt.Sprintf(format, args...))})
}

// preflight holds a snapshot against everything known to go wrong. It asks
// nobody.
func preflight(s *Snapshot, c Choices) *notices {
	n := &notices{accepted: map[string]bool{}}
	for _, id := range c.Accept {
		n.accepted[id] = true
	}
	config, err := s.ConfigOf("")
	if err != nil {
		n.refuse("snapshot", "%v", err)
		return n
	}
	if c.Strategy == Refresh {
		n.refreshable(s, config)
		return n
	}
	if config.PackageType == types.PackageTypeImage {
		n.refuse("already-image", "%s already is a container image", s.Function)
		return n
	}
	n.function(s, c, config)
	for _, q := range append([]string{""}, s.Carried()...) {
		n.version(s, c, q)
	}
	n.layerImages(s, c)
	if c.Strategy == Rehearse {
		n.lost = nil // nothing is changed
		return n
	}
	n.readings(s)
	n.owners(s, c)
	n.policies(s, c)
	n.versions(s, c)
	n.attachments(s, c)
	return n
}

// function checks what is true of the function as a whole.
func (n *notices) function(s *Snapshot, c Choices, f types.FunctionConfiguration) {
	switch f.State {
	case "", types.StateActive, types.StateInactive:
	default:
		n.refuse("not-active", "the function is %s, not Active: wait, or repair it first", f.State)
	}
	if f.LastUpdateStatus == types.LastUpdateStatusInProgress {
		n.refuse("not-active", "an update of the function is in progress: wait until it is done")
	}
	if aws.ToString(f.MasterArn) != "" {
		n.refuse("edge", "the function is a Lambda@Edge replica of %s: CloudFront takes no container images", aws.ToString(f.MasterArn))
	}
	if f.CapacityProviderConfig != nil {
		n.refuse("managed-instances", "the function runs on Lambda Managed Instances: whether they run container images is not documented")
	}
	if f.TenancyConfig != nil {
		n.refuse("tenancy", "the function isolates tenants: whether container images can is not documented, and the setting can't be added later")
	}
	if f.SnapStart != nil && f.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions {
		n.lose("snapstart", "SnapStart: the image function is made without it, so cold starts may become slower; Lambda takes it for images too (some bases need a label): turn it on and publish a version afterwards")
	}
	if f.DurableConfig != nil {
		n.lose("durable-history", "the history of finished durable executions, whose ARNs name the old function")
	}
	if strings.HasSuffix(s.Region, "us-east-1") && len(s.Versions) > 0 && f.VpcConfig == nil && f.Environment == nil && len(f.Layers) == 0 {
		n.warn("edge-possible", "functions of Lambda@Edge live in us-east-1 and look like this one: make sure that no CloudFront distribution names it")
	}
	if c.Strategy == Replace {
		span := "some seconds, longer for images of several GB"
		if f.VpcConfig != nil && len(f.VpcConfig.SubnetIds) > 0 {
			span = "about a minute, for it is in a VPC, longer for images of several GB"
		}
		n.warn("gap", "the name does not answer from the moment it is deleted until the image function is Active: expect %s; the rehearsal measures it beforehand, the switch when it happens", span)
		n.warn("async-events", "what becomes of queued asynchronous events is not documented: pause producers that must not lose any")
	}
	n.lose("runtime-updates", "AWS's own updates of the runtime: an image stays as it was built until it is built again")
}

// readings refuses to guess about what could not be read.
func (n *notices) readings(s *Snapshot) {
	for _, a := range s.Attachments {
		switch {
		case a.Reading != snapshot.Denied && a.Reading != snapshot.Failed, a.Kind == snapshot.KindCode, a.Kind == snapshot.KindLayer:
		case a.Reading == snapshot.Denied:
			n.hold("denied:"+a.Kind, "not allowed to read the %s, which would be lost without a trace: %s", a.What(), a.Message)
		default:
			n.hold("failed:"+a.Kind, "could not read the %s, which would be lost without a trace: %s", a.What(), a.Message)
		}
	}
}

// version checks what one version is made of: "" is the unpublished one.
func (n *notices) version(s *Snapshot, c Choices, q string) {
	f, err := s.ConfigOf(q)
	if err != nil {
		n.refuse("snapshot", "%v", err)
		return
	}
	of := s.Function
	if q != "" {
		of += ":" + q
	}
	if f.Environment != nil && f.Environment.Error != nil {
		n.refuse("environment-unreadable", "the environment of %s can't be decrypted: %s", of, aws.ToString(f.Environment.Error.Message))
	}
	n.code(s, q, of)
	for _, name := range snapshot.LayerARNs(f) {
		n.layer(s, of, name)
	}
	if f.CodeSize >= maxUpload && c.Strategy == Replace {
		n.large(c, of, f.CodeSize)
	}
	if c.Base == "" {
		if _, err := image.BaseFor(string(f.Runtime)); err != nil {
			n.refuse("no-base-image", "%s: %v", of, err)
		}
	}
	if c.Strategy != Replace {
		return
	}
	switch r, known := image.RuntimeFor(string(f.Runtime)); {
	case !known:
		n.warn("runtime-unknown", "nothing is known of the runtime %q of %s: whether a Zip function can be created with it again is not certain", f.Runtime, of)
	case !r.Deprecated.IsZero() && s.Taken.After(r.Deprecated):
		n.hold("runtime-deprecated", "the runtime %s of %s is deprecated since %s, and AWS stops creating functions with such a runtime: the way back is not certain",
			r.ID, of, r.Deprecated.Format("2006-01-02"))
	}
}

// large tells of a zip that a call can't carry.
func (n *notices) large(c Choices, of string, size int64) {
	if c.Bucket == "" {
		n.hold("zip-too-large", "the zip of %s has %d bytes and can't be sent back in a call (50 MB): name an S3 bucket of its region with --bucket NAME[/PREFIX], from where it can", of, size)
		return
	}
	name, prefix, err := ParseBucket(c.Bucket)
	if err != nil {
		n.refuse("bucket", "%v", err)
		return
	}
	n.note("bucket", "the zip of %s has %d bytes: it is kept in %s for the way back, and stays there until you delete it", of, size, object{name, prefix})
}

// code refuses code whose bytes can't be had.
func (n *notices) code(s *Snapshot, q, of string) {
	a, found := s.One(snapshot.KindCode, q)
	if !found || a.Reading != snapshot.Present {
		n.refuse("code-unreadable", "the code of %s can't be read, so it can neither be built nor put back: %s", of, a.Message)
		return
	}
	where, err := snapshot.Decode[types.FunctionCodeLocation](a.Value)
	if err == nil && where.Error != nil {
		n.refuse("code-unreadable", "the code of %s can't be read, so it can neither be built nor put back: %s", of, aws.ToString(where.Error.Message))
	}
}

// layer refuses a layer whose bytes can't be had: neither the image nor the way
// back exists without them.
func (n *notices) layer(s *Snapshot, of, name string) {
	for _, a := range s.Attachments {
		if a.Kind != snapshot.KindLayer || a.Name != name {
			continue
		}
		switch a.Reading {
		case snapshot.Present:
		case snapshot.Absent:
			n.refuse("layer-deleted", "layer %s of %s was deleted: its content can't be read any more, and no function can be given it again", name, of)
		case snapshot.Denied:
			n.refuse("layer-denied", "layer %s of %s may not be read: %s", name, of, a.Message)
		default:
			n.refuse("layer-failed", "layer %s of %s could not be read: %s", name, of, a.Message)
		}
		return
	}
	n.refuse("layer-failed", "layer %s of %s was not looked at", name, of)
}

// policies finds statements that can't be made again.
func (n *notices) policies(s *Snapshot, c Choices) {
	qualifiers, byQualifier := s.Policies()
	triggers := map[string]bool{}
	for _, q := range qualifiers {
		a := byQualifier[q]
		statements, err := snapshot.Statements(a)
		if err != nil {
			n.refuse("policy-unreadable", "%v", err)
			continue
		}
		for _, st := range statements {
			who := st.Who()
			if strings.HasPrefix(who, "replicator.lambda.") {
				n.refuse("edge", "the policy of %s lets Lambda@Edge replicate it: CloudFront takes no container images", s.Function)
			}
			if st.OfNobody() {
				n.hold("policy-principal", "statement %s names %s, a user or role that no longer exists: it can't be added again", st.Sid, who)
			}
			if _, why := st.Permission(s.Function, q); why != "" && !s.WholePolicies(q) {
				n.hold("policy-condition", "statement %s of the %s can't be made again: %s, and the endpoint has no PutResourcePolicy", st.Sid, a.What(), why)
			}
			if source := st.ConditionValue("ArnLike", "aws:SourceArn"); source != "" {
				triggers[source] = true
			} else if strings.HasSuffix(who, ".amazonaws.com") {
				triggers[who] = true
			}
		}
	}
	if len(triggers) == 0 {
		return
	}
	names := make([]string, 0, len(triggers))
	for t := range triggers {
		names = append(names, t)
	}
	sort.Strings(names)
	if c.Strategy == Beside {
		n.warn("repoint", "these go on invoking the old function until you point them at the new one: %s", strings.Join(names, ", "))
		return
	}
	n.warn("triggers", "these get errors while the name does not answer: %s", strings.Join(names, ", "))
}

// versions tells what becomes of published versions.
func (n *notices) versions(s *Snapshot, c Choices) {
	known := map[string]bool{snapshot.Latest: true}
	for _, v := range s.Versions {
		known[v.Number] = true
	}
	for _, a := range s.All(snapshot.KindAlias) {
		alias, err := snapshot.Decode[types.AliasConfiguration](a.Value)
		if err != nil {
			n.refuse("snapshot", "the %s can't be read from the snapshot: %v", a.What(), err)
			continue
		}
		uses := weights(alias.RoutingConfig)
		for _, number := range append(slices.Collect(maps.Keys(uses)), aws.ToString(alias.FunctionVersion)) {
			if !known[number] {
				n.refuse("version-unreadable", "alias %s uses version %s, which could not be read", a.Name, number)
			}
		}
	}
	if len(s.Versions) == 0 || c.Strategy == Beside {
		return
	}
	carried := map[string]bool{}
	for _, number := range s.Carried() {
		carried[number] = true
	}
	if len(carried) > 0 {
		n.lose("version-numbers", "version numbers: AWS gives new ones, so a caller that names a number must be changed; aliases go on pointing at the same code")
	}
	var dropped []string
	for _, v := range s.Versions {
		if !carried[v.Number] {
			dropped = append(dropped, v.Number)
		}
	}
	if len(dropped) > 0 {
		n.lose("versions", "versions that nothing refers to: %s", strings.Join(dropped, ", "))
	}
}

// attachments tells what is known of the other attachments.
func (n *notices) attachments(s *Snapshot, c Choices) {
	replace := c.Strategy == Replace
	for _, a := range s.All(snapshot.KindURL) {
		u, err := snapshot.Decode[types.FunctionUrlConfig](a.Value)
		switch {
		case err != nil:
			n.refuse("snapshot", "the %s can't be read from the snapshot: %v", a.What(), err)
		case replace:
			n.lose("function-url", "the address %s: AWS gives a new function URL another one, and nobody can have the old one back", aws.ToString(u.FunctionUrl))
			n.hold("function-url", "the function URL %s changes its address for good", aws.ToString(u.FunctionUrl))
		default:
			n.warn("function-url", "the new function gets a function URL of its own beside %s", aws.ToString(u.FunctionUrl))
		}
	}
	for _, a := range s.All(snapshot.KindCodeSigning) {
		got, err := snapshot.Decode[struct{ CodeSigningConfigArn string }](a.Value)
		if err != nil {
			n.refuse("snapshot", "the %s can't be read from the snapshot: %v", a.What(), err)
			continue
		}
		n.lose("code-signing", "code signing (%s): container images do not have it", got.CodeSigningConfigArn)
		if replace {
			n.hold("code-signing", "code signing is on: AWS may refuse the zip on the way back")
		}
	}
	for _, a := range s.All(snapshot.KindRuntime) {
		got, err := snapshot.Decode[struct{ UpdateRuntimeOn types.UpdateRuntimeOn }](a.Value)
		if err == nil && got.UpdateRuntimeOn != "" && got.UpdateRuntimeOn != types.UpdateRuntimeOnAuto {
			n.lose("runtime-pinning", "the %s (%s): the image is frozen on its base image instead", a.What(), got.UpdateRuntimeOn)
		}
	}
	if len(s.All(snapshot.KindDurable)) > 0 {
		n.hold("durable-running", "durable executions are running and would be lost: let them finish")
	}
	if len(s.All(snapshot.KindProvisioned)) > 0 {
		n.warn("autoscaling", "targets of Application Auto Scaling on provisioned concurrency live outside Lambda: look at them afterwards")
	}
	if len(s.All(snapshot.KindReserved)) > 0 {
		text := "reserved concurrency is free for others while the name does not answer"
		if !replace {
			text = "the account reserves the function's concurrency twice while both functions exist"
		}
		n.warn("reserved", "%s", text)
	}
	for _, a := range s.All(snapshot.KindMapping) {
		m, err := snapshot.Decode[types.EventSourceMappingConfiguration](a.Value)
		if err == nil && m.StartingPosition != "" && replace {
			n.warn("mapping-position", "mapping %s reads a stream: it is paused and resumed, which keeps its position; that it does so over a replacement of the function is not documented", a.Name)
		}
	}
	if tags, err := s.UserTags(); err != nil {
		n.refuse("snapshot", "the tags can't be read from the snapshot: %v", err)
	} else if len(tags)+len(ourTags("", types.FunctionConfiguration{Runtime: "x"})) > maxTags {
		n.warn("tags-full", "the function carries %d tags, which leaves no room for ours", len(tags))
	}
}
