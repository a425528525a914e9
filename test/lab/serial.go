package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/test/lab/internal/worker"
)

// A SerialLine is a null-modem cable between the first two nodes.
type SerialLine struct {
	Baud int    // bits a second, 0: 19200; a byte is ten of them
	Path string // the device in the nodes, "": /dev/ttyS9
}

// serialLine is a pair of pseudoterminals whose slaves are the nodes' devices,
// and a worker that carries bytes between the masters.
type serialLine struct {
	SerialLine
	nodes   []string
	slaves  []*os.File // held open, so that their settings outlive the nodes'
	process *worker.Process

	mu   sync.Mutex
	spec worker.SerialSpec
}

func (l *Lab) buildSerial(line SerialLine, nodes []string) error {
	if line.Baud == 0 {
		line.Baud = 19200
	}
	if line.Path == "" {
		line.Path = "/dev/ttyS9"
	}
	if len(nodes) < 2 {
		return errors.New("a serial line needs two nodes")
	}
	l.line = &serialLine{SerialLine: line, nodes: nodes[:2], spec: worker.SerialSpec{Baud: line.Baud}}
	if err := l.line.start(l.workers); err != nil {
		return fmt.Errorf("lay the serial line: %w", err)
	}
	return nil
}

func (s *serialLine) start(group *os.File) error {
	var masters []*os.File
	defer func() {
		for _, master := range masters {
			master.Close() // the worker has its own
		}
	}()
	for range s.nodes {
		master, slave, err := openTerminal()
		if err != nil {
			return err
		}
		masters, s.slaves = append(masters, master), append(s.slaves, slave)
	}
	process, err := worker.Start(worker.Spec{Kind: "serial", Cgroup: group, Files: masters, Params: s.spec})
	if err != nil {
		return err
	}
	s.process = process
	var ready worker.CableReady
	return process.Receive(&ready)
}

// terminal gives the host's device for a node's end of the line, and where the
// node has it.
func (s *serialLine) terminal(node string) (device, path string, ok bool) {
	i := s.index(node)
	if i < 0 {
		return "", "", false
	}
	return s.slaves[i].Name(), s.Path, true
}

func (s *serialLine) index(node string) int {
	if s == nil {
		return -1
	}
	return slices.Index(s.nodes, node)
}

// cut loses bytes to and from a node, or heals the line.
func (s *serialLine) cut(node string, d Direction, lost bool) error {
	i := s.index(node)
	if i < 0 {
		return fmt.Errorf("%s has no serial line", node)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d&Out != 0 {
		s.spec.Cut[i] = lost
	}
	if d&In != 0 {
		s.spec.Cut[1-i] = lost
	}
	return s.process.Send(s.spec)
}

// drain forgets what a node was sent while it was off, and that it had the
// device for itself (TIOCEXCL), which a device without power does not remember.
func (s *serialLine) drain(node string) {
	if i := s.index(node); i >= 0 {
		_ = unix.IoctlSetInt(int(s.slaves[i].Fd()), unix.TCFLSH, unix.TCIFLUSH)
		_ = unix.IoctlSetInt(int(s.slaves[i].Fd()), unix.TIOCNXCL, 0)
	}
}

func (s *serialLine) close() {
	if s == nil {
		return
	}
	if s.process != nil {
		_ = s.process.Close() // killed with the lab's control group
	}
	for _, slave := range s.slaves {
		slave.Close()
	}
}

// openTerminal makes a pseudoterminal (pts(4)) that changes no byte.
func openTerminal() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: "/dev/ptmx", Err: err}
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err == nil {
		err = setRaw(int(slave.Fd()))
	}
	if err != nil {
		master.Close()
		return nil, nil, fmt.Errorf("make a pseudoterminal: %w", err)
	}
	return master, slave, nil
}

// setRaw is cfmakeraw(3).
func setRaw(fd int) error {
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	settings.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	settings.Oflag &^= unix.OPOST
	settings.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	settings.Cflag = settings.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	return unix.IoctlSetTermios(fd, unix.TCSETS, settings)
}
