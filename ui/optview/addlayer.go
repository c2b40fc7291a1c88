package optview

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/build/whatif"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/offer"
	"github.com/optlift/optlift/ui/screen"
)

const howNamed = "a layer's ARN or name, which without a version is its newest one, or a zip's path"

// place is what becomes of a stack with a layer that was asked for.
type place func(whatif.Stack, whatif.Layer) (whatif.Stack, error)

// askAdd asks for a layer to put on top.
func (s *Screen) askAdd() screen.Effect {
	return s.askLayer("What if a layer came on top?", "", "", func(stack whatif.Stack, l whatif.Layer) (whatif.Stack, error) {
		return stack.Add(l), nil
	})
}

// askReplace asks for what to put in the place of a layer, by its number.
func (s *Screen) askReplace(n int) screen.Effect {
	numbers := s.trial.stack.Numbers()
	i := slices.Index(numbers, n)
	if i < 0 {
		return screen.Effect{}
	}
	now := s.trial.stack.Layers()[i].Source
	return s.askLayer("What if "+name(n)+" "+inventory.ShortLayer(now)+" were another?", s.newer(now), now, func(stack whatif.Stack, l whatif.Layer) (whatif.Stack, error) {
		return stack.Replace(strconv.Itoa(n), l)
	})
}

// newer is what to offer instead of a layer: its newest version where that is
// known; its ARN without a version where that can be asked for; else itself, for
// its version to be typed over.
func (s *Screen) newer(source string) string {
	arn, _, ok := cutVersion(source)
	if !ok {
		return source
	}
	for _, l := range s.inv.Layers() {
		if l.ARN == source && l.Report != nil {
			switch {
			case l.Report.Outdated():
				return arn + ":" + strconv.FormatInt(*l.Report.Newest, 10)
			case l.Report.Foreign:
				return source
			}
		}
	}
	return arn
}

// cutVersion cuts the version from a layer version's ARN.
func cutVersion(arn string) (layer, version string, ok bool) {
	if !account.IsLayerVersion(arn) {
		return "", "", false
	}
	i := strings.LastIndexByte(arn, ':')
	return arn[:i], arn[i+1:], true
}

// askLayer asks for a layer, reads it and tries what becomes of it. start is there
// to begin with, unless it is a text that failed. like is the layer whose versions
// are offered first, "" for none.
func (s *Screen) askLayer(title, start, like string, put place) screen.Effect {
	if s.offers != nil {
		s.offers.Stop()
	}
	offers := offer.New(s.jobs, ".zip", s.layerWords(like)...)
	s.offers = offers
	body := "It is read and merged here; the account stays as it is."
	if f := s.trial.failed; f.why != "" {
		start, body = f.ref, "✗ "+f.why
		s.trial.failed = failure{}
	}
	d := dialog.Entry(title, howNamed, start, body)
	d.Complete = offers.For
	return screen.Effect{
		Cmd: offers.Typed(start),
		Ask: &screen.Question{
			Dialog: d, Typed: offers.Typed,
			Then: func(ref string) screen.Effect {
				offers.Stop()
				if ref == "" || s.set == nil {
					return screen.Effect{}
				}
				return s.readLayer(ref, put)
			},
		},
	}
}

// readLayer opens a layer and tries it.
func (s *Screen) readLayer(ref string, put place) screen.Effect {
	r := &reading{ref: ref}
	opener, near, stack, lent := s.opener, s.set.Near(), s.trial.stack, s.borrowed
	return s.start("reading "+ref, r, func(ctx context.Context) (whatif.Stack, error) {
		l, err := opener.OpenLayer(ctx, dialog.Path(ref), near, func(step string) { r.step.Store(&step) })
		if err != nil {
			return whatif.Stack{}, err
		}
		lent.keep(l)
		return put(stack, l.Layer)
	})
}

// layerWords are the layer versions that the account's functions have, and the
// newest ones known, in the region of the layers on screen: those of the layer
// like first.
func (s *Screen) layerWords(like string) []offer.Word {
	region := account.RegionOfLayer(s.set.Near())
	if region == "" {
		region = account.RegionOfARN(s.set.Near())
	}
	used := map[string]bool{}
	for _, l := range s.trial.stack.Layers() {
		used[l.Source] = true
	}
	var first, rest []offer.Word
	of, _, _ := cutVersion(like)
	add := func(arn string) {
		if used[arn] {
			return
		}
		used[arn] = true
		w := offer.Word{Text: arn, Name: inventory.ShortLayer(arn)}
		if layer, _, _ := cutVersion(arn); layer == of {
			first = append(first, w)
		} else {
			rest = append(rest, w)
		}
	}
	for _, l := range s.inv.Layers() {
		arn, _, ok := cutVersion(l.ARN)
		if !ok || region != "" && account.RegionOfLayer(arn) != region {
			continue
		}
		if l.Report != nil && l.Report.Outdated() {
			add(arn + ":" + strconv.FormatInt(*l.Report.Newest, 10))
		}
		if l.State() != account.Deleted && l.State() != account.Denied {
			add(l.ARN)
		}
	}
	return append(first, rest...)
}
