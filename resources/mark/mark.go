// Package mark remembers which resources this node has started that leave
// nothing in the world to look at: a mail that was sent, a wait that is over.
// Heartbeat's scripts call them pseudo resources and keep an empty file for
// each, which is gone after a reboot, as is what it stands for; so does this.
package mark

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/systole-ha/systole/resources"
)

// Dir is where marks are kept unless the configuration says otherwise: on a
// file system in memory, which systemd leaves alone while the daemon restarts.
const Dir = "/run/systole/started"

// Marks are the files of one directory, which need not exist yet. They may be
// used from several goroutines, but not for one Spec at once.
type Marks struct{ dir string }

// In returns the marks kept in a directory.
func In(dir string) Marks { return Marks{dir: dir} }

// Set marks a resource as started. The note, of a few lines at most, is what
// its stop will have to know; it replaces an earlier one, whole or not at all.
func (m Marks) Set(s resources.Spec, note string) error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return fmt.Errorf("mark as started: %w", err)
	}
	temporary, err := os.CreateTemp(m.dir, ".new-")
	if err != nil {
		return fmt.Errorf("mark as started: %w", err)
	}
	_, err = temporary.WriteString(note)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), m.path(s))
	}
	if err != nil {
		os.Remove(temporary.Name())
		return fmt.Errorf("mark as started: %w", err)
	}
	return nil
}

// Get reports whether a resource is marked as started, and its note.
func (m Marks) Get(s resources.Spec) (note string, started bool, err error) {
	b, err := os.ReadFile(m.path(s))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("look whether it was started: %w", err)
	}
	return string(b), true, nil
}

// Clear marks a resource as stopped, whether it was started or not.
func (m Marks) Clear(s resources.Spec) error {
	if err := os.Remove(m.path(s)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mark as stopped: %w", err)
	}
	return nil
}

// Status is that of a resource of which there is nothing but its mark.
func (m Marks) Status(s resources.Spec) (resources.Status, error) {
	_, started, err := m.Get(s)
	switch {
	case err != nil:
		return resources.Unknown, err
	case started:
		return resources.Running, nil
	}
	return resources.Stopped, nil
}

// nameLimit keeps a file's name below the 255 bytes of Linux (NAME_MAX).
const nameLimit = 200

// path is the file of a resource, named so that a person can read it, and of
// one with a very long name by its hash.
func (m Marks) path(s resources.Spec) string {
	name := url.PathEscape(s.String())
	if len(name) > nameLimit || name == "." || name == ".." {
		sum := sha256.Sum256([]byte(s.String()))
		name = hex.EncodeToString(sum[:])
	}
	return filepath.Join(m.dir, name)
}
