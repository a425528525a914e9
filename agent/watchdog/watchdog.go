// Package watchdog holds a watchdog device of the kernel: hardware, or softdog,
// that resets the machine when it is not fed in time.
//
// Source: Documentation/watchdog/watchdog-api.rst of the kernel.
package watchdog

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A Device is open and counts down. Only one process can have it open.
type Device struct {
	path     string
	identity string        // by its driver
	timeout  time.Duration // as the device has it
	disarms  bool          // closing it in good order stops it
	driver   driver
}

// A driver is what the kernel's driver is asked.
type driver interface {
	info() (identity string, options uint32, err error)
	setTimeout(seconds int) error
	timeout() (seconds int, err error)
	nowayout() bool
	write(text string) error
	close() error
}

// unknownTimeout is assumed of a device that does not say: what most drivers of
// the kernel begin with is 60 s, and what little there is below that is 15.
const unknownTimeout = 15 * time.Second

// Open arms the device at this path. Not every device takes every timeout:
// Timeout tells which it has. An error leaves it closed, and disarmed if it can
// be.
func Open(path string, timeout time.Duration) (*Device, error) {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return arm(path, kernel(fd), timeout)
}

func arm(path string, d driver, timeout time.Duration) (*Device, error) {
	w := &Device{path: path, driver: d, timeout: unknownTimeout}
	identity, options, err := d.info()
	if err != nil && !unasked(err) {
		return nil, errors.Join(fmt.Errorf("ask %s what it is: %w", path, err), w.Close())
	}
	w.identity = identity
	w.disarms = options&unix.WDIOF_MAGICCLOSE != 0 && !d.nowayout()
	seconds := int(timeout / time.Second)
	if err := d.setTimeout(seconds); err != nil && !unasked(err) {
		return nil, errors.Join(fmt.Errorf("set %s to %d s: %w", path, seconds, err), w.Close())
	}
	if has, err := d.timeout(); err == nil && has > 0 {
		w.timeout = time.Duration(has) * time.Second
	}
	if err := w.Feed(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// unasked reports an answer of a driver that does not know the question.
func unasked(err error) bool {
	return errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL)
}

// Path, Identity and Timeout are what the device is; Disarms says that Close
// stops it, which a driver with nowayout does not let it.
func (w *Device) Path() string           { return w.path }
func (w *Device) Identity() string       { return w.identity }
func (w *Device) Timeout() time.Duration { return w.timeout }
func (w *Device) Disarms() bool          { return w.disarms }

// Feed lets the device count from the beginning. It can take as long as the
// driver needs to reach its hardware: microseconds for one on the board,
// milliseconds for one behind a management controller.
func (w *Device) Feed() error {
	if err := w.driver.write(fed); err != nil {
		return fmt.Errorf("feed %s: %w", w.path, err)
	}
	return nil
}

// What is written: any byte feeds, and the last before a close disarms.
const (
	fed  = "\x00"
	over = "V"
)

// Close disarms the device, where that is possible, and closes it.
func (w *Device) Close() error {
	return errors.Join(w.driver.write(over), w.driver.close())
}
