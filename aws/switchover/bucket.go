package switchover

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/bucket"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/image"
)

// object is where in S3 a zip lies that is too large for a call.
type object struct{ bucket, key string }

func (o object) String() string { return "s3://" + o.bucket + "/" + o.key }

// bucketName is what S3 takes for one
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// ParseBucket reads NAME or NAME/PREFIX, with or without s3:// before it. The
// prefix is "" or ends in a slash.
func ParseBucket(s string) (name, prefix string, err error) {
	name, prefix, _ = strings.Cut(strings.TrimPrefix(s, "s3://"), "/")
	if !bucketName.MatchString(name) {
		return "", "", fmt.Errorf("%q names no bucket: it takes NAME or NAME/PREFIX", s)
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return name, prefix, nil
}

// oversized lists what is carried and too large to be sent back in a call.
func oversized(s *Snapshot) ([]types.FunctionConfiguration, error) {
	var large []types.FunctionConfiguration
	seen := map[string]bool{}
	for _, q := range append([]string{snapshot.Latest}, s.Carried()...) {
		c, err := s.ConfigOf(q)
		if err != nil {
			return nil, err
		}
		if sum := aws.ToString(c.CodeSha256); c.CodeSize >= maxUpload && !seen[sum] {
			seen[sum] = true
			large = append(large, c)
		}
	}
	return large, nil
}

// stashing adds the step that puts such zips into the user's bucket.
func (l *lists) stashing() error {
	large, err := oversized(l.snap)
	if err != nil || len(large) == 0 || l.choices.Bucket == "" {
		return err
	}
	name, prefix, err := ParseBucket(l.choices.Bucket)
	if err != nil {
		return err
	}
	l.add("bucket", Create, "PutObject", object{name, prefix}.String()+" for "+plural(len(large), "zip")+" over 50 MB", "", stash)
	return nil
}

// objectFact is the key under which it is kept where a zip lies.
func objectFact(sum string) string { return "object:" + sum }

// stash puts the zips that a call can't carry into the bucket, under a name of
// this migration's own, and makes sure that they are there whole.
func stash(ctx context.Context, r *run) (outcome, error) {
	large, err := oversized(r.snap)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{skipped: true}
	var where []string
	for _, c := range large {
		o, sent, err := r.stashOne(ctx, aws.ToString(c.CodeSha256))
		if err != nil {
			return outcome{}, err
		}
		out.skipped = out.skipped && !sent
		where = append(where, o.String())
	}
	out.note = strings.Join(where, ", ") + ", verified by SHA-256"
	return out, nil
}

func (r *run) stashOne(ctx context.Context, sum string) (o object, sent bool, err error) {
	file, err := r.file(sum)
	if err != nil {
		return o, false, err
	}
	if o, err = r.object(sum); err != nil {
		return o, false, err
	}
	api := session.S3(r.s.config.Session, r.s.config.Region)
	if err := inRegion(ctx, api, o.bucket, r.s.config.Region); err != nil {
		return o, false, err
	}
	if whole, err := r.whole(ctx, api, o, sum, file); err != nil || whole {
		return o, false, errors.Join(err, r.j.set(objectFact(sum), o.bucket+"/"+o.key))
	}
	if err := r.put(ctx, api, o, sum, file); err != nil {
		return o, false, fmt.Errorf("put the zip of %s into %s: %w", r.snap.Function, o, err)
	}
	switch whole, err := r.whole(ctx, api, o, sum, file); {
	case err != nil:
		return o, true, err
	case !whole:
		return o, true, fmt.Errorf("%s does not hold the zip that was put there", o)
	}
	return o, true, r.j.set(objectFact(sum), o.bucket+"/"+o.key)
}

// object is where a zip lies, or will.
func (r *run) object(sum string) (object, error) {
	if bucket, key, ok := strings.Cut(r.j.fact(objectFact(sum)), "/"); ok {
		return object{bucket, key}, nil
	}
	bucket, prefix, err := ParseBucket(r.choices.Bucket)
	if err != nil {
		return object{}, err
	}
	hexed, err := hexSum(sum)
	return object{bucket, prefix + "optlift/" + r.j.start.ID + "/" + hexed + ".zip"}, err
}

// inRegion makes sure that a bucket can be used: Lambda takes code from its own
// region only (https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html).
func inRegion(ctx context.Context, api *bucket.Client, name, region string) error {
	at, err := api.Region(ctx, name)
	if err != nil {
		at = session.BucketRegion(err)
	}
	if err != nil && (at == "" || at == region) {
		return fmt.Errorf("look at bucket %s in %s: %w", name, region, err)
	}
	if at != "" && at != region {
		return fmt.Errorf("bucket %s is in %s, and Lambda takes code from its own region %s only: name another one", name, at, region)
	}
	return nil
}

// whole reports whether the object is there and has the right content: by the
// checksum that S3 has verified and kept, or else by reading it.
func (r *run) whole(ctx context.Context, api *bucket.Client, o object, sum, file string) (bool, error) {
	info, err := os.Stat(file)
	if err != nil {
		return false, fmt.Errorf("the backup of %s: %w", r.snap.Function, err)
	}
	kept, err := api.Stat(ctx, o.bucket, o.key)
	switch {
	case errors.Is(err, bucket.ErrNone):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look at %s: %w", o, err)
	case kept.Size != info.Size():
		return false, nil
	case kept.SHA256 != "":
		return kept.SHA256 == sum, nil
	}
	ctx, moved, stop := watched(ctx, r.s.callTimeout)
	defer stop()
	got, err := api.Get(ctx, o.bucket, o.key)
	if err != nil {
		return false, fmt.Errorf("read %s again: %w", o, err)
	}
	defer got.Close()
	h := sha256.New()
	if _, err := io.Copy(h, &ticking{got, func(int64) { moved() }, 0}); err != nil {
		return false, fmt.Errorf("read %s again: %w", o, err)
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil)) == sum, nil
}

// put uploads a zip.
func (r *run) put(ctx context.Context, api *bucket.Client, o object, sum, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return r.upload(ctx, "PutObject", o.String(), func(ctx context.Context) error {
		ctx, moved, stop := watched(ctx, r.s.callTimeout)
		defer stop()
		body := &tickingFile{f, ticking{f, func(done int64) {
			moved()
			r.progress(image.Progress{Stage: stageBucket, Item: o.bucket, Done: min(done, info.Size()), Total: info.Size()})
		}, 0}}
		err := api.Put(ctx, o.bucket, o.key, body, info.Size(), sum)
		if err != nil && errors.Is(context.Cause(ctx), errSilent) {
			err = errSilent
		}
		return err
	})
}

// stageBucket is the stage of an upload's progress.
const stageBucket image.Stage = "bucket"

// ticking tells how many bytes were read.
type ticking struct {
	io.Reader
	tick func(done int64)
	done int64
}

func (t *ticking) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.done += int64(n)
	t.tick(t.done)
	return n, err
}

// tickingFile is a file that tells how much of it was read since it was rewound:
// it is read again with each try.
type tickingFile struct {
	file *os.File
	ticking
}

func (t *tickingFile) Read(p []byte) (int, error) { return t.ticking.Read(p) }

func (t *tickingFile) Seek(offset int64, whence int) (int64, error) {
	at, err := t.file.Seek(offset, whence)
	if err == nil {
		t.done = at
	}
	return at, err
}
