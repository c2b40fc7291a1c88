package answers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/optlift/optlift/build/lru"
)

// Bytes caps what is kept of all accounts; a thousand functions take some 50 KiB.
const Bytes = 32 << 20

// maxBook bounds what is read of one file, unpacked.
const maxBook = 64 << 20

// schema names the format of a file; another one is read as an empty book.
const schema = 1

// Layer is what GetLayerVersionByArn answered of a layer version.
type Layer struct {
	SHA256        string    `json:"sha256"`
	Size          int64     `json:"size"` // zip bytes
	Runtimes      []string  `json:"runtimes,omitempty"`
	Architectures []string  `json:"architectures,omitempty"`
	Gone          string    `json:"gone,omitempty"` // why it does not exist any more; "" for one that does
	Asked         time.Time `json:"asked"`
}

// Function is what GetFunction answered beyond what a listing tells.
type Function struct {
	SHA256    string    `json:"sha256"` // of the code that could be read then
	ManagedBy string    `json:"managedBy,omitempty"`
	Asked     time.Time `json:"asked"`
}

// Newest are the newest versions of the account's own layers, as ListLayers
// answered, by the layer's ARN without a version.
type Newest struct {
	Versions map[string]int64 `json:"versions"`
	Asked    time.Time        `json:"asked"`
}

// Book is what one caller was answered in one region. It is safe for concurrent use.
type Book struct {
	file string // "" is not kept

	mu    sync.Mutex
	page  page
	dirty bool
}

type page struct {
	Schema    int                 `json:"schema"`
	Layers    map[string]Layer    `json:"layers"`    // by ARN
	Functions map[string]Function `json:"functions"` // by ARN
	Newest    *Newest             `json:"newest,omitempty"`
}

// Open reads the book of a caller and a place, which key names; any other key
// has another book. A book that is missing or damaged is empty. dir is made
// (0700) when something is first saved; "" keeps nothing.
func Open(dir string, key ...string) *Book {
	b := &Book{}
	if dir != "" {
		sum := sha256.Sum256([]byte(strings.Join(key, "\x00")))
		b.file = filepath.Join(dir, hex.EncodeToString(sum[:16])+".answers")
		if p, err := read(b.file); err == nil && p.Schema == schema {
			b.page = *p
		}
	}
	b.page.Schema = schema
	if b.page.Layers == nil {
		b.page.Layers = map[string]Layer{}
	}
	if b.page.Functions == nil {
		b.page.Functions = map[string]Function{}
	}
	return b
}

func read(file string) (*page, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(z, maxBook)) // its CRC-32 finds a damaged file
	if err != nil {
		return nil, err
	}
	p := &page{}
	return p, json.Unmarshal(b, p)
}

// Layer returns what is known of a layer version.
func (b *Book) Layer(arn string) (Layer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.page.Layers[arn]
	return l, ok
}

// PutLayer keeps an answer; nil forgets what was known.
func (b *Book) PutLayer(arn string, l *Layer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	put(b, b.page.Layers, arn, l)
}

// Function returns what is known of a function.
func (b *Book) Function(arn string) (Function, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.page.Functions[arn]
	return f, ok
}

// PutFunction keeps an answer; nil forgets what was known.
func (b *Book) PutFunction(arn string, f *Function) {
	b.mu.Lock()
	defer b.mu.Unlock()
	put(b, b.page.Functions, arn, f)
}

func put[T any](b *Book, m map[string]T, key string, v *T) {
	if v != nil {
		m[key], b.dirty = *v, true
	} else if _, known := m[key]; known {
		delete(m, key)
		b.dirty = true
	}
}

// Newest returns what is known of the newest versions of layers, nil for nothing.
// It must not be changed.
func (b *Book) Newest() *Newest {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.page.Newest
}

// PutNewest keeps an answer; nil forgets what was known.
func (b *Book) PutNewest(n *Newest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dirty = b.dirty || n != nil || b.page.Newest != nil
	b.page.Newest = n
}

// Retain forgets the functions and layer versions that are not wanted any more.
func (b *Book) Retain(function, layer func(arn string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for arn := range b.page.Functions {
		if !function(arn) {
			delete(b.page.Functions, arn)
			b.dirty = true
		}
	}
	for arn := range b.page.Layers {
		if !layer(arn) {
			delete(b.page.Layers, arn)
			b.dirty = true
		}
	}
}

// Save writes the book where it has changed. Of several processes the last one
// wins: what is lost is asked again.
func (b *Book) Save() (err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == "" || !b.dirty {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep AWS's answers: %w", err)
		}
	}()
	text, err := json.Marshal(b.page)
	if err != nil {
		return err
	}
	dir := filepath.Dir(b.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".answers-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	z := gzip.NewWriter(f)
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), b.file); err != nil {
		return err
	}
	b.dirty = false
	_, _ = lru.Prune(dir, nil, lru.Limit{Bytes: Bytes}) // the next run's concern
	return nil
}
