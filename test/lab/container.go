package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/systole-ha/systole/test/lab/internal/cgroup"
	"github.com/systole-ha/systole/test/lab/internal/netns"
)

// A container is one boot of a node.
type container struct {
	group   cgroup.Group     // nspawn, the node's processes and those of Run
	space   *netns.Namespace // nil until it is made
	cmd     *exec.Cmd        // systemd-nspawn, nil until it is started
	leader  int              // the node's init, as this machine counts processes
	done    chan struct{}    // closed when nspawn has ended
	console string           // file of what the node writes on its console
}

func (c *container) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// wait returns when nspawn, killed before, has ended.
func (c *container) wait() {
	if c.cmd != nil {
		<-c.done
	}
}

func (c *container) close() error {
	if c.space == nil {
		return nil
	}
	return c.space.Close()
}

// start boots the node in the control group and the network namespace it has.
func (n *Node) start(ctx context.Context, c *container) error {
	notify := filepath.Join(n.lab.dir, n.name+".notify")
	_ = os.Remove(notify)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	c.console = filepath.Join(n.lab.dir, n.name+".console")
	console, err := os.Create(c.console)
	if err != nil {
		return err
	}
	defer console.Close()
	group, err := c.group.Open()
	if err != nil {
		return err
	}
	defer group.Close()
	cmd := exec.Command("systemd-nspawn", n.nspawnArgs(c)...)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.Env = append(os.Environ(),
		"NOTIFY_SOCKET="+notify,
		"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1",
		"SYSTEMD_NSPAWN_LOCK=0",
		"SYSTEMD_NSPAWN_API_VFS_WRITABLE=network", // /proc/sys/net, as on a machine
	)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd()), Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.cmd = cmd
	go func() {
		_ = cmd.Wait() // how it ended says nothing: it is killed
		close(c.done)
	}()
	return c.awaitReady(ctx, conn)
}

func (n *Node) nspawnArgs(c *container) []string {
	args := []string{
		"--quiet",
		"--directory=" + n.disk.root(),
		"--machine=" + prefix + n.lab.id + "-" + n.name,
		"--hostname=" + n.name,
		"--network-namespace-path=" + c.space.Path(),
		"--register=no", "--keep-unit", // no machined, no scope: the lab keeps the books
		"--capability=all",
		"--drop-capability=CAP_SYS_MODULE,CAP_SYS_TIME", // these would change this machine
		"--settings=no", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
		"--console=read-only", "--notify-ready=yes",
	}
	if terminal, path, ok := n.lab.line.terminal(n.name); ok {
		args = append(args, "--bind="+terminal+":"+path)
	}
	return append(args, "--boot")
}

// awaitReady reads nspawn's notifications (sd_notify(3)) until the node has
// booted: first the process of its init, then READY=1.
func (c *container) awaitReady(ctx context.Context, conn *net.UnixConn) error {
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	go func() {
		<-c.done
		conn.SetReadDeadline(time.Unix(1, 0))
	}()
	message := make([]byte, 4096)
	for {
		length, err := conn.Read(message)
		switch {
		case c.ended():
			return c.failure(errors.New("systemd-nspawn ended"))
		case ctx.Err() != nil:
			return c.failure(ctx.Err())
		case err != nil:
			return err
		}
		for line := range strings.Lines(string(message[:length])) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch name {
			case "X_NSPAWN_LEADER_PID":
				if c.leader, err = strconv.Atoi(value); err != nil {
					return fmt.Errorf("systemd-nspawn's notification %q: %w", line, err)
				}
			case "READY":
				return nil
			}
		}
	}
}

// failure adds the end of the node's console to an error.
func (c *container) failure(err error) error {
	console, readErr := os.ReadFile(c.console)
	return errors.Join(fmt.Errorf("%w; its console:\n%s", err, tail(string(console), 20)), readErr)
}
