package watchdog

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A kernel is the descriptor of an open device.
type kernel int

func (k kernel) info() (identity string, options uint32, err error) {
	info, err := unix.IoctlGetWatchdogInfo(int(k))
	if err != nil {
		return "", 0, err
	}
	return unix.ByteSliceToString(info.Identity[:]), info.Options, nil
}

func (k kernel) setTimeout(seconds int) error {
	return unix.IoctlSetPointerInt(int(k), unix.WDIOC_SETTIMEOUT, seconds)
}

func (k kernel) timeout() (int, error) { return unix.IoctlGetInt(int(k), unix.WDIOC_GETTIMEOUT) }

// nowayout is the device's word in sysfs; false where it has none.
func (k kernel) nowayout() bool {
	var s unix.Stat_t
	if unix.Fstat(int(k), &s) != nil {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/sys/dev/char/%d:%d/nowayout", unix.Major(s.Rdev), unix.Minor(s.Rdev)))
	return err == nil && strings.TrimSpace(string(text)) == "1"
}

func (k kernel) write(text string) error {
	_, err := unix.Write(int(k), []byte(text))
	return err
}

func (k kernel) close() error { return unix.Close(int(k)) }
