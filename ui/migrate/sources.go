package migrate

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/overlay"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// The three ways in which a layer's files get into an image.
const (
	publisher = "a" // from the image of the layer's publisher
	contents  = "b" // from the layer version's zip
	published = "c" // from an image of the layer alone, made here
)

// sources is where each layer of the function comes from. The plan is made again
// with what is chosen.
type sources struct {
	keys.Hints
	of    *Screen
	list  list.List
	above int // lines above the layers, as drawn last
	rows  []source
	job   *job.Job
	busy  int // the row that job is about
	told  *job.Stream[image.Progress]
	note  string // how far the job is
}

// source is a layer and what is known of its ways.
type source struct {
	arn     string
	vendor  string // its publisher's image, "" where none is known
	from    string // the image in force, "" for the zip
	way     string
	refused string // why the publisher's image, or the last one asked for, was not taken
	asked   string // the image that was refused
}

func newSources(of *Screen) *sources {
	s := &sources{of: of, busy: -1}
	for _, arn := range of.layers {
		x := source{arn: arn, vendor: overlay.ImageFor(arn), from: of.choices.LayerImages[arn], way: contents}
		switch {
		case x.from == "":
		case x.from == of.published[arn]:
			x.way = published
		default:
			x.way = publisher
		}
		s.rows = append(s.rows, x)
	}
	s.list.Sync(len(s.rows), func(i int) string { return s.rows[i].arn })
	return s
}

// Crumb implements screen.Screen.
func (s *sources) Crumb() string { return "layers from" }

// Count implements screen.Counter.
func (s *sources) Count() string { return draw.Plural(len(s.rows), "layer") }

func (s *sources) selected() *source {
	if c := s.list.Cursor(); c >= 0 {
		return &s.rows[c]
	}
	return nil
}

// Actions implements screen.Screen.
func (s *sources) Actions() []keys.Action {
	const group = "Layers"
	busy, vendor := "", ""
	if s.job != nil {
		busy, vendor = "one image at a time", "one image at a time"
	} else if x := s.selected(); x != nil && x.vendor == "" {
		vendor = "no image of this layer's publisher is known"
	}
	return append([]keys.Action{
		{ID: publisher, Keys: []string{"a"}, Label: "publisher's image", Group: group, Help: "take the layer's files from its publisher's image, if it holds the same", Disabled: vendor},
		{ID: contents, Keys: []string{"b"}, Label: "zip", Group: group, Help: "take them from the layer version's zip", Disabled: busy},
		{ID: published, Keys: []string{"c"}, Label: "own image", Group: group, Help: "publish the layer as an image of its own and take them from there", Disabled: busy},
		{ID: "other", Keys: []string{"i"}, Label: "other image", Minor: true, Group: group, Help: "take them from an image you name, if it holds the same", Disabled: busy},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (s *sources) Do(id string) screen.Effect {
	x := s.selected()
	if x == nil {
		return screen.Effect{}
	}
	switch id {
	case contents:
		was := x.from
		x.way, x.from, x.refused = contents, "", ""
		if was != "" {
			return s.choose(x)
		}
	case publisher:
		return s.compare(x.vendor)
	case "other":
		return screen.Effect{Ask: &screen.Question{
			Dialog: dialog.Entry("Take "+inventory.ShortLayer(x.arn)+" from an image", "an image's name, with its tag or digest", x.from,
				"It is compared with the layer's zip first, and taken only if its /opt holds the same files."),
			Then: func(answer string) screen.Effect {
				if answer == "" {
					return screen.Effect{}
				}
				return s.compare(answer)
			},
		}}
	case published:
		return screen.Effect{Arm: s.askPublish}
	default:
		if s.list.Do(id) {
			s.list.Remember(s.selected().arn)
		}
	}
	return screen.Effect{}
}

// choose puts a row's image into the choices of the plan, which is made again.
func (s *sources) choose(x *source) screen.Effect {
	of := s.of
	images := map[string]string{}
	for arn, image := range of.choices.LayerImages {
		images[arn] = image
	}
	delete(images, x.arn)
	if x.from != "" {
		images[x.arn] = x.from
	}
	if len(images) == 0 {
		images = nil
	}
	of.choices.LayerImages = images
	return of.Plan()
}

// compare takes the selected layer from an image, if it holds the same.
func (s *sources) compare(reference string) screen.Effect {
	x, sw, function := s.selected(), s.of.switcher, s.of.arn
	layer := x.arn
	x.refused, x.asked = "", reference
	return s.start("comparing "+reference, func(ctx context.Context, _ func(image.Progress)) (string, error) {
		return sw.CompareLayer(ctx, function, layer, reference)
	})
}

// askPublish asks where to an image of the selected layer alone is pushed.
func (s *sources) askPublish() screen.Effect {
	x := s.selected()
	if x == nil || s.job != nil {
		return screen.Effect{}
	}
	return screen.Effect{Ask: &screen.Question{
		Dialog: dialog.Entry("Publish "+inventory.ShortLayer(x.arn)+" as an image", "REPOSITORY:TAG in ECR", repository(x.arn),
			"An image of this layer alone is made, proven against its zip and pushed. The repository is created if it is not there. Any Dockerfile can then COPY --from it."),
		Then: func(to string) screen.Effect {
			if to == "" {
				return screen.Effect{}
			}
			sw, function, layer := s.of.switcher, s.of.arn, x.arn
			x.refused, x.asked = "", to
			effect := s.start("publishing "+inventory.ShortLayer(layer), func(ctx context.Context, progress func(image.Progress)) (string, error) {
				return sw.PublishLayer(ctx, function, layer, to, progress)
			})
			s.rows[s.busy].way = published
			return effect
		},
	}}
}

// repository is a name for a layer's image that ECR takes
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
func repository(arn string) string {
	name, version, _ := strings.Cut(inventory.ShortLayer(arn), ":")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' })
	return "layers/" + strings.Join(words, "-") + ":" + version
}

func (s *sources) start(name string, work func(context.Context, func(image.Progress)) (string, error)) screen.Effect {
	sw, told := s.of.switcher, &job.Stream[image.Progress]{Merge: func(last *image.Progress, p image.Progress) bool { *last = p; return true }}
	j, cmd := s.of.jobs.Start(name, false, func(ctx context.Context) (any, error) {
		reference, err := work(ctx, told.Put)
		if err != nil {
			return nil, explain(sw, err)
		}
		return reference, nil
	})
	s.job, s.told, s.note, s.busy = j, told, name+" …", s.list.Cursor()
	return screen.Effect{Cmd: cmd}
}

// Update implements screen.Screen.
func (s *sources) Update(msg tea.Msg) screen.Effect {
	switch msg := msg.(type) {
	case screen.Tick:
		if s.told != nil {
			for _, p := range s.told.Take() {
				s.note = string(p.Stage) + " " + draw.Bytes(p.Done)
				if p.Total > 0 {
					s.note += " of " + draw.Bytes(p.Total)
				}
			}
		}
	case job.Done:
		if s.job == nil || msg.ID != s.job.ID {
			return screen.Effect{}
		}
		cancelled := s.job.Cancelled()
		x := &s.rows[s.busy]
		s.job, s.told, s.busy = nil, nil, -1
		reference, _ := msg.Value.(string)
		if msg.Err != nil || reference == "" {
			// What was in force before stays.
			if x.way == published && x.from != s.of.published[x.arn] || x.from == "" {
				x.way = contents
				if x.from != "" {
					x.way = publisher
				}
			}
			if cancelled || msg.Err == nil {
				return screen.Effect{}
			}
			x.refused = msg.Err.Error()
			return screen.Say(screen.Warn, "not taken: "+x.refused)
		}
		if x.way == published {
			s.of.published[x.arn] = reference
		} else {
			x.way = publisher
		}
		x.from = reference
		effect := s.choose(x)
		effect.Note, effect.Level = inventory.ShortLayer(x.arn)+" is taken from "+reference, screen.Good
		return effect
	}
	return screen.Effect{}
}

// Close implements screen.Screen.
func (s *sources) Close() {
	if s.job != nil {
		s.job.Cancel()
	}
}

// View implements screen.Screen.
func (s *sources) View(st *theme.Styles, w, h int) []string {
	v := view{st: st, w: w}
	v.say(theme.Dim, "Each layer's files get into the image in one of three ways. All are compared with the layer's zip, file by file.")
	v.blank()
	s.above = len(v.out)
	from, to := s.list.Window(max(h-10, 1))
	for i := from; i < to; i++ {
		x := &s.rows[i]
		l := draw.NewLine(st, w, i == s.list.Cursor())
		m := " "
		if i == s.list.Cursor() {
			m = "▌"
		}
		l.Cell(theme.Accent, m, 1).Put(theme.Block(i+1), " "+theme.Letter(i+1)+" ").Gap(1).Cell(theme.Plain, inventory.ShortLayer(x.arn), min(max(w/3, 20), 40)).Gap(1)
		l.Put(theme.Accent, s.Key(x.way)+" ")
		switch {
		case i == s.busy:
			l.Put(theme.Warn, s.note)
		case x.from != "":
			l.Tail(theme.Plain, x.from, l.Left()-1)
		default:
			l.Put(theme.Plain, "its zip")
		}
		v.put(l)
	}
	x := s.selected()
	if x == nil {
		return v.out
	}
	v.blank()
	way := func(key, name, text string, possible bool) {
		on := "  "
		if x.way == key {
			on = "● "
		}
		tone := theme.Plain
		if !possible {
			tone = theme.Dim
		}
		v.put(v.line().Put(theme.Good, on).Put(theme.Accent, s.Key(key)+" ").Put(tone, name))
		v.out = append(v.out, draw.Para(st, w-1, 5, theme.Dim, text)...)
	}
	if x.vendor == "" {
		way(publisher, "its publisher's image", "not possible: no image of this layer's publisher is known", false)
	} else {
		way(publisher, "its publisher's image", x.vendor, true)
	}
	way(contents, "its contents, from the zip", "read once with your credentials; nothing of them gets into the image", true)
	way(published, "an image of its own", "pushed to "+repository(x.arn)+" first, for any Dockerfile to COPY --from", true)
	if x.refused != "" {
		v.out = append(v.out, draw.Para(st, w-1, 1, theme.Bad, "✗ "+x.asked+" was not taken: "+x.refused)...)
	}
	return v.out[:min(len(v.out), h)]
}

// sources draws in a plan where its layers come from.
func (v *view) sources(s *Screen) {
	if len(s.layers) == 0 {
		return
	}
	v.blank()
	v.put(v.line().Put(theme.Head, "LAYERS").Put(theme.Dim, "  "+s.Key("sources")+" chooses where their files come from"))
	for i, arn := range s.layers {
		l := v.line().Gap(1).Put(theme.Layer(i+1), theme.Letter(i+1)+" ").Cell(theme.Plain, inventory.ShortLayer(arn), nameWidth(v.w)).Gap(1)
		if from := s.choices.LayerImages[arn]; from != "" {
			l.Tail(theme.Plain, from, l.Left()-1)
		} else {
			l.Put(theme.Dim, "its zip")
		}
		v.put(l)
	}
}
