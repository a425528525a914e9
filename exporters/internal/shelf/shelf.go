// Package shelf keeps lines of text in a file for the next daemon, beside
// everything else: a disk that hangs or fails costs nothing but what it would
// have kept.
package shelf

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// settle is the time from a change to the writing, and so the least between two
// writings: what comes and goes within it is never written.
const settle = time.Second

// A Shelf writes what is to be kept, in a goroutine of its own, which Close ends.
type Shelf struct {
	path    string          // empty: nothing is kept
	lines   func() [][]byte // what is to be kept now, without the ends of lines
	report  func(error)
	replace func(path string, text []byte) error

	changed chan struct{} // holds a token while something is not written yet
	hurry   chan struct{} // closed when nothing is to settle any more
	closing chan struct{} // closed when there will be no more
	done    chan struct{} // closed when the goroutine has ended
	written []byte        // what the file has; the goroutine's own
	certain bool          // it really has that; likewise, and for those who have seen done
}

// New starts a shelf that keeps lines in a file of dir, of mode 0600, which is not
// there while there are none. No dir at all keeps nothing. Report is told what
// fails.
func New(dir, file string, lines func() [][]byte, report func(error)) *Shelf {
	s := &Shelf{
		path: filepath.Join(dir, file), lines: lines, report: report, replace: replace,
		changed: make(chan struct{}, 1), hurry: make(chan struct{}), closing: make(chan struct{}), done: make(chan struct{}),
	}
	if dir == "" {
		s.path = ""
		close(s.done)
		return s
	}
	go s.run()
	return s
}

// Touch says that something is different. It never waits.
func (s *Shelf) Touch() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Hurry writes at once what is not written yet, and each change from now on. It
// is called once, and does not wait.
func (s *Shelf) Hurry() { close(s.hurry) }

// Close writes what is not written, if that takes no longer than it may, and
// reports whether all is on disk.
func (s *Shelf) Close(within time.Duration) bool {
	close(s.closing)
	select {
	case <-s.done:
		return s.certain
	case <-time.After(within):
		return false
	}
}

func (s *Shelf) run() {
	defer close(s.done)
	for {
		select {
		case <-s.changed:
		case <-s.closing:
			s.write()
			return
		}
		select {
		case <-time.After(settle):
		case <-s.hurry:
		case <-s.closing:
		}
		s.write()
	}
}

func (s *Shelf) write() {
	var text []byte
	for _, line := range s.lines() {
		text = append(append(text, line...), '\n')
	}
	if s.certain && bytes.Equal(text, s.written) {
		return
	}
	err := s.replace(s.path, text)
	s.written, s.certain = text, err == nil
	if err != nil {
		s.report(fmt.Errorf("not kept on disk: %w", err))
	}
}

// replace makes the file this text, or removes it where there is none: the old
// or the new text is there after a power cut.
func replace(path string, text []byte) error {
	if len(text) == 0 {
		err := os.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Load reads what an earlier daemon has kept, before the first Touch: whatever
// of it can be read, up to twice the bytes that are kept at most. What add or the
// disk says against it is reported.
func (s *Shelf) Load(most int, add func(line []byte) error) {
	if s.path == "" {
		return
	}
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.report(err)
		return
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(io.LimitReader(f, 2*int64(most)))
	lines.Buffer(nil, most+1)
	for n := 1; lines.Scan(); n++ {
		if err := add(bytes.Clone(lines.Bytes())); err != nil {
			s.report(fmt.Errorf("%s:%d: %w", s.path, n, err))
		}
	}
	if err := lines.Err(); err != nil {
		s.report(fmt.Errorf("%s: %w", s.path, err))
	}
}
