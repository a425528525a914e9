package filesystem

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Holder is a process that keeps a file system from being unmounted.
type Holder struct {
	PID  int
	Name string // of its program, at most 15 bytes
	By   string // what it has there: a path
}

func (h Holder) String() string { return fmt.Sprintf("%s (%d) by %s", h.Name, h.PID, h.By) }

// Holders looks for the processes that have something in a place: a directory
// they are in, a file that is open or mapped. It asks no file system anything,
// since one whose server or disk is gone would not answer, and goes by the names
// that the kernel has for what they have open. The first process and this one
// are none.
//
// Without the right to look at other people's processes (CAP_SYS_PTRACE), which
// the daemon does not have, it finds nothing.
func Holders(proc, where string) (found []Holder, err error) {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == 1 || pid == os.Getpid() {
			continue
		}
		dir := filepath.Join(proc, e.Name())
		if by := holds(dir, where); by != "" {
			name, _ := os.ReadFile(filepath.Join(dir, "comm"))
			found = append(found, Holder{pid, strings.TrimSpace(string(name)), by})
		}
	}
	return found, nil
}

// holds is what a process has in a place; empty for nothing, also of a process
// that has ended meanwhile.
func holds(dir, where string) string {
	for _, link := range []string{"cwd", "root", "exe"} {
		if to, err := os.Readlink(filepath.Join(dir, link)); err == nil && inside(to, where) {
			return to
		}
	}
	files, _ := os.ReadDir(filepath.Join(dir, "fd"))
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(dir, "fd", f.Name())); err == nil && inside(to, where) {
			return to
		}
	}
	maps, err := os.Open(filepath.Join(dir, "maps"))
	if err != nil {
		return ""
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		// address perms offset dev inode path, proc_pid_maps(5)
		if i := strings.Index(lines.Text(), " /"); i >= 0 && inside(lines.Text()[i+1:], where) {
			return lines.Text()[i+1:]
		}
	}
	return ""
}

func inside(path, where string) bool {
	rest, found := strings.CutPrefix(path, where)
	return found && (rest == "" || rest[0] == '/')
}

// How long holders are given to end after a signal, as by heartbeat's script in
// its time: three rounds of a second with SIGTERM, then three with SIGKILL.
const endTime = 3 * time.Second

// End sends a signal to the holders of a place and returns when they are gone,
// or when their time is up, or ctx has ended. It returns those that were there.
// One that comes while the others end gets the signal as well.
func End(ctx context.Context, proc, where string, signal unix.Signal) (ended []Holder, err error) {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	told := map[int]bool{}
	for {
		holders, err := Holders(proc, where)
		if err != nil || len(holders) == 0 {
			return ended, err
		}
		for _, h := range holders {
			if told[h.PID] {
				continue
			}
			told[h.PID] = true
			if err := unix.Kill(h.PID, signal); err != nil && !errors.Is(err, unix.ESRCH) {
				return ended, fmt.Errorf("%s: %w", h, err)
			}
			ended = append(ended, h)
		}
		if !leave(ctx, proc, where, holders) {
			return ended, nil
		}
	}
}

// leave waits until none of the holders is one any more, and reports false if ctx
// ends before that. To look at these alone is cheap; to look at all processes of
// a machine takes a tenth of a second.
func leave(ctx context.Context, proc, where string, holders []Holder) bool {
	isGone := func(h Holder) bool { return holds(filepath.Join(proc, strconv.Itoa(h.PID)), where) == "" }
	for {
		if holders = slices.DeleteFunc(holders, isGone); len(holders) == 0 {
			return true
		}
		select {
		case <-time.After(lookPause):
		case <-ctx.Done():
			return false
		}
	}
}

// lookPause is how long it takes at most until the end of the last is noticed: a
// fraction of what unmounting takes.
const lookPause = 20 * time.Millisecond

// exists reports whether there is a file, as far as this process may see.
func exists(path string) (there bool, err error) {
	_, err = os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
