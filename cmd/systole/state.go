package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// heartbeatState is where Linux-HA Heartbeat keeps what we keep in a folder of
// our own. A node that comes from it must go on counting where it ended: peers
// take a lower generation for a replay.
const heartbeatState = "/var/lib/heartbeat"

// nextGeneration counts this start of the daemon: more than the last, kept on
// disk before it is used. It is the Unix time, as heartbeat's first one is, and
// one more than the last where the clock was set back. So starts that the disk
// could not keep, for it was full, are not counted again. With an error it is one
// that was not kept. It is above what heartbeat last used on this machine, before
// systole or after it.
func nextGeneration(dir, heartbeat string, now time.Time) (uint64, error) {
	last, err := readGeneration(filepath.Join(dir, "generation"))
	if errors.Is(err, fs.ErrNotExist) {
		last, err = 0, nil
	}
	if theirs, err := readGeneration(filepath.Join(heartbeat, "hb_generation")); err == nil {
		last = max(last, theirs)
	}
	next := max(last+1, uint64(now.Unix()))
	if err != nil {
		return next, err
	}
	return next, writeDurably(filepath.Join(dir, "generation"), fmt.Appendf(nil, "%d\n", next))
}

// tellHeartbeat makes a heartbeat that is started here again count on from this
// generation: peers would take a lower one for a replay, and hear this node no
// more. Nothing is done where heartbeat has never run. The file is as heartbeat
// 3.0.6 writes it: 15 columns and a newline.
func tellHeartbeat(dir string, generation uint64) error {
	path := filepath.Join(dir, "hb_generation")
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	return writeDurably(path, fmt.Appendf(nil, "%15d\n", generation))
}

func readGeneration(path string) (uint64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%s: not a generation: %w", path, err)
	}
	return n, nil
}

// nodeUUID is who this node is, for ever: 16 random bytes, made at the first
// start, or heartbeat's where it has run here.
func nodeUUID(dir string) (id [16]byte, err error) {
	path := filepath.Join(dir, "uuid")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = os.ReadFile(filepath.Join(heartbeatState, "hb_uuid"))
		if err != nil || len(text) != len(id) {
			text = make([]byte, len(id))
			rand.Read(text)
		}
		err = writeDurably(path, text)
	}
	if err == nil && len(text) != len(id) {
		err = fmt.Errorf("%s: %d bytes instead of %d", path, len(text), len(id))
	}
	copy(id[:], text)
	return id, err
}

// writeDurably replaces a file so that either the old or the new content is
// there after a power cut.
func writeDurably(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
