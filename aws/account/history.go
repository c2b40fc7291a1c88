package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/session"
)

// History is a function's published versions and its aliases. What could not be
// read is null and says why.
type History struct {
	Versions        []Version `json:"versions"` // without $LATEST, oldest first
	VersionsState   State     `json:"versionsState"`
	VersionsMessage string    `json:"versionsMessage,omitempty"`
	Aliases         []Alias   `json:"aliases"` // by name
	AliasesState    State     `json:"aliasesState"`
	AliasesMessage  string    `json:"aliasesMessage,omitempty"`
}

// Version is a published version.
type Version struct {
	Version      string   `json:"version"`
	Description  string   `json:"description"`
	Runtime      string   `json:"runtime"`
	CodeSize     int64    `json:"codeSize"` // zip bytes
	CodeSHA256   string   `json:"codeSha256"`
	Layers       []string `json:"layers"` // ARNs, in order
	LastModified string   `json:"lastModified,omitempty"`
}

// Alias is a name for a version, or for two.
type Alias struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Description string `json:"description"`
	// Weights are the shares of calls that go to other versions, 0 to 1; null for none.
	Weights map[string]float64 `json:"weights"`
}

// History reads a function's versions and aliases: two calls or more, of the rate
// that all operations share. That it could not be read is in the History; the
// error is ctx's.
func (a *Auditor) History(ctx context.Context, arn string) (*History, error) {
	client := a.session.Lambda(RegionOfARN(arn))
	h := &History{}
	if err := acquire(ctx, a.calls); err != nil {
		return nil, err
	}
	defer release(a.calls)
	h.VersionsState = OK
	if err := h.readVersions(ctx, client, arn); err != nil {
		h.Versions, h.VersionsState, h.VersionsMessage = nil, StateOf(err), session.Explain(err)
	}
	h.AliasesState = OK
	if err := h.readAliases(ctx, client, arn); err != nil {
		h.Aliases, h.AliasesState, h.AliasesMessage = nil, StateOf(err), session.Explain(err)
	}
	return h, ctx.Err()
}

func (h *History) readVersions(ctx context.Context, client *lambda.Client, arn string) error {
	h.Versions = []Version{}
	pages := lambda.NewListVersionsByFunctionPaginator(client, &lambda.ListVersionsByFunctionInput{FunctionName: &arn},
		func(o *lambda.ListVersionsByFunctionPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list versions: %w", err)
		}
		for i := range page.Versions {
			c := &page.Versions[i]
			number := aws.ToString(c.Version)
			if number == "$LATEST" {
				continue
			}
			f := FromConfiguration(c)
			v := Version{
				Version: number, Description: f.Description, Runtime: f.Runtime, CodeSize: f.CodeSize, CodeSHA256: f.CodeSHA256,
				Layers: []string{}, LastModified: stamp(f.LastModified),
			}
			for _, l := range f.Layers {
				v.Layers = append(v.Layers, l.ARN)
			}
			h.Versions = append(h.Versions, v)
		}
	}
	slices.SortFunc(h.Versions, func(a, b Version) int {
		x, _ := strconv.Atoi(a.Version)
		y, _ := strconv.Atoi(b.Version)
		return cmp.Compare(x, y)
	})
	return nil
}

func (h *History) readAliases(ctx context.Context, client *lambda.Client, arn string) error {
	h.Aliases = []Alias{}
	pages := lambda.NewListAliasesPaginator(client, &lambda.ListAliasesInput{FunctionName: &arn},
		func(o *lambda.ListAliasesPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list aliases: %w", err)
		}
		for _, x := range page.Aliases {
			a := Alias{Name: aws.ToString(x.Name), Version: aws.ToString(x.FunctionVersion), Description: aws.ToString(x.Description)}
			if x.RoutingConfig != nil && len(x.RoutingConfig.AdditionalVersionWeights) > 0 {
				a.Weights = x.RoutingConfig.AdditionalVersionWeights
			}
			h.Aliases = append(h.Aliases, a)
		}
	}
	slices.SortFunc(h.Aliases, func(a, b Alias) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}
