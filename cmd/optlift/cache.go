package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/account/answers"
	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/lru"
)

// keptCache is one of the program's caches.
type keptCache struct {
	name, path, what string
	limit            int64
	usage            func() (lru.Usage, error)
	prune            func(context.Context, lru.Limit) (lru.Usage, error)
}

// caches lists what the program keeps between runs to be faster in the next.
func (a *app) caches() []keptCache {
	layers, directories, bases, answersDir := a.cache("layers"), a.cache("directories"), a.cache("bases"), a.cache("answers")
	dirs := archive.OpenCache(directories)
	return []keptCache{
		{"layers", layers, "converted layers", storeBytes,
			func() (lru.Usage, error) { return storeUsage(layers) },
			func(ctx context.Context, keep lru.Limit) (lru.Usage, error) { return pruneStore(ctx, layers, keep) }},
		{"directories", directories, "archives' directories", account.CacheBytes, dirs.Usage,
			func(_ context.Context, keep lru.Limit) (lru.Usage, error) { return dirs.Prune(keep) }},
		{"answers", answersDir, "regions' answers", answers.Bytes,
			func() (lru.Usage, error) { return lru.Look(answersDir, nil) },
			func(_ context.Context, keep lru.Limit) (lru.Usage, error) { return lru.Prune(answersDir, nil, keep) }},
		{"bases", bases, "layers of base images", image.BaseCacheBytes,
			func() (lru.Usage, error) { return image.BaseCacheUsage(bases) },
			func(_ context.Context, keep lru.Limit) (lru.Usage, error) { return image.PruneBaseCache(bases, keep) }},
	}
}

// openStore opens a store that exists; looking makes none.
func openStore(dir string) (*layer.Store, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	return layer.OpenStore(dir, storeBytes)
}

func storeUsage(dir string) (lru.Usage, error) {
	s, err := openStore(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return lru.Usage{}, nil
	}
	if err != nil {
		return lru.Usage{}, err
	}
	return asUsage(s.Usage())
}

func pruneStore(ctx context.Context, dir string, keep lru.Limit) (lru.Usage, error) {
	s, err := openStore(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return lru.Usage{}, nil
	}
	if err != nil {
		return lru.Usage{}, err
	}
	if !keep.Since.IsZero() {
		return asUsage(s.PruneUnused(ctx, keep.Since))
	}
	return asUsage(s.Prune(ctx, keep.Bytes))
}

func asUsage(u layer.Usage, err error) (lru.Usage, error) {
	return lru.Usage{Files: u.Layers, Bytes: u.Bytes, Oldest: u.Oldest, Newest: u.Newest}, err
}

// cacheReport is a cache as printed: what it holds, or what was removed from it.
type cacheReport struct {
	Name   string     `json:"name"`
	Path   string     `json:"path"`
	Count  int        `json:"count"`
	Bytes  int64      `json:"bytes"`
	Limit  int64      `json:"limit"`
	Oldest *time.Time `json:"oldest,omitempty"` // when the least recently used was used
	Newest *time.Time `json:"newest,omitempty"`
	what   string
}

func newCacheReport(c keptCache, u lru.Usage) cacheReport {
	r := cacheReport{Name: c.name, Path: c.path, Count: u.Files, Bytes: u.Bytes, Limit: c.limit, what: c.what}
	if u.Files > 0 {
		oldest, newest := u.Oldest.UTC(), u.Newest.UTC()
		r.Oldest, r.Newest = &oldest, &newest
	}
	return r
}

func newCache(a *app) *cobra.Command {
	var format string
	show := func(*cobra.Command, []string) error { return showCaches(a, format) }
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show or prune what is kept on this machine between runs",
		Long: `optlift keeps converted layers, the directories of archives it has looked into,
what AWS answered to audits and the layers of base images, so that the next run need not fetch or make them again.
Each cache keeps to its limit by itself, the least recently used going first;
everything in them can be made again.`,
		Args: args(cobra.NoArgs),
		RunE: show,
	}
	cmd.PersistentFlags().StringVarP(&format, "output", "o", "table", "table or json")
	var all bool
	var olderThan string
	prune := &cobra.Command{
		Use:   "prune [--all | --older-than AGE]",
		Short: "Remove what was not used for longest, down to the limits, or all",
		Args:  args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("output", format, "table", "json"); err != nil {
				return err
			}
			if all && olderThan != "" {
				return usagef("--all and --older-than exclude each other")
			}
			var since time.Time
			if olderThan != "" {
				age, err := parseAge(olderThan)
				if err != nil {
					return err
				}
				since = time.Now().Add(-age)
			}
			return pruneCaches(c.Context(), a, format, all, since)
		},
	}
	prune.Flags().BoolVar(&all, "all", false, "remove everything that is not in use")
	prune.Flags().StringVar(&olderThan, "older-than", "", "remove what was not used for so long: 30d, 12h, 90m")
	cmd.AddCommand(
		&cobra.Command{Use: "show", Short: "Show what the caches hold", Args: args(cobra.NoArgs), RunE: show},
		prune,
	)
	return cmd
}

// parseAge reads a duration, also in days.
func parseAge(s string) (time.Duration, error) {
	age, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		age = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || age < 0 {
		return 0, usagef("--older-than takes an age such as 30d, 12h or 90m, not %q", s)
	}
	return age, nil
}

func showCaches(a *app, format string) error {
	if err := oneOf("output", format, "table", "json"); err != nil {
		return err
	}
	var reports []cacheReport
	for _, c := range a.caches() {
		u, err := c.usage()
		if err != nil {
			return fmt.Errorf("look through the cache of %s: %w", c.what, err)
		}
		reports = append(reports, newCacheReport(c, u))
	}
	if format == "json" {
		return a.io.printJSON(map[string]any{"schema": 1, "caches": reports})
	}
	w := tabwriter.NewWriter(a.io.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CACHE\tHOLDS\tSIZE\tLIMIT\tLAST USED\tLEAST RECENTLY\tPATH")
	for _, r := range reports {
		fmt.Fprintf(w, "%s\t%d %s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Count, r.what, humanize.IBytes(uint64(r.Bytes)),
			humanize.IBytes(uint64(r.Limit)), ageOf(r.Newest), ageOf(r.Oldest), r.Path)
	}
	return w.Flush()
}

func ageOf(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return humanize.Time(*t)
}

func pruneCaches(ctx context.Context, a *app, format string, all bool, since time.Time) error {
	var reports []cacheReport
	for _, c := range a.caches() {
		keep := lru.Limit{Bytes: c.limit, Since: since}
		if all {
			keep = lru.Limit{}
		}
		removed, err := c.prune(ctx, keep)
		if err != nil {
			return fmt.Errorf("prune the cache of %s: %w", c.what, err)
		}
		reports = append(reports, newCacheReport(c, removed))
	}
	if format == "json" {
		return a.io.printJSON(map[string]any{"schema": 1, "removed": reports})
	}
	for _, r := range reports {
		fmt.Fprintf(a.io.out, "removed %d %s, %s, from %s\n", r.Count, r.what, humanize.IBytes(uint64(r.Bytes)), r.Path)
	}
	return nil
}
