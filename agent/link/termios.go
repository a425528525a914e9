package link

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// rates are the speeds ha.cf may name under baud.
var rates = map[int]uint32{
	9600: unix.B9600, 19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600,
	115200: unix.B115200, 230400: unix.B230400, 460800: unix.B460800,
}

// bitsPerByte on the line: a start bit, eight of data, a stop bit.
const bitsPerByte = 10

// lineTime is how long a line needs for so many bytes.
func lineTime(bytes, baud int) time.Duration {
	return time.Duration(bytes) * bitsPerByte * time.Second / time.Duration(baud)
}

// openTTY opens a serial device for us alone: raw, 8N1, without waiting for a
// carrier and without becoming anybody's controlling terminal.
//
// Heartbeat asks for hardware flow control too (CRTSCTS in its serial.c), which
// a cable of three wires does not have; its writes then block and are lost. A
// receiver that cannot follow is not worth waiting for, so we do not ask.
// Breaks, by which Heartbeat announces itself when it opens the line, are
// ignored.
func openTTY(device string, rate uint32) (int, error) {
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: device, Err: err}
	}
	if err := setUpTTY(fd, rate); err != nil {
		unix.Close(fd)
		return -1, &os.PathError{Op: "set up", Path: device, Err: err}
	}
	return fd, nil
}

func setUpTTY(fd int, rate uint32) error {
	settings := unix.Termios{
		Iflag: unix.IGNBRK,
		Cflag: rate | unix.CS8 | unix.CREAD | unix.CLOCAL,
	}
	settings.Cc[unix.VMIN] = 1
	// TIOCEXCL keeps others out, but for root; flock those who ask.
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &settings); err != nil {
		return fmt.Errorf("not a serial line: %w", err)
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return err
	}
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
}
