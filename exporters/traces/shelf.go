package traces

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

// keptFile is where kept incidents outlive the daemon: a line of OTLP JSON for
// each part of one. A Collector's receiver otlpjsonfile reads it too.
const keptFile = "traces.jsonl"

// writeEvery is the least time between two writings of the file.
const writeEvery = time.Second

// A shelf writes what is kept to disk, in a goroutine of its own: neither the
// failover path nor an export waits for a disk. A folder that cannot be written
// to costs nothing but what it would have kept.
type shelf struct {
	path    string // empty for no shelf
	lines   func() [][]byte
	report  func(error)
	changed chan struct{} // holds a token while something is not written yet
	closing chan struct{} // closed when there will be no more
	closed  chan struct{} // closed when the goroutine has ended
	failed  bool          // the newest writing; for those who have seen closed
}

func newShelf(dir string, lines func() [][]byte, report func(error)) *shelf {
	s := &shelf{
		lines: lines, report: report,
		changed: make(chan struct{}, 1), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	if dir == "" {
		s.failed = true
		close(s.closed)
		return s
	}
	s.path = filepath.Join(dir, keptFile)
	go s.run()
	return s
}

// touch says that something is different. It never waits.
func (s *shelf) touch() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *shelf) run() {
	defer close(s.closed)
	for {
		select {
		case <-s.changed:
			s.write()
		case <-s.closing:
			select {
			case <-s.changed:
				s.write()
			default:
			}
			return
		}
		select {
		case <-time.After(writeEvery):
		case <-s.closing:
		}
	}
}

func (s *shelf) write() {
	err := replace(s.path, s.lines())
	s.failed = err != nil
	if err != nil {
		s.report(fmt.Errorf("incidents are not kept on disk: %w", err))
	}
}

// replace makes the file these lines, or removes it where there are none: the
// old or the new content is there after a power cut.
func replace(path string, lines [][]byte) error {
	if len(lines) == 0 {
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
	_, err = f.Write(append(bytes.Join(lines, []byte("\n")), '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// load reads what an earlier daemon has kept: whatever of it can be read.
func (s *shelf) load(add func(line []byte) error) {
	if s.path == "" {
		return
	}
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.report(fmt.Errorf("kept incidents: %w", err))
		return
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(io.LimitReader(f, 2*keptBytes))
	lines.Buffer(nil, keptBytes+1)
	for n := 1; lines.Scan(); n++ {
		if err := add(bytes.Clone(lines.Bytes())); err != nil {
			s.report(fmt.Errorf("%s:%d: %w", s.path, n, err))
		}
	}
	if err := lines.Err(); err != nil {
		s.report(fmt.Errorf("%s: %w", s.path, err))
	}
}

// close writes what is not written, if that takes no longer than it may, and
// reports whether all is on disk.
func (s *shelf) close(within time.Duration) bool {
	close(s.closing)
	select {
	case <-s.closed:
		return !s.failed
	case <-time.After(within):
		return false
	}
}
