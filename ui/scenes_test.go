package ui

import (
	"slices"
	"testing"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/config"
)

// scene is a screen in a state that matters, reached by keys.
type scene struct {
	name string
	play func(t *testing.T, w, h int) *robot
}

// scenes are all of them. A new screen adds its own here.
var scenes = slices.Concat(scenesOfSignIn, scenesOfList, scenesOfRooms, scenesOfBulk, scenesOfLooks)

// scenesOfList are the first screen and what every screen has.
var scenesOfList = []scene{
	{"functions", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(40), w, h).settle() }},
	{"functions-profiles", func(t *testing.T, w, h int) *robot { return newRobot(t, newFakes(40), w, h).settle().press("down") }},
	{"functions-filling", func(t *testing.T, w, h int) *robot {
		b := newFake(9)
		b.hold = make(chan struct{})
		r := newRobot(t, b, w, h)
		for range 12 {
			b.hold <- struct{}{}
		}
		return r.see("3 of 9 measured")
	}},
	{"functions-loading", func(t *testing.T, w, h int) *robot {
		b := newFake(9)
		b.hold = make(chan struct{})
		return newRobot(t, b, w, h).see("Listing the functions")
	}},
	{"functions-empty", func(t *testing.T, w, h int) *robot {
		b := newFake(0)
		b.functions = nil
		return newRobot(t, b, w, h).settle()
	}},
	{"functions-denied", func(t *testing.T, w, h int) *robot {
		b := newFake(0)
		b.functions = nil
		b.errors = []account.RegionError{{Region: fakeRegion, Message: "AccessDeniedException: lambda:ListFunctions is not allowed for role/dev; ask for lambda:ListFunctions, or choose another profile with --profile"}}
		return newRobot(t, b, w, h).settle()
	}},
	{"functions-region-failed", func(t *testing.T, w, h int) *robot {
		b := newFake(6)
		b.regions = []string{fakeRegion, "us-east-1"}
		b.errors = []account.RegionError{{Region: "us-east-1", Message: "no answer within 10 s"}}
		return newRobot(t, b, w, h).settle()
	}},
	{"functions-filtering", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("/").write("ext:collector size>20MB")
	}},
	{"functions-marked", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("space", "down", "space", "/").write("api").press("enter")
	}},
	{"functions-nothing-found", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(6), w, h).settle().press("/").write("nothing-is-called-so").press("enter")
	}},
	{"functions-wrong-filter", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(6), w, h).settle().press("/").write("size>much")
	}},
	{"functions-own-columns", func(t *testing.T, w, h int) *robot {
		return newRobotWith(t, newFake(12), w, h, configured(func(c *config.Config) {
			c.Layout.Columns, c.Layout.Sort = []string{"percent", "name", "managed", "memory", "modified", "handler"}, "name"
		})).settle()
	}},
	{"columns", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(6), w, h).settle().press("c", "down", "space", "down", ">", "+")
	}},
	{"saved-filters", func(t *testing.T, w, h int) *robot {
		return newRobotWith(t, newFake(40), w, h, configured(func(c *config.Config) {
			c.Filters = map[string]string{"big": "size>200MB", "node-on-arm": "runtime:nodejs arch:arm64 !managed:CloudFormation"}
		})).settle().press("f", "down")
	}},
	{"themes", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(6), w, h).settle().press(":").write("theme").press("enter", "down", "up")
	}},
	{"armed", func(t *testing.T, w, h int) *robot {
		b := newFake(12)
		b.armed = true
		return newRobot(t, b, w, h).settle()
	}},
	{"export", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(40), w, h).settle().press("e") }},
	{"arm", func(t *testing.T, w, h int) *robot { return migrateTo(t, newFake(10), w, h).press("a") }},
	{"log", func(t *testing.T, w, h int) *robot {
		return newRobot(t, nastyBackend(), w, h).settle().press("!")
	}},
	{"help", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(10), w, h).settle().press("?") }},
	{"palette", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(10), w, h).settle().press(":") }},
}
