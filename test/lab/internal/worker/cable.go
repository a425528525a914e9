package worker

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A CableSpec says which two ends of the switch's namespace a cable joins, and
// how long a frame takes through it.
type CableSpec struct {
	Port  string        // a veth that is in no bridge; the node is behind it
	Tap   string        // a TAP the cable makes
	Delay time.Duration // each way
}

// A CableReady says that the TAP exists and that frames pass.
type CableReady struct{ Realtime bool }

// Cable carries Ethernet frames between a port and a TAP, each Delay late and
// in order. Later CableSpecs on its input change the delay; it grows and
// shrinks without reordering.
func Cable(pipe *Pipe) error {
	var spec CableSpec
	if err := pipe.Receive(&spec); err != nil {
		return err
	}
	port, err := rawSocket(spec.Port)
	if err != nil {
		return fmt.Errorf("open port %s: %w", spec.Port, err)
	}
	tap, err := openTap(spec.Tap)
	if err != nil {
		return fmt.Errorf("make tap %s: %w", spec.Tap, err)
	}
	ready := CableReady{Realtime: realtime(PriorityCable)}
	var delay atomic.Int64
	delay.Store(int64(spec.Delay))
	failed := make(chan error, 2)
	go func() { failed <- carry(port, tap, &delay) }()
	go func() { failed <- carry(tap, port, &delay) }()
	if err := errors.Join(pipe.Send(ready), pipe.Flush()); err != nil {
		return err
	}
	go func() {
		for {
			if err := pipe.Receive(&spec); err != nil {
				failed <- ignoreEOF(err)
				return
			}
			delay.Store(int64(spec.Delay))
		}
	}()
	return <-failed
}

type frame struct {
	due  time.Duration // monotonic
	data []byte
}

// carry takes frames from one end and gives them to the other. 8192 frames are
// 12 MB, 100 ms of a gigabit: a cable longer than that loses frames.
func carry(from, to int, delay *atomic.Int64) error {
	frames := make(chan frame, 8192)
	go deliver(to, frames)
	onTime()
	buffer := make([]byte, 1<<16)
	for {
		n, err := unix.Read(from, buffer)
		if err == unix.EINTR || err == unix.ENETDOWN { // the port was set down; it may come back
			continue
		}
		if err != nil {
			return err
		}
		due := Now() + time.Duration(delay.Load())
		select {
		case frames <- frame{due, append([]byte(nil), buffer[:n]...)}:
		default:
		}
	}
}

// deliver writes each frame when it is due. A frame that the other end refuses
// is lost: its device may be down.
func deliver(to int, frames <-chan frame) {
	onTime()
	for f := range frames {
		sleepUntil(f.due)
		_, _ = unix.Write(to, f.data)
	}
}

// rawSocket opens a socket that reads every frame arriving on the device, and
// writes frames out of it (packet(7)).
func rawSocket(device string) (int, error) {
	index, err := interfaceIndex(device)
	if err != nil {
		return 0, err
	}
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	// What the socket itself sends would come back to it.
	if err := unix.SetsockoptInt(socket, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
		return 0, err
	}
	_ = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20)
	all := uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8 // network byte order
	return socket, unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index})
}

func interfaceIndex(device string) (int, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq(device)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFINDEX, request); err != nil {
		return 0, err
	}
	return int(request.Uint32()), nil
}

// openTap makes a TAP: what is written to the descriptor arrives from the
// device, what is sent out of the device is read. It lives as long as the
// descriptor. See the kernel's Documentation/networking/tuntap.rst.
func openTap(name string) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(request)))
	if errno != 0 {
		return 0, errno
	}
	return fd, nil
}
