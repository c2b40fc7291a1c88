package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/session"
)

// The parts of SARIF 2.1.0 that a report needs
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Automation  sarifAutomation   `json:"automationDetails"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string       `json:"id"`
		Short         sarifText    `json:"shortDescription"`
		Full          sarifText    `json:"fullDescription"`
		Help          sarifText    `json:"help"`
		HelpURI       string       `json:"helpUri,omitempty"`
		Configuration sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    *int              `json:"ruleIndex,omitempty"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		Name     string `json:"name"`
		FullName string `json:"fullyQualifiedName"`
		Kind     string `json:"kind"`
	}
)

// sarifSchema is where the schema of SARIF 2.1.0 is published.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// WriteSARIF writes the findings as SARIF 2.1.0, one result each, at the
// function's ARN. A result's fingerprint stays the same from audit to audit,
// whatever figures its message holds. Regions that could not be listed are the
// run's notifications. version is this program's.
func WriteSARIF(w io.Writer, r *account.Report, version string) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "optlift", Version: version, InformationURI: "https://github.com/optlift/optlift"}},
		Automation:  sarifAutomation{ID: "optlift/audit/" + session.Clean(r.Account) + "/"},
		Invocations: []sarifInvocation{{Successful: len(r.Errors) == 0, Notifications: []sarifNotification{}}},
		Results:     []sarifResult{},
	}
	for _, e := range r.Errors {
		text := fmt.Sprintf("Region %s could not be listed whole: %s", session.Clean(e.Region), session.Clean(e.Message))
		run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, sarifNotification{Level: "error", Message: sarifText{text}})
	}
	index := map[string]int{}
	for i, rule := range account.Rules() {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.ID, Short: sarifText{sentence(rule.Title)}, Full: sarifText{sentence(rule.Title)},
			Help: sarifText{sentence(rule.Remedy)}, HelpURI: rule.Docs, Configuration: sarifDefault{level(rule.Severity)},
		})
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		count := map[string]int{}
		for _, x := range f.Findings {
			count[x.ID]++
			result := sarifResult{
				RuleID: session.Clean(x.ID), Level: level(x.Severity), Message: sarifText{session.Clean(f.Name) + ": " + session.Clean(x.Message)},
				Locations: []sarifLocation{{
					Physical: sarifPhysical{sarifArtifact{session.Clean(f.ARN)}},
					Logical:  []sarifLogical{{Name: session.Clean(f.Name), FullName: session.Clean(f.ARN), Kind: "function"}},
				}},
				Fingerprints: map[string]string{"optlift/v1": fingerprint(f.ARN, x.ID, count[x.ID])},
			}
			if at, known := index[x.ID]; known {
				result.RuleIndex = &at
			}
			run.Results = append(run.Results, result)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

// level is the SARIF word for a severity; they are the same but for words that
// another version of this program may have saved.
func level(severity string) string {
	switch severity {
	case account.Error, account.Warning, account.Note:
		return severity
	}
	return "none"
}

func fingerprint(arn, rule string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", arn, rule, n))
	return hex.EncodeToString(sum[:16])
}

// sentence makes a fragment one.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
