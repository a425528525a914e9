package worker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A WatchCommand is what a watch is told; exactly one field but Namespace is set.
type WatchCommand struct {
	Add       string `json:",omitempty"` // watch this node from now on …
	Namespace string `json:",omitempty"` // … in the namespace this file stands for
	Off       string `json:",omitempty"` // stop watching this node and let go of its namespace
	Sync      int    `json:",omitempty"` // say this number when all that was waiting has been told
}

// A WatchMessage is one change of an address, or the answer to a Sync.
type WatchMessage struct {
	At      time.Duration `json:",omitempty"` // monotonic, when the kernel's message was read
	Node    string        `json:",omitempty"`
	Prefix  netip.Prefix  `json:",omitzero"`
	Device  int           `json:",omitempty"` // interface index
	Added   bool          `json:",omitempty"` // else deleted
	Waiting bool          `json:",omitempty"` // added, but still tried for duplicates: it does not answer yet
	Sync    int           `json:",omitempty"` // the number of a WatchCommand.Sync
}

// Watch reads the kernel's address messages (rtnetlink(7)) in the namespaces
// of all nodes at once.
func Watch(pipe *Pipe) error {
	var params struct{}
	if err := pipe.Receive(&params); err != nil {
		return err
	}
	realtime(PriorityWatch)
	w := &watcher{pipe: pipe, sockets: map[string]int{}}
	commands, wake, err := commandsOf[WatchCommand](pipe)
	if err != nil {
		return err
	}
	for {
		nodes, poll := w.poll(wake)
		if _, err := unix.Poll(poll, -1); err != nil && err != unix.EINTR {
			return err
		}
		for i, node := range nodes {
			if poll[i].Revents != 0 {
				if err := w.drain(node); err != nil {
					return err
				}
			}
		}
		if poll[len(nodes)].Revents != 0 {
			if err := w.obey(commands, wake); err != nil {
				return ignoreEOF(err)
			}
		}
		if err := pipe.Flush(); err != nil {
			return err
		}
	}
}

type watcher struct {
	pipe    *Pipe
	sockets map[string]int // by node
}

// poll lists what to wait for: each node's socket, and wake as the last.
func (w *watcher) poll(wake *os.File) ([]string, []unix.PollFd) {
	var nodes []string
	var poll []unix.PollFd
	for node, socket := range w.sockets {
		nodes = append(nodes, node)
		poll = append(poll, unix.PollFd{Fd: int32(socket), Events: unix.POLLIN})
	}
	return nodes, append(poll, unix.PollFd{Fd: int32(wake.Fd()), Events: unix.POLLIN})
}

func (w *watcher) obey(commands <-chan WatchCommand, wake *os.File) error {
	if _, err := wake.Read(make([]byte, 1)); err != nil {
		return err
	}
	command, ok := <-commands
	switch {
	case !ok:
		return io.EOF
	case command.Add != "":
		return w.add(command.Add, command.Namespace)
	case command.Off != "":
		w.remove(command.Off)
		return nil
	default:
		for node := range w.sockets {
			if err := w.drain(node); err != nil {
				return err
			}
		}
		return w.pipe.Send(WatchMessage{Sync: command.Sync})
	}
}

func (w *watcher) add(node, namespace string) error {
	socket, err := addressSocket(namespace)
	if err != nil {
		return fmt.Errorf("watch %s: %w", node, err)
	}
	w.sockets[node] = socket
	return nil
}

func (w *watcher) remove(node string) {
	if socket, ok := w.sockets[node]; ok {
		delete(w.sockets, node)
		unix.Close(socket)
	}
}

// drain tells all messages that wait on a node's socket.
func (w *watcher) drain(node string) error {
	buffer := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(w.sockets[node], buffer, unix.MSG_DONTWAIT)
		at := Now()
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return nil
		case err != nil: // ENOBUFS: messages were lost, the history would lie
			return fmt.Errorf("watch %s: %w", node, err)
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			return fmt.Errorf("watch %s: %w", node, err)
		}
		for i := range messages {
			if err := w.tell(at, node, &messages[i]); err != nil {
				return err
			}
		}
	}
}

func (w *watcher) tell(at time.Duration, node string, message *syscall.NetlinkMessage) error {
	if message.Header.Type != unix.RTM_NEWADDR && message.Header.Type != unix.RTM_DELADDR {
		return nil // the end of the dump
	}
	change, err := parseAddress(message)
	if err != nil {
		return fmt.Errorf("watch %s: %w", node, err)
	}
	change.At, change.Node = at, node
	return w.pipe.Send(change)
}

// parseAddress reads a struct ifaddrmsg and its attributes. IFA_LOCAL is the
// node's own address where IFA_ADDRESS is the far end of a point-to-point link.
func parseAddress(message *syscall.NetlinkMessage) (WatchMessage, error) {
	if len(message.Data) < unix.SizeofIfAddrmsg {
		return WatchMessage{}, errors.New("short address message")
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(message)
	if err != nil {
		return WatchMessage{}, err
	}
	bits, flags := int(message.Data[1]), uint32(message.Data[2])
	change := WatchMessage{
		Device: int(binary.NativeEndian.Uint32(message.Data[4:])),
		Added:  message.Header.Type == unix.RTM_NEWADDR,
	}
	var address, local netip.Addr
	for _, a := range attributes {
		switch a.Attr.Type {
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(a.Value)
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(a.Value)
		case unix.IFA_FLAGS:
			flags = binary.NativeEndian.Uint32(a.Value)
		}
	}
	if local.IsValid() {
		address = local
	}
	change.Prefix = netip.PrefixFrom(address, bits)
	change.Waiting = change.Added && flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) != 0
	return change, nil
}

// addressSocket opens a socket in the namespace that hears of every change of
// an address from now on, and asks it for those that are there.
func addressSocket(namespace string) (int, error) {
	file, err := os.Open(namespace)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var socket int
	done := make(chan error)
	go func() { // the thread ends with this goroutine, so it need not go home
		runtime.LockOSThread()
		err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			socket, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		return 0, err
	}
	// 16 MiB hold several thousand messages: 500 addresses put on at once while
	// this process waits for a core are well within it.
	_ = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)
	groups := uint32(unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if err := unix.Bind(socket, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(socket)
		return 0, err
	}
	return socket, requestDump(socket)
}

// requestDump sends struct nlmsghdr and a struct ifaddrmsg of zeros: every
// address of every family.
func requestDump(socket int) error {
	request := make([]byte, unix.SizeofNlMsghdr+unix.SizeofIfAddrmsg)
	binary.NativeEndian.PutUint32(request[0:], uint32(len(request)))
	binary.NativeEndian.PutUint16(request[4:], unix.RTM_GETADDR)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(request[8:], 1) // sequence
	return unix.Sendto(socket, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// commandsOf reads commands in the background for a loop that waits in poll(2):
// a byte on wake for each, and a last one when there are no more.
func commandsOf[T any](pipe *Pipe) (<-chan T, *os.File, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	commands := make(chan T, 16)
	go func() {
		for {
			var command T
			if pipe.Receive(&command) != nil {
				close(commands)
				writer.Close()
				return
			}
			commands <- command
			writer.Write([]byte{0})
		}
	}()
	return commands, reader, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
