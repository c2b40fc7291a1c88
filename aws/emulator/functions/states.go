package functions

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// change is a creation or update that is under way. What it comes to is settled
// the first time somebody looks after Until.
type change struct {
	Create bool
	// Restore is set when an idle function is made ready again.
	Restore bool
	Until   time.Time
	// Looking is set while Lambda looks into the image; it holds the change up.
	Looking bool
	// Code and Reason say why it fails; "" when it does not.
	Code   types.StateReasonCode
	Reason string
}

// begin starts a change of v. The caller holds s.mu.
func (s *Store) begin(c wire.Call, v *version, create bool) {
	v.Config.RevisionId, v.Build = ptr(uuid()), uuid()
	v.Change = &change{Create: create, Until: s.opts.Now().Add(s.opts.Delay)}
	if c.Privileged {
		v.Change.Until = s.opts.Now()
	}
	s.optimize(v, c.Privileged)
	s.settle(v)
}

// optimize lets Lambda look into the image of v, if it has one, while the change
// is under way, or before it returns.
func (s *Store) optimize(v *version, atOnce bool) {
	if v.Image == nil || s.opts.Images == nil {
		return
	}
	img, ch := *v.Image, v.Change
	if atOnce {
		ch.Code, ch.Reason = s.opts.Images.Check(s.life, img)
		return
	}
	ch.Looking = true
	s.looks.Add(1)
	go func() {
		defer s.looks.Done()
		code, reason := s.opts.Images.Check(s.life, img)
		s.mu.Lock()
		defer s.mu.Unlock()
		ch.Looking, ch.Code, ch.Reason = false, code, reason
	}()
}

// idleAfter is when a function becomes Inactive whose image or network Lambda
// prepares: "multiple weeks" without an invocation
// (docs.aws.amazon.com/lambda/latest/dg/images-create.html), four here.
const idleAfter = 4 * 7 * 24 * time.Hour

// reclaims reports whether Lambda prepares something for v that it takes back.
func (v *version) reclaims() bool {
	return v.Image != nil || v.Config.VpcConfig != nil && val(v.Config.VpcConfig.VpcId) != ""
}

// restore makes an idle function ready again, as its first invocation does.
func (s *Store) restore(v *version) {
	v.Change = &change{Create: true, Restore: true, Until: s.opts.Now().Add(s.opts.Delay)}
	s.optimize(v, false)
}

// settle applies what has come to pass. The caller holds s.mu.
func (s *Store) settle(v *version) {
	now := s.opts.Now()
	if c := v.Change; c != nil && !c.Looking && !now.Before(c.Until) {
		s.finish(v)
	}
	cfg := &v.Config
	if v.Change == nil && v.reclaims() && cfg.State == types.StateActive && now.Sub(v.Used) > idleAfter {
		cfg.State, cfg.StateReasonCode, cfg.StateReason = types.StateInactive, types.StateReasonCodeIdle, ptr("The function is idle.")
	}
}

// finish ends a change. The RevisionId moves with it (recorded in
// test_function_revisions_basic).
func (s *Store) finish(v *version) {
	if v.Prior != nil {
		s.forget(v.Prior)
	}
	c, cfg := v.Change, &v.Config
	v.Change, v.Prior, v.Used = nil, nil, c.Until
	cfg.RevisionId = ptr(uuid())
	if c.Code == "" {
		cfg.LastUpdateStatus, cfg.LastUpdateStatusReason, cfg.LastUpdateStatusReasonCode = types.LastUpdateStatusSuccessful, nil, ""
		cfg.State, cfg.StateReason, cfg.StateReasonCode = types.StateActive, nil, ""
		return
	}
	if c.Create {
		cfg.State, cfg.StateReason, cfg.StateReasonCode = types.StateFailed, ptr(c.Reason), c.Code
	}
	cfg.LastUpdateStatus = types.LastUpdateStatusFailed
	cfg.LastUpdateStatusReason, cfg.LastUpdateStatusReasonCode = ptr(c.Reason), types.LastUpdateStatusReasonCode(c.Code)
}

// creating is the reason AWS gives for Pending and InProgress alike (recorded in
// test_function_lifecycle).
const creating = "The function is being created."

// view is a version's configuration as AWS answers it now. The caller holds s.mu.
func (s *Store) view(v *version) types.FunctionConfiguration {
	s.settle(v)
	cfg := v.Config
	if c := v.Change; c != nil && c.Create {
		cfg.State, cfg.StateReason, cfg.StateReasonCode = types.StatePending, ptr(creating), types.StateReasonCodeCreating
		if c.Restore {
			cfg.StateReason, cfg.StateReasonCode = ptr("The function is being restored."), types.StateReasonCodeRestoring
		}
		cfg.LastUpdateStatus, cfg.LastUpdateStatusReason, cfg.LastUpdateStatusReasonCode = "", nil, ""
	} else if c != nil {
		cfg.LastUpdateStatus = types.LastUpdateStatusInProgress
		cfg.LastUpdateStatusReason, cfg.LastUpdateStatusReasonCode = ptr(creating), "Creating"
	}
	return cfg
}

// listed is a version as ListFunctions and ListVersionsByFunction show it:
// without State*, LastUpdateStatus* and RuntimeVersionConfig (SDK, ListFunctions).
func (s *Store) listed(v *version) types.FunctionConfiguration {
	s.settle(v)
	cfg := v.Config
	cfg.State, cfg.StateReason, cfg.StateReasonCode = "", nil, ""
	cfg.LastUpdateStatus, cfg.LastUpdateStatusReason, cfg.LastUpdateStatusReasonCode = "", nil, ""
	cfg.RuntimeVersionConfig = nil
	return cfg
}

// steady refuses to change or publish a version while another change is under way.
func (s *Store) steady(v *version) *wire.Error {
	s.settle(v)
	switch {
	case v.Change == nil:
		return nil
	case v.Change.Create:
		// https://github.com/remotion-dev/remotion/issues/1186
		return conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
	}
	// Recorded in test_lambda_concurrent_code_updates.
	return conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", *v.Config.FunctionArn)
}

// Settle waits for what Lambda looks into and brings every change to its end.
func (s *Store) Settle() {
	s.looks.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	for _, r := range s.regions {
		for _, f := range r.Functions {
			for _, v := range f.all() {
				if v.Change != nil {
					v.Change.Until = now
					s.settle(v)
				}
			}
			for _, p := range f.Provisioned {
				p.Until = time.Time{}
			}
		}
		for _, m := range r.Mappings {
			m.Until = time.Time{}
		}
	}
}
