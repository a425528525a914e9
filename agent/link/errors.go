package link

import (
	"errors"

	"golang.org/x/sys/unix"
)

// sendError puts what the kernel said to a packet into the closed set.
func sendError(link string, err error) *SendError {
	reason := SendOther
	switch err {
	case unix.EAGAIN:
		reason, err = SendBusy, ErrBusy
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EADDRNOTAVAIL:
		reason = SendNoRoute
	case unix.ENETDOWN, unix.ENODEV, unix.ENXIO, unix.EIO:
		reason = SendNoDevice
	case unix.ENOBUFS, unix.ENOMEM, unix.EMSGSIZE:
		reason = SendNoBuffer
	case unix.EPERM, unix.EACCES, unix.ECONNREFUSED:
		reason = SendRefused
	}
	return &SendError{Link: link, Reason: reason, Err: err}
}

// waitReason puts why a link could not be opened into the closed set.
func waitReason(err error) string {
	switch {
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENOENT):
		return NoDevice
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return Denied
	case errors.Is(err, unix.EADDRINUSE), errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK):
		return InUse
	}
	return Other
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
