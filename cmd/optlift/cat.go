package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/zipdir"
)

func newCat(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "cat TARGET PATH",
		Short: "Print one file of a function, a layer version or a zip",
		Long: `Print one file: /opt/... or /var/task/... of a function, or a path inside a layer
version or a local zip. A pipe gets the exact bytes; a terminal gets text without
control characters, and no binaries.`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, words []string) error { return runCat(c.Context(), a, words[0], words[1]) },
	}
}

func runCat(ctx context.Context, a *app, name, path string) error {
	opener, err := a.opener()
	if err != nil {
		return err
	}
	opener.Partly = true // a file of the code is there whatever the layers are
	set, err := opener.Open(ctx, name)
	if err != nil {
		return err
	}
	defer set.Close()
	file, err := set.Find(ctx, path)
	if err != nil {
		return err
	}
	if file.Entry.Kind == zipdir.Dir {
		return fmt.Errorf("%s is a directory: see optlift opt %s, or optlift extract", printable(file.Path), printable(name))
	}
	content, err := file.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	if a.io.outTTY {
		return showText(a.io.out, content, path)
	}
	_, err = io.Copy(a.io.out, content)
	return err
}

// showText copies text to a terminal and leaves out what could drive it. What
// looks like a binary is refused, as a screen full of it helps nobody.
func showText(w io.Writer, r io.Reader, name string) error {
	in := bufio.NewReader(r)
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return fmt.Errorf("%s is a binary: send it into a file or a pipe", printable(name))
	}
	out := bufio.NewWriter(w)
	for {
		char, size, err := in.ReadRune()
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		text := string(char)
		if (char != '\n' && char != '\t') || (char == utf8.RuneError && size == 1) {
			text = printable(text)
		}
		if _, err := out.WriteString(text); err != nil {
			return err
		}
	}
}

func newExtract(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "extract TARGET [PATH] -d DIR",
		Short: "Unpack a function, a layer version or a zip, or a part of it",
		Long: `Unpack the merged files of a function (to DIR/opt and DIR/var/task), a layer
version or a local zip, or only what lies at or below PATH. Nothing that is there
is overwritten, and a failure leaves nothing behind.`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, words []string) error {
			if dir == "" {
				return usagef("extract needs -d DIR")
			}
			path := ""
			if len(words) == 2 {
				path = words[1]
			}
			return runExtract(c.Context(), a, words[0], path, dir)
		},
	}
	cmd.Flags().StringVarP(&dir, "directory", "d", "", "directory to unpack into")
	return cmd
}

func runExtract(ctx context.Context, a *app, name, path, dir string) error {
	opener, err := a.opener()
	if err != nil {
		return err
	}
	progress := newProgress(a.io)
	defer progress.done()
	// A part is read by range; the whole is worth a verified download.
	var set *target.Set
	if path == "" || path == "/" {
		set, err = opener.Fetch(ctx, progress.fetch, name)
	} else {
		opener.Partly = true
		set, err = opener.Open(ctx, name)
	}
	if err != nil {
		return err
	}
	defer set.Close()
	got, err := set.Extract(ctx, path, dir, func(done, total int64) { progress.line("extract", done, total) })
	progress.done()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.io.out, "%d files, %s to %s\n", got.Files, humanize.IBytes(uint64(got.Bytes)), printable(dir))
	for _, link := range got.Outside {
		fmt.Fprintf(a.io.err, "optlift: %s is a link that leads out of %s\n", printable(link), printable(dir))
	}
	return nil
}
