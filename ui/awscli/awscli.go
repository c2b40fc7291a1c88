package awscli

import "strings"

// Account is where a call goes.
type Account struct {
	Profile string // "" for the environment's
	// Profiles are, by account, those to use instead of Profile.
	Profiles map[string]string
}

// Of is where a call goes that is about something with an ARN.
func (a Account) Of(arn string) Account {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && a.Profiles[parts[4]] != "" {
		a.Profile = a.Profiles[parts[4]]
	}
	return a
}

func (a Account) call(region string, words ...string) string {
	out := []string{"aws"}
	out = append(out, words...)
	if region != "" {
		out = append(out, "--region", region)
	}
	if a.Profile != "" {
		out = append(out, "--profile", a.Profile)
	}
	for i, w := range out {
		out[i] = Quote(w)
	}
	return strings.Join(out, " ")
}

// ListFunctions lists a region's functions.
func (a Account) ListFunctions(region string) string {
	return a.call(region, "lambda", "list-functions")
}

// GetFunction reads one function.
func (a Account) GetFunction(arn string) string {
	return a.Of(arn).call(Region(arn), "lambda", "get-function", "--function-name", arn)
}

// GetLayer reads a layer version.
func (a Account) GetLayer(arn string) string {
	return a.Of(arn).call(Region(arn), "lambda", "get-layer-version-by-arn", "--arn", arn)
}

// Optlift is a command of this program about something with an ARN, or about what
// is on this machine.
func (a Account) Optlift(arn string, words ...string) string {
	out := append([]string{"optlift"}, words...)
	if p := a.Of(arn).Profile; p != "" && strings.HasPrefix(arn, "arn:") {
		out = append(out, "--profile", p)
	}
	for i, w := range out {
		out[i] = Quote(w)
	}
	return strings.Join(out, " ")
}

// Region is the region of an ARN, "" when it names none.
func Region(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 && parts[0] == "arn" {
		return parts[3]
	}
	return ""
}

// Quote quotes a word for a POSIX shell where it needs it.
func Quote(w string) string {
	if w == "" {
		return "''"
	}
	for _, r := range w {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
		if !ok {
			return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return w
}
