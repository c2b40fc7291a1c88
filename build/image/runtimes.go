package image

import (
	"fmt"
	"strings"
	"time"
)

// OS is the Amazon Linux that a runtime stands on.
type OS string

// The operating systems of Lambda's runtimes.
const (
	AL1    OS = "Amazon Linux"
	AL2    OS = "Amazon Linux 2"
	AL2023 OS = "Amazon Linux 2023"
)

// Runtime is a Lambda runtime identifier and what is known of it.
type Runtime struct {
	ID string
	// Base is the repository and tag of the base image that AWS publishes below
	// DefaultBaseRegistry, "" where there is none.
	Base string
	OS   OS
	// Deprecated is the day on which standard support ends or ended, in UTC; zero
	// where no date is known.
	Deprecated time.Time
	// Blocked is the day from which functions of the runtime can't be updated any
	// more; zero where no date is known.
	Blocked time.Time
	// Preview says that the base image was last seen under a preview tag.
	Preview bool
}

// OSOnly reports whether the runtime is an operating system without a language:
// the function brings its own bootstrap.
func (r Runtime) OSOnly() bool { return osOnly(r.ID) }

func osOnly(id string) bool { return id == "provided" || strings.HasPrefix(id, "provided.") }

// Runtimes lists every runtime identifier that Lambda's API knows, newest first
// within a language.
//
// Names and tags follow "public.ecr.aws/lambda/{runtime}:{version}"
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html and the
// branches of https://github.com/aws/aws-lambda-base-images); a tag without an
// architecture is a list of both. Dates are those of
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, as
// collected by https://endoflife.date/aws-lambda. AWS moves such dates: they
// inform, nothing is decided by them. Deprecated tags stay pullable as far as
// AWS has said (README of aws-lambda-base-images); a registry that lacks one
// says so when it is asked.
func Runtimes() []Runtime {
	none := time.Time{}
	blocked2027 := day(2027, 3, 3) // AWS's common date for the runtimes that it ended in 2026
	return []Runtime{
		// Identifier known to the SDK since 2026-07-30; base image announced as a preview.
		{"nodejs26.x", "nodejs:26-preview", AL2023, none, none, true},
		{"nodejs24.x", "nodejs:24", AL2023, day(2028, 4, 30), none, false},
		{"nodejs22.x", "nodejs:22", AL2023, day(2027, 4, 30), none, false},
		{"nodejs20.x", "nodejs:20", AL2023, day(2026, 4, 30), blocked2027, false},
		{"nodejs18.x", "nodejs:18", AL2, day(2025, 9, 1), none, false},
		{"nodejs16.x", "nodejs:16", AL2, day(2024, 6, 12), none, false},
		{"nodejs14.x", "nodejs:14", AL2, day(2023, 12, 4), none, false},
		{"nodejs12.x", "nodejs:12", AL2, day(2023, 3, 31), none, false},
		{"nodejs10.x", "nodejs:10", AL2, day(2021, 7, 30), day(2022, 2, 14), false},
		// Older than container images on Lambda (December 2020): no base image.
		{"nodejs8.10", "", AL1, day(2020, 3, 6), day(2020, 3, 6), false},
		{"nodejs6.10", "", AL1, day(2019, 8, 12), day(2019, 8, 12), false},
		{"nodejs4.3", "", AL1, day(2020, 3, 5), day(2020, 3, 5), false},
		{"nodejs4.3-edge", "", AL1, day(2019, 4, 30), day(2019, 4, 30), false},
		{"nodejs", "", AL1, day(2016, 10, 31), day(2016, 10, 31), false},

		// As nodejs26.x.
		{"python3.15", "python:3.15-preview", AL2023, none, none, true},
		{"python3.14", "python:3.14", AL2023, day(2029, 6, 30), none, false},
		{"python3.13", "python:3.13", AL2023, day(2029, 6, 30), none, false},
		{"python3.12", "python:3.12", AL2023, day(2028, 10, 31), none, false},
		{"python3.11", "python:3.11", AL2, day(2027, 6, 30), none, false},
		{"python3.10", "python:3.10", AL2, day(2026, 10, 31), none, false},
		{"python3.9", "python:3.9", AL2, day(2025, 12, 15), none, false},
		{"python3.8", "python:3.8", AL2, day(2024, 10, 14), none, false},
		{"python3.7", "python:3.7", AL1, day(2023, 12, 4), none, false},
		{"python3.6", "python:3.6", AL1, day(2022, 7, 18), day(2022, 8, 29), false},
		{"python2.7", "python:2.7", AL1, day(2021, 7, 15), day(2022, 5, 30), false},

		{"java25", "java:25", AL2023, day(2029, 6, 30), none, false},
		{"java21", "java:21", AL2023, day(2029, 6, 30), none, false},
		// New in July 2026; the tags follow the naming rule.
		{"java17.al2023", "java:17.al2023", AL2023, day(2029, 6, 30), none, false},
		{"java11.al2023", "java:11.al2023", AL2023, day(2029, 6, 30), none, false},
		{"java8.al2023", "java:8.al2023", AL2023, day(2029, 6, 30), none, false},
		// Extended together: https://docs.aws.amazon.com/lambda/latest/dg/java-image.html
		{"java17", "java:17", AL2, day(2027, 6, 30), none, false},
		{"java11", "java:11", AL2, day(2027, 6, 30), none, false},
		{"java8.al2", "java:8.al2", AL2, day(2027, 6, 30), none, false},
		{"java8", "java:8", AL1, day(2024, 1, 8), none, false},

		{"dotnet10", "dotnet:10", AL2023, day(2028, 11, 14), none, false},
		{"dotnet8", "dotnet:8", AL2023, day(2026, 11, 10), blocked2027, false},
		{"dotnet6", "dotnet:6", AL2, day(2024, 12, 20), none, false},
		{"dotnetcore3.1", "dotnet:core3.1", AL2, day(2023, 4, 3), none, false},
		{"dotnetcore2.1", "dotnet:core2.1", AL1, day(2022, 1, 5), day(2022, 4, 13), false},
		{"dotnetcore2.0", "", AL1, day(2019, 5, 30), day(2019, 5, 30), false},
		{"dotnetcore1.0", "", AL1, day(2019, 7, 30), day(2019, 7, 30), false},

		{"ruby4.0", "ruby:4.0", AL2023, day(2029, 3, 31), none, false},
		{"ruby3.4", "ruby:3.4", AL2023, day(2028, 3, 31), none, false},
		{"ruby3.3", "ruby:3.3", AL2023, day(2027, 3, 31), none, false},
		{"ruby3.2", "ruby:3.2", AL2, day(2026, 3, 31), none, false},
		{"ruby2.7", "ruby:2.7", AL2, day(2023, 12, 7), none, false},
		{"ruby2.5", "ruby:2.5", AL1, day(2021, 7, 30), day(2022, 3, 31), false},

		{"provided.al2023", "provided:al2023", AL2023, day(2029, 6, 30), none, false},
		{"provided.al2", "provided:al2", AL2, day(2026, 7, 31), blocked2027, false},
		{"provided", "provided:alami", AL1, day(2024, 1, 8), none, false},
		// x86_64 only (https://github.com/aws/aws-lambda-base-images/issues/37).
		{"go1.x", "go:1", AL1, day(2024, 1, 8), none, false},
	}
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// RuntimeFor looks a runtime identifier up.
func RuntimeFor(id string) (Runtime, bool) {
	for _, r := range Runtimes() {
		if r.ID == id {
			return r, true
		}
	}
	return Runtime{}, false
}

// BaseFor returns the repository and tag ("nodejs:22") that AWS publishes for a
// runtime identifier. An identifier without one is an error that says so.
func BaseFor(runtime string) (string, error) {
	r, known := RuntimeFor(runtime)
	switch {
	case runtime == "":
		return "", fmt.Errorf("no runtime is named: give one (such as nodejs22.x), or a base image with --base")
	case !known:
		return "", fmt.Errorf("no base image is known for the runtime %q: check its spelling, or name a base image with --base", runtime)
	case r.Base == "":
		return "", fmt.Errorf("AWS publishes no base image for the runtime %s: name one with --base", runtime)
	}
	return r.Base, nil
}
