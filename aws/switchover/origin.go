package switchover

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// Archive is a zip that an image is made from.
type Archive struct {
	Name   string `json:"name"`   // a layer version's ARN, or what people call it
	SHA256 string `json:"sha256"` // hex; a backup's file has it as its name
	// From is the file on this machine that a refresh takes it from; "" is the
	// backup of the journal.
	From string `json:"from,omitempty"`
}

// file is where the backup of a journal keeps the archive.
func (a Archive) file(stateDir, journal string) string {
	return filepath.Join(stateDir, backupDir, journal, a.SHA256+".zip")
}

// Origin is what an image is made from, besides its base. It holds no secret.
type Origin struct {
	// Migration is the journal of the switch that made the function an image;
	// refreshes follow it.
	Migration    string    `json:"migration"`
	Runtime      string    `json:"runtime"`
	Handler      string    `json:"handler"`
	Architecture string    `json:"architecture"`
	Code         Archive   `json:"code"`
	Layers       []Archive `json:"layers,omitempty"` // in their order
}

// origin is what the image of version q is made from: what the user gave for a
// refresh, or what the function was as a zip.
func (r *run) origin(q string) (Origin, error) {
	return originOf(r.j.start.ID, r.snap, r.choices, q)
}

func originOf(journal string, snap *Snapshot, c Choices, q string) (Origin, error) {
	if c.Origin != nil {
		return *c.Origin, nil
	}
	config, err := snap.ConfigOf(q)
	if err != nil {
		return Origin{}, err
	}
	o := Origin{Migration: journal, Runtime: string(config.Runtime), Handler: aws.ToString(config.Handler), Architecture: architecture(config)}
	if o.Code.SHA256, err = hexSum(aws.ToString(config.CodeSha256)); err != nil {
		return Origin{}, err
	}
	o.Code.Name = "code of " + snap.Function
	sums := map[string]string{}
	for _, a := range snap.All(snapshot.KindLayer) {
		value, err := snapshot.Decode[snapshot.LayerValue](a.Value)
		if err != nil {
			return Origin{}, err
		}
		sums[a.Name] = value.CodeSha256
	}
	for _, name := range snapshot.LayerARNs(config) {
		sum, err := hexSum(sums[name])
		if err != nil {
			return Origin{}, fmt.Errorf("layer %s: %w", name, err)
		}
		o.Layers = append(o.Layers, Archive{Name: name, SHA256: sum})
	}
	return o, nil
}

// Made is a finished migration or refresh and the image that it made.
type Made struct {
	Entry   Entry
	Choices Choices // as they were taken
	Image   string  // of the unpublished version, pinned by digest
	Origin  Origin  // of Image; its archives' From are files of the backup
}

// ReadMade returns what the journal of a migration or refresh made. Image is ""
// where it did not come so far.
func ReadMade(stateDir, id string) (*Made, error) {
	j, err := readJournal(stateDir, id)
	if err != nil {
		return nil, err
	}
	m := &Made{Entry: j.entry(stateDir), Image: j.fact(imageFact(snapshot.Latest))}
	m.Entry.Steps = nil
	if j.start.Choices != nil {
		m.Choices = *j.start.Choices
	}
	snap, err := loadSnapshot(stateDir, id)
	if err != nil {
		return m, err
	}
	if m.Origin, err = originOf(id, snap, m.Choices, snapshot.Latest); err != nil {
		return m, err
	}
	m.Origin.Code.From = m.Origin.Code.file(stateDir, id)
	layers := make([]Archive, len(m.Origin.Layers))
	for i, a := range m.Origin.Layers {
		a.From = a.file(stateDir, id)
		layers[i] = a
	}
	m.Origin.Layers = layers
	return m, nil
}

// CheckBackup looks whether everything that the way back of a migration needs is
// in its backup; with verify the archives are read and held against their SHA-256.
func CheckBackup(stateDir, id string, verify bool) error {
	snap, err := loadSnapshot(stateDir, id)
	if err != nil {
		return err
	}
	all, err := archivesOf(stateDir, id, snap)
	if err != nil {
		return err
	}
	for _, k := range all {
		_, err := os.Stat(k.file)
		if err == nil && verify {
			err = k.verify()
		}
		if err != nil {
			return fmt.Errorf("%s in the backup of migration %s: %w", k.name, id, err)
		}
	}
	return nil
}
