package lab

import (
	"context"
	"errors"
	"net"
	"os/exec"

	"github.com/vishvananda/netlink"

	"github.com/systole-ha/systole/test/lab/internal/netns"
)

// A Client is the machine that asks the nodes for their service: a network
// namespace on the service network, with this machine's file system.
type Client struct {
	lab   *Lab
	space *netns.Namespace
}

func newClient(l *Lab) (*Client, error) {
	space, err := netns.Create(prefix + l.id + "-client")
	if err != nil {
		return nil, err
	}
	c := &Client{lab: l, space: space}
	return c, errors.Join(space.Do(loopback), l.fabric.plug(Service, "client", clientHost, space))
}

// loopback sets the loopback device of the caller's namespace up.
func loopback() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

func (c *Client) close() {
	if c != nil {
		c.space.Close()
	}
}

// Namespace is the name of the client's network namespace, for ip-netns(8).
func (c *Client) Namespace() string { return c.space.Name() }

// Run runs a command of this machine in the client's network, and gives its
// standard output and error. An error is a *RunError.
func (c *Client) Run(ctx context.Context, command string, args ...string) (string, error) {
	entry := c.Entry(command, args...)
	return run(ctx, "client", exec.CommandContext(ctx, entry[0], entry[1:]...), append([]string{command}, args...))
}

// Entry gives the command that runs a command in the client's network.
func (c *Client) Entry(command string, args ...string) []string {
	return append([]string{"nsenter", "--net=" + c.space.Path(), "--", command}, args...)
}

// Dial connects from the client's network to an address of digits, for an
// http.Transport among others. The connection stays in that network.
func (c *Client) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = c.space.Do(func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen announces on an address of digits of the client's network.
func (c *Client) Listen(ctx context.Context, network, address string) (l net.Listener, err error) {
	err = c.space.Do(func() (err error) {
		var config net.ListenConfig
		l, err = config.Listen(ctx, network, address)
		return err
	})
	return l, err
}

// ListenPacket is Listen for datagrams.
func (c *Client) ListenPacket(ctx context.Context, network, address string) (p net.PacketConn, err error) {
	err = c.space.Do(func() (err error) {
		var config net.ListenConfig
		p, err = config.ListenPacket(ctx, network, address)
		return err
	})
	return p, err
}
