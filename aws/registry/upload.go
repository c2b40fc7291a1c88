package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/optlift/optlift/aws/session"
)

// Uploader sends an image's layers while the image is still made, a few at once:
// layers that are finished, and layers that grow and know their digest only at
// the end, such as build/layer's. What a registry holds of a layer belongs to
// nothing until the image's manifest names it, which is for Push.
type Uploader struct {
	client *Client
	ctx    context.Context
	cancel context.CancelFunc
	open   func() (destination, error)
	slots  chan struct{}

	running sync.WaitGroup

	mu          sync.Mutex
	sent, total int64
	progress    func(done, total int64)
}

type destination struct {
	repo   Repository
	name   name.Repository
	pusher *remote.Pusher
}

// Uploader returns an Uploader into the repository that ensure answers; it is
// asked once, when there is something to send. Whoever gets it calls Close.
func (c *Client) Uploader(ctx context.Context, ensure func(context.Context) (Repository, error)) *Uploader {
	u := &Uploader{client: c, slots: make(chan struct{}, uploads)}
	u.ctx, u.cancel = context.WithCancel(ctx)
	u.open = sync.OnceValues(func() (d destination, err error) {
		if !c.armed() {
			return d, fmt.Errorf("the image's layers were not sent: %w", session.ErrReadOnly)
		}
		if d.repo, err = ensure(u.ctx); err != nil {
			return d, err
		}
		if d.name, err = name.NewRepository(d.repo.URI); err != nil {
			return d, fmt.Errorf("push to %s: %w", d.repo.Name, err)
		}
		d.pusher, err = remote.NewPusher(c.Options(u.ctx)...)
		return d, err
	})
	return u
}

// Add sends a layer as soon as there is room; it returns at once. A layer that
// the repository has is not sent again. What goes wrong is not told: Push sends
// what is missing, and tells.
func (u *Uploader) Add(l v1.Layer) {
	u.running.Go(func() {
		select {
		case u.slots <- struct{}{}:
			defer func() { <-u.slots }()
		case <-u.ctx.Done():
			return
		}
		to, err := u.open()
		if err != nil {
			return
		}
		if err := to.pusher.Upload(u.ctx, to.name, u.client.mountable(u.watched(l), to.name)); err != nil {
			return
		}
		if digest, err := l.Digest(); err == nil {
			u.client.place(digest, to.name)
		}
	})
}

// Push waits for the layers on their way and then writes img as Client.Push
// does, over the same connections; what was sent is not asked about again. While
// it waits total is 0: a growing layer's size is not known.
func (u *Uploader) Push(ctx context.Context, tag string, img v1.Image, progress func(done, total int64)) (string, error) {
	to, err := u.open()
	if err != nil {
		return "", err
	}
	u.mu.Lock()
	u.progress = progress
	u.mu.Unlock()
	stop := context.AfterFunc(ctx, u.cancel)
	u.running.Wait()
	stop()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return u.client.push(ctx, to.repo, tag, img, func(ref name.Tag, img mountableImage) error {
		manifest, err := img.Manifest()
		if err != nil {
			return err
		}
		total := manifest.Config.Size
		for _, l := range manifest.Layers {
			total += l.Size
		}
		u.mu.Lock()
		u.total = max(total, u.sent) // some may have been sent twice
		u.mu.Unlock()
		if err = to.pusher.Push(ctx, ref, watchedImage{img, u}); err == nil {
			u.add(total) // what the registry had is done, too
		}
		return err
	})
}

// add counts bytes that were sent.
func (u *Uploader) add(n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sent += n; u.total > 0 {
		u.sent = min(u.sent, u.total)
	}
	if u.progress != nil {
		u.progress(u.sent, u.total)
	}
}

// Close ends what is under way.
func (u *Uploader) Close() error {
	u.cancel()
	u.running.Wait()
	return nil
}

// watchedImage is an image with watched layers.
type watchedImage struct {
	mountableImage
	u *Uploader
}

func (i watchedImage) Layers() ([]v1.Layer, error) {
	layers, err := i.mountableImage.Layers()
	for n, l := range layers {
		layers[n] = i.u.watched(l)
	}
	return layers, err
}

// watched is l with bytes that are counted.
func (u *Uploader) watched(l v1.Layer) v1.Layer {
	if m, ok := l.(*remote.MountableLayer); ok {
		return &remote.MountableLayer{Layer: watchedLayer{m.Layer, u}, Reference: m.Reference}
	}
	return watchedLayer{l, u}
}

type watchedLayer struct {
	v1.Layer
	u *Uploader
}

func (l watchedLayer) Compressed() (io.ReadCloser, error) {
	rc, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	return &watchedReader{rc, l.u}, nil
}

type watchedReader struct {
	io.ReadCloser
	u *Uploader
}

func (r *watchedReader) Read(p []byte) (int, error) {
	if err := r.u.ctx.Err(); err != nil {
		return 0, errors.New(err.Error()) // no reason to try again
	}
	n, err := r.ReadCloser.Read(p)
	r.u.add(int64(n))
	return n, err
}

// place remembers that a repository has a layer.
func (c *Client) place(layer v1.Hash, repo name.Repository) {
	c.placedMu.Lock()
	defer c.placedMu.Unlock()
	if c.placed == nil {
		c.placed = make(map[v1.Hash]name.Repository)
	}
	c.placed[layer] = repo
}

// mountable lets a registry whose owner has switched blob mounting on take a
// layer from another of its repositories instead of the network
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html).
// Any other registry answers that it wants the bytes.
func (c *Client) mountable(l v1.Layer, to name.Repository) v1.Layer {
	digest, err := l.Digest()
	if err != nil {
		return l
	}
	c.placedMu.Lock()
	from, found := c.placed[digest]
	c.placedMu.Unlock()
	if !found || from == to || from.Registry != to.Registry {
		return l
	}
	if m, ok := l.(*remote.MountableLayer); ok {
		l = m.Layer
	}
	return &remote.MountableLayer{Layer: l, Reference: from.Digest(digest.String())}
}

// mountableImage is an image with mountable layers.
type mountableImage struct {
	v1.Image
	client *Client
	to     name.Repository
}

func (i mountableImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	if err != nil {
		return nil, err
	}
	out := make([]v1.Layer, len(layers))
	for n, l := range layers {
		out[n] = i.client.mountable(l, i.to)
	}
	return out, nil
}
