package shelf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A thing is what is to be kept, as one line.
type thing struct{ atomic.Pointer[string] }

func (g *thing) become(s *Shelf, line string) {
	g.Store(&line)
	s.Touch()
}

func (g *thing) lines() [][]byte {
	if line := g.Load(); line != nil && *line != "" {
		return [][]byte{[]byte(*line)}
	}
	return nil
}

func TestWhenItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		expect := func(when, want string) {
			t.Helper()
			synctest.Wait()
			text, err := os.ReadFile(filepath.Join(dir, "f"))
			if string(text) != want || want == "" != errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s there is %q (%v), want %q", when, text, err, want)
			}
		}
		var g thing
		s := New(dir, "f", g.lines, func(err error) { t.Error(err) })
		var writes atomic.Int32
		s.replace = func(path string, text []byte) error { writes.Add(1); return replace(path, text) }
		g.become(s, "one")
		time.Sleep(settle - time.Millisecond)
		expect("before it has settled", "")
		time.Sleep(time.Millisecond)
		expect("then", "one\n")
		for i := range 30 {
			g.become(s, fmt.Sprint(i))
			time.Sleep(settle / 10)
		}
		if n := writes.Load(); n < 3 || n > 4 {
			t.Errorf("%d writings after 3 s of changes, want 3 and the one before", n)
		}
		g.become(s, "")
		time.Sleep(settle)
		expect("when nothing is to be kept", "")
		before := writes.Load()
		s.Touch()
		time.Sleep(settle)
		if writes.Load() != before {
			t.Error("written although nothing is different")
		}
		g.become(s, "soon")
		time.Sleep(settle / 2)
		s.Hurry()
		expect("in a hurry", "soon\n")
		g.become(s, "last")
		if info, err := os.Stat(filepath.Join(dir, "f")); !s.Close(time.Second) || err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		expect("in the end", "last\n")
	})
}

func TestADiskThatFailsIsToldAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g thing
		var told []error
		full := errors.New("no space left on device")
		s := New(t.TempDir(), "f", g.lines, func(err error) { told = append(told, err) })
		s.replace = func(path string, text []byte) error { return errors.Join(full, replace(path, text)) }
		g.become(s, "one")
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(told) != 1 || !errors.Is(told[0], full) {
			t.Fatalf("told: %v", told)
		}
		if text, err := os.ReadFile(s.path); err != nil || string(text) != "one\n" {
			t.Fatalf("%q, %v", text, err)
		}
		s.replace = replace
		if err := os.Remove(s.path); err != nil {
			t.Fatal(err)
		}
		s.Touch() // the same text: it may not be there
		time.Sleep(time.Minute)
		if text, err := os.ReadFile(s.path); err != nil || string(text) != "one\n" {
			t.Errorf("tried again, %q, %v", text, err)
		}
		s.replace = func(string, []byte) error { return full }
		g.become(s, "two")
		if s.Close(time.Second) {
			t.Error("Close says that all is on disk")
		}
	})
}

func TestNoFolderKeepsNothing(t *testing.T) {
	s := New("", "f", func() [][]byte { t.Error("asked for lines"); return nil }, func(err error) { t.Error(err) })
	s.Load(10, func([]byte) error { t.Error("a line"); return nil })
	s.Touch()
	s.Hurry()
	if s.Close(time.Second) {
		t.Error("Close says that all is on disk")
	}
}

// TestADiskThatHangs has a pipe that nobody reads in place of the file: to open
// it never ends.
func TestADiskThatHangs(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "f.new")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var g thing
	s := New(dir, "f", g.lines, func(error) {})
	s.Hurry()
	for range 10 {
		g.become(s, "one")
	}
	const within = 50 * time.Millisecond
	began := time.Now()
	if s.Close(within) {
		t.Error("Close says that all is on disk")
	}
	if took := time.Since(began); took < within || took > within+time.Second {
		t.Errorf("Close took %v, want %v", took, within)
	}
	reader, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	<-s.done
}

func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		lines      []string
		told       string
	}{
		{"nothing", "", nil, ""},
		{"lines", "a\nb\n", []string{"a", "b"}, ""},
		{"a line that is refused is told, the others are read", "a\nbad\nc", []string{"a", "c"}, "f:2: refused"},
		{"a line that is too long ends it", "a\n" + strings.Repeat("x", 12) + "\nc\n", []string{"a"}, "token too long"},
		{"no more than twice the most is read", strings.Repeat("abcd\n", 10), []string{"abcd", "abcd", "abcd", "abcd"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "f"), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var told bytes.Buffer
			s := New(dir, "f", func() [][]byte { return nil }, func(err error) { fmt.Fprintln(&told, err) })
			var got []string
			s.Load(10, func(line []byte) error {
				if string(line) == "bad" {
					return errors.New("refused")
				}
				got = append(got, string(line))
				return nil
			})
			if !slices.Equal(got, tt.lines) || !strings.Contains(told.String(), tt.told) || tt.told == "" && told.Len() > 0 {
				t.Errorf("read %q, told %q; want %q, %q", got, &told, tt.lines, tt.told)
			}
			s.Close(time.Second)
		})
	}
}
