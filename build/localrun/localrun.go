package localrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Engines are the container engines that take docker's command line, in the order
// they are looked for.
func Engines() []string { return []string{"docker", "podman", "finch", "nerdctl"} }

// Find returns the first engine that is installed and answers, or why there is
// none. A client without its daemon is no engine.
func Find(ctx context.Context) (string, error) {
	var why []string
	for _, e := range Engines() {
		if _, err := exec.LookPath(e); err != nil {
			continue
		}
		if _, err := output(ctx, e, "info"); err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			why = append(why, fmt.Sprintf("%s is installed, but does not answer", e))
			continue
		}
		return e, nil
	}
	if len(why) == 0 {
		why = append(why, "none of "+strings.Join(Engines(), ", ")+" is installed")
	}
	return "", errors.New("no container engine is here: " + strings.Join(why, "; "))
}

// Run is one run of one image.
type Run struct {
	Engine   string // "docker"
	Image    string // what the engine knows it by
	Platform string // "linux/arm64"
	Port     int    // on the loopback address
	Function string // name that the runtime sees; "" leaves the emulator's own
	MemoryMB int
	Timeout  int    // seconds
	EnvFile  string // in the engine's own format; "" is none
}

// Args is the engine's command that starts the container. It holds no secret: an
// environment comes from a file of the user's.
func (r Run) Args() []string {
	args := []string{"run", "--rm", "--platform", r.Platform, "-p", fmt.Sprintf("127.0.0.1:%d:8080", r.Port)}
	for _, v := range []struct{ name, value string }{
		{"NAME", r.Function}, {"MEMORY_SIZE", positive(r.MemoryMB)}, {"TIMEOUT", positive(r.Timeout)},
	} {
		if v.value != "" {
			args = append(args, "-e", "AWS_LAMBDA_FUNCTION_"+v.name+"="+v.value)
		}
	}
	if r.EnvFile != "" {
		args = append(args, "--env-file", r.EnvFile)
	}
	return append(args, r.Image)
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// URL is where the emulator takes events
// (https://docs.aws.amazon.com/lambda/latest/dg/images-test.html).
func (r Run) URL() string {
	return fmt.Sprintf("http://127.0.0.1:%d/2015-03-31/functions/function/invocations", r.Port)
}

// Load hands the engine a tarball in docker's format.
func Load(ctx context.Context, engine, tarball string) error {
	_, err := output(ctx, engine, "load", "-i", tarball)
	return err
}

// maxAnswer bounds what is read of an answer; Lambda's own is 6 MB
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxAnswer = 32 << 20

// pause is between two tries to reach a container that is starting.
const pause = 100 * time.Millisecond

// Invoke starts the container, sends it one event, returns the answer and stops
// it. What the container writes goes to log. A container that ends before it
// answers is an error.
func (r Run) Invoke(ctx context.Context, event []byte, log io.Writer) ([]byte, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(ctx, r.Engine, r.Args()...)
	cmd.Stdout, cmd.Stderr = log, log
	// The engine stops its container when it is asked to, and not when it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", r.Engine, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	answers := make(chan answer, 1)
	go func() { answers <- r.post(ctx, event) }()
	select {
	case a := <-answers:
		stop()
		<-ended
		return a.body, a.err
	case err := <-ended:
		stop()
		if err == nil {
			err = errors.New("exit status 0")
		}
		return nil, fmt.Errorf("the container of %s ended before it answered: %w; its output says why", r.Image, err)
	}
}

type answer struct {
	body []byte
	err  error
}

// post tries until the emulator listens: an engine's proxy does so before.
func (r Run) post(ctx context.Context, event []byte) answer {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL(), bytes.NewReader(event))
		if err != nil {
			return answer{err: err}
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
			res.Body.Close()
			return answer{body, err}
		}
		select {
		case <-ctx.Done():
			return answer{err: ctx.Err()}
		case <-time.After(pause):
		}
	}
}

// FreePort returns a port of the loopback address that nobody listens on.
func FreePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// output runs a program to its end; its error holds the last line that it wrote.
func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, lines[len(lines)-1])
	}
	return string(out), nil
}
