package switchover

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sync/errgroup"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/switchover/settings"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/image"
)

// snapshotFile is the snapshot inside a backup. It holds environment values.
const snapshotFile = "snapshot.json"

// saveSnapshot begins a backup.
func saveSnapshot(stateDir, id string, snap *Snapshot) error {
	dir := filepath.Join(stateDir, backupDir, id)
	if err := ownedDir(filepath.Dir(dir)); err != nil {
		return fmt.Errorf("begin the backup: %w", err)
	}
	if err := ownedDir(dir); err != nil {
		return fmt.Errorf("begin the backup: %w", err)
	}
	data, err := json.Marshal(snap)
	if err != nil {
		return fmt.Errorf("begin the backup: %w", err)
	}
	if err := WriteWhole(filepath.Join(dir, snapshotFile), data); err != nil {
		return fmt.Errorf("begin the backup: %w", err)
	}
	return SyncDir(dir)
}

func loadSnapshot(stateDir, id string) (*Snapshot, error) {
	data, err := os.ReadFile(filepath.Join(stateDir, backupDir, id, snapshotFile))
	if err != nil {
		return nil, fmt.Errorf("read the backup of migration %s: %w", id, err)
	}
	var snap Snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		return nil, fmt.Errorf("read the backup of migration %s: %w", id, err)
	}
	return &snap, nil
}

// kept is one archive of a backup.
type kept struct {
	name   string // for people
	file   string
	sum    string // hex SHA-256; also the file's name
	layer  string // ARN, for a layer
	number string // qualifier, for code
}

// archives lists what a backup holds besides the snapshot, each archive once.
func (r *run) archives() ([]kept, error) {
	return archivesOf(r.s.config.StateDir, r.j.start.ID, r.snap)
}

func archivesOf(stateDir, id string, snap *Snapshot) ([]kept, error) {
	dir := filepath.Join(stateDir, backupDir, id)
	var all []kept
	seen := map[string]bool{}
	add := func(k kept, sum string) error {
		var err error
		if k.sum, err = hexSum(sum); err != nil {
			return fmt.Errorf("%s can't be backed up, for it could not be verified: %w", k.name, err)
		}
		if k.file = filepath.Join(dir, k.sum+".zip"); !seen[k.file] {
			seen[k.file] = true
			all = append(all, k)
		}
		return nil
	}
	for _, q := range append([]string{snapshot.Latest}, snap.Carried()...) {
		c, err := snap.ConfigOf(q)
		if err != nil {
			return nil, err
		}
		if err := add(kept{name: "code of " + snap.Function + ":" + q, number: q}, aws.ToString(c.CodeSha256)); err != nil {
			return nil, err
		}
	}
	for _, a := range snap.All(snapshot.KindLayer) {
		value, err := snapshot.Decode[snapshot.LayerValue](a.Value)
		if err != nil {
			return nil, err
		}
		if err := add(kept{name: a.Name, layer: a.Name}, value.CodeSha256); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// stageBackup is the stage of a backup's progress.
const stageBackup image.Stage = "backup"

// backup downloads code and layers into files named by their hash. What is
// there already is verified again.
func backup(ctx context.Context, r *run) (outcome, error) {
	all, err := r.archives()
	if err != nil {
		return outcome{}, err
	}
	there := make([]bool, len(all))
	g, together := errgroup.WithContext(ctx)
	g.SetLimit(downloads)
	for i, k := range all {
		g.Go(func() (err error) {
			there[i], err = r.keep(together, k)
			if err != nil {
				err = fmt.Errorf("back up %s: %w", k.name, err)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return outcome{}, err
	}
	var bytes int64
	var facts []Fact
	for _, k := range all {
		info, err := os.Stat(k.file)
		if err != nil {
			return outcome{}, fmt.Errorf("back up %s: %w", k.name, err)
		}
		bytes += info.Size()
		facts = append(facts, Fact{"archive", fmt.Sprintf("%s, %d bytes, sha256:%s", k.name, info.Size(), k.sum)})
	}
	skipped := !slices.Contains(there, false)
	if err := SyncDir(filepath.Join(r.s.config.StateDir, backupDir, r.j.start.ID)); err != nil {
		return outcome{}, fmt.Errorf("back up %s: %w", r.snap.Function, err)
	}
	return outcome{skipped: skipped, note: fmt.Sprintf("%s, %d bytes, verified by SHA-256", plural(len(all), "archive"), bytes), facts: facts}, nil
}

// downloads bounds the archives on their way at once.
const downloads = 4

// keep downloads an archive that is not there already, and verifies it.
func (r *run) keep(ctx context.Context, k kept) (there bool, err error) {
	err = k.verify()
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errOtherHash) {
		return true, err
	}
	err = archive.Download(ctx, r.s.config.Session.HTTP(), k.name, r.locator(k), k.file, func(done, total int64) {
		r.progress(image.Progress{Stage: stageBackup, Item: k.name, Done: done, Total: total})
	})
	if err != nil {
		return false, err
	}
	return false, k.verify()
}

// sweep takes away what a process that was killed has left half-written.
func sweep(stateDir, id string) error {
	half, err := filepath.Glob(filepath.Join(stateDir, backupDir, id, ".*"))
	for _, name := range half {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// checkBackup makes sure that the way back is still there.
func checkBackup(_ context.Context, r *run) (outcome, error) {
	all, err := r.archives()
	if err != nil {
		return outcome{}, err
	}
	for _, k := range all {
		if err := k.verify(); err != nil {
			return outcome{}, fmt.Errorf("the way back is broken, nothing was changed: %s in the backup: %w", k.name, err)
		}
	}
	return outcome{note: plural(len(all), "archive") + " verified by SHA-256"}, nil
}

var errOtherHash = errors.New("the file's SHA-256 is not what Lambda said")

func (k kept) verify() error {
	f, err := os.Open(k.file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != k.sum {
		return errOtherHash
	}
	return nil
}

// locator asks for a fresh link each time one has run out.
func (r *run) locator(k kept) archive.Locator {
	if k.layer != "" {
		return func(ctx context.Context) (archive.Location, error) {
			got, err := r.api.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &k.layer})
			if err != nil {
				return archive.Location{}, err
			}
			if got.Content == nil {
				return archive.Location{}, errors.New("AWS gives no link to it")
			}
			return archive.Location{URL: aws.ToString(got.Content.Location), SHA256: aws.ToString(got.Content.CodeSha256),
				Size: got.Content.CodeSize}, nil
		}
	}
	return func(ctx context.Context) (archive.Location, error) {
		got, err := r.live(ctx, r.snap.Function, k.number)
		switch {
		case err != nil:
			return archive.Location{}, err
		case got == nil:
			return archive.Location{}, errors.New("the function is gone")
		}
		if sum, err := hexSum(aws.ToString(got.Configuration.CodeSha256)); err != nil || sum != k.sum {
			return archive.Location{}, errors.New("the code was changed by somebody else since it was captured: make a new plan")
		}
		return archive.Location{URL: aws.ToString(got.Code.Location), SHA256: aws.ToString(got.Configuration.CodeSha256),
			Size: got.Configuration.CodeSize}, nil
	}
}

// file is where the backup keeps an archive of a given base64 SHA-256.
func (r *run) file(sum string) (string, error) {
	name, err := hexSum(sum)
	return filepath.Join(r.s.config.StateDir, backupDir, r.j.start.ID, name+".zip"), err
}

// code is what version q is made of: its image, or its zip from the backup.
func (r *run) code(q string) (settings.Code, error) {
	if r.image {
		ref := r.j.fact(imageFact(q))
		if ref == "" {
			return settings.Code{}, fmt.Errorf("no image was pushed for %s", r.snap.Function+colon(q))
		}
		return settings.Code{Image: ref}, nil
	}
	c, err := r.snap.ConfigOf(q)
	if err != nil {
		return settings.Code{}, err
	}
	name, err := r.file(aws.ToString(c.CodeSha256))
	if err != nil {
		return settings.Code{}, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return settings.Code{}, fmt.Errorf("the backup of %s: %w", r.snap.Function+colon(q), err)
	}
	of := settings.Code{}
	if info.Size() >= maxUpload {
		sum := aws.ToString(c.CodeSha256)
		if r.j.fact(objectFact(sum)) == "" {
			return settings.Code{}, fmt.Errorf("the zip of %s has %d bytes and can't be sent in a call (50 MB): name a bucket of its region with --bucket; the zip is kept in %s",
				r.snap.Function+colon(q), info.Size(), name)
		}
		at, err := r.object(sum)
		if err != nil {
			return settings.Code{}, err
		}
		of.Bucket, of.Key = at.bucket, at.key
	}
	if a, found := r.snap.One(snapshot.KindCode, strings.TrimSuffix(q, snapshot.Latest)); found {
		where, err := snapshot.Decode[types.FunctionCodeLocation](a.Value)
		if err != nil {
			return settings.Code{}, err
		}
		of.KMSKey = aws.ToString(where.SourceKMSKeyArn)
	}
	if of.Bucket == "" {
		of.Zip, err = os.ReadFile(name)
	}
	return of, err
}
