package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A postStore keeps what webhooks could not deliver, in the state folder, one
// file an endpoint: webhook.Store.
type postStore struct{ dir string }

// readMost bounds what is read of a file that may be anybody's. It is more than
// a webhook ever keeps.
const readMost = 4 << 20

func (s postStore) path(endpoint string) string {
	return filepath.Join(s.dir, "webhook-"+endpoint+".jsonl")
}

func (s postStore) Load(endpoint string) ([]byte, error) {
	f, err := os.Open(s.path(endpoint))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, readMost))
}

func (s postStore) Save(endpoint string, text []byte) error {
	if len(text) > 0 {
		return writeDurably(s.path(endpoint), text)
	}
	if err := os.Remove(s.path(endpoint)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
