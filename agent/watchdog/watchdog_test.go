package watchdog

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A stand is a driver as softdog behaves, without the machine it would reset:
// the machine of the tests has no watchdog.
type stand struct {
	options  uint32
	most     int // seconds; 0 for any
	stays    bool
	refuses  error // of every question
	armed    bool
	seconds  int
	written  []string
	isClosed bool
}

func (s *stand) info() (string, uint32, error) { return "Stand-in", s.options, s.refuses }

func (s *stand) setTimeout(seconds int) error {
	switch {
	case s.refuses != nil:
		return s.refuses
	case s.most > 0 && seconds > s.most:
		return unix.EINVAL // watchdog_set_timeout in the kernel's watchdog_dev.c
	}
	s.seconds = seconds
	return nil
}

func (s *stand) timeout() (int, error) { return s.seconds, s.refuses }
func (s *stand) nowayout() bool        { return s.stays }

func (s *stand) write(text string) error {
	s.armed = true
	s.written = append(s.written, text)
	return nil
}

func (s *stand) close() error {
	s.isClosed = true
	last := len(s.written) > 0 && s.written[len(s.written)-1] == over
	if last && s.options&unix.WDIOF_MAGICCLOSE != 0 && !s.stays {
		s.armed = false
	}
	return nil
}

func TestArm(t *testing.T) {
	tests := []struct {
		name    string
		stand   stand
		asks    time.Duration
		timeout time.Duration
		disarms bool
	}{
		{"as it is told", stand{options: unix.WDIOF_MAGICCLOSE, seconds: 60}, 8 * time.Second, 8 * time.Second, true},
		{"a timeout that it cannot have leaves its own", stand{options: unix.WDIOF_MAGICCLOSE, seconds: 30, most: 60}, 90 * time.Second, 30 * time.Second, true},
		{"nowayout", stand{options: unix.WDIOF_MAGICCLOSE, stays: true}, 8 * time.Second, 8 * time.Second, false},
		{"no magic close", stand{}, 8 * time.Second, 8 * time.Second, false},
		{"one that answers nothing", stand{refuses: unix.ENOTTY}, 8 * time.Second, unknownTimeout, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := arm("/dev/watchdog", &tt.stand, tt.asks)
			if err != nil {
				t.Fatal(err)
			}
			if w.Timeout() != tt.timeout || w.Disarms() != tt.disarms || !tt.stand.armed {
				t.Errorf("timeout %v, disarms %v, armed %v", w.Timeout(), w.Disarms(), tt.stand.armed)
			}
			if err := w.Close(); err != nil || tt.stand.armed == tt.disarms {
				t.Errorf("closed: %v, armed %v", err, tt.stand.armed)
			}
		})
	}
}

func TestADeviceThatFailsIsClosedAndDisarmed(t *testing.T) {
	s := &stand{options: unix.WDIOF_MAGICCLOSE, refuses: unix.EIO}
	if _, err := arm("/dev/watchdog", s, time.Second); !errors.Is(err, unix.EIO) {
		t.Errorf("arm: %v", err)
	}
	if s.armed || !s.isClosed {
		t.Errorf("armed %v, closed %v", s.armed, s.isClosed)
	}
}

// TestKernel asks a true descriptor, of a file that is no watchdog: its questions
// go unanswered, what is written arrives.
func TestKernel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(reader)
	w, err := Open(path, 8*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Feed(), w.Close()); err != nil {
		t.Fatal(err)
	}
	var got [8]byte
	n, err := unix.Read(reader, got[:])
	if want := fed + fed + over; err != nil || string(got[:max(n, 0)]) != want {
		t.Errorf("written %q (%v), want %q", got[:max(n, 0)], err, want)
	}
	if err := w.Feed(); !errors.Is(err, unix.EBADF) {
		t.Errorf("fed after its end: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), time.Second); !errors.Is(err, unix.ENOENT) {
		t.Errorf("opened what is not there: %v", err)
	}
	if w.Disarms() {
		t.Error("a pipe says that it disarms")
	}
}
