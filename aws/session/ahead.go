package session

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/config"
)

// Outlook is what is known of a session before anybody is asked.
type Outlook struct {
	Profile string
	// Regions are those that will be shown, none where nothing names one yet.
	Regions []string
	// Talks tells that signing in runs a program (credential_process), which may
	// ask for something where the user types.
	Talks bool
}

// Ahead reads what the environment and AWS's configuration files say. It asks no
// service and reports no error: Open does, about the same files.
func Ahead(ctx context.Context, opts Options) Outlook {
	o := Outlook{Profile: profileName(opts.Profile)}
	env, err := config.NewEnvConfig()
	if err != nil {
		return o
	}
	shared, err := config.LoadSharedConfigProfile(ctx, o.Profile, func(l *config.LoadSharedConfigOptions) {
		if env.SharedConfigFile != "" {
			l.ConfigFiles = []string{env.SharedConfigFile}
		}
		if env.SharedCredentialsFile != "" {
			l.CredentialsFiles = []string{env.SharedCredentialsFile}
		}
	})
	if err == nil {
		// Keys in the environment come before a profile that nobody named.
		keys := opts.Profile == "" && env.Credentials.HasKeys()
		for s := &shared; s != nil && !keys; s = s.Source {
			o.Talks = o.Talks || s.CredentialProcess != ""
		}
	}
	regions := opts.Regions
	if len(regions) == 0 {
		regions = []string{cmp.Or(env.Region, shared.Region)}
	}
	if regions, err = cleanRegions(regions); err == nil && !(len(regions) == 1 && regions[0] == allRegions) {
		o.Regions = regions
	}
	return o
}

// Check says what is wrong with the options themselves, nil for nothing. It looks
// at nothing else.
func (o Options) Check() error {
	_, err := cleanRegions(o.Regions)
	return err
}
