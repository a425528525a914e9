package ipaddr

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
)

// A SendArp announces addresses on an interface that need not have them: the
// resource SendArp of haresources. It takes no address and gives none.
type SendArp struct {
	marks  mark.Marks
	report func(s resources.Spec, err error)
	repeat chan map[string]context.CancelFunc // ends the repeats of each resource; one map
	under  sync.WaitGroup                     // repeats under way
}

var (
	_ resources.Driver  = (*SendArp)(nil)
	_ resources.Checker = (*SendArp)(nil)
	_ resources.Parser  = (*SendArp)(nil)
)

// NewSendArp returns a driver that remembers by these marks what it has started.
// Report is told of announcements that could not be repeated; it must not block.
func NewSendArp(marks mark.Marks, report func(s resources.Spec, err error)) *SendArp {
	d := &SendArp{marks: marks, report: report, repeat: make(chan map[string]context.CancelFunc, 1)}
	d.repeat <- map[string]context.CancelFunc{}
	return d
}

// What the script sends: five announcements, 200 ms apart (ARP_REPEAT and
// ARP_INTERVAL_MS in the agent of resource-agents that it calls).
const (
	arpRepeats  = 5
	arpInterval = 200 * time.Millisecond
)

// ParseSendArp reads the argument of a SendArp:
//
//	address/interface
//	address/prefix/interface[:label][/broadcast]
//
// Source: resource.d/SendArp of heartbeat 3.0.6. Its description has the second
// form; its code knows the first alone, and takes "24/eth0" for the name of an
// interface.
func ParseSendArp(s resources.Spec) (ip netip.Addr, device string, err error) {
	text := strings.Join(s.Args, "::") // of an IPv6 address
	address, rest, _ := strings.Cut(text, "/")
	ip, err = netip.ParseAddr(address)
	if len(s.Args) > 1 && (err != nil || !ip.Is6()) {
		return ip, "", fmt.Errorf("%s takes one argument, with \"/\" between its parts, as in %s::192.0.2.10/eth0", s.Name, s.Name)
	}
	if text == "" {
		return ip, "", fmt.Errorf("%s takes an address and an interface, as in %s::192.0.2.10/eth0", s.Name, s.Name)
	}
	if ip, err = parseIP(address); err != nil {
		return ip, "", err
	}
	if device, _, _ = strings.Cut(rest, "/"); device != "" && isDigit(device[0]) {
		a, err := parse(text)
		if err != nil {
			return ip, "", err
		}
		device = a.Interface
	}
	device, _, _ = strings.Cut(device, ":")
	switch {
	case device == "":
		return ip, "", fmt.Errorf("on which interface %s is to be announced is missing: write %s::%s/eth0", ip, s.Name, ip)
	case !isInterface(device):
		return ip, "", fmt.Errorf("%q is not the name of an interface", device)
	}
	return ip, device, nil
}

// Start announces the address, unless that was done already, and returns when
// the first announcement is sent; the repeats follow.
func (d *SendArp) Start(ctx context.Context, s resources.Spec) error {
	return failedOp("start", s, d.start(ctx, s))
}

func (d *SendArp) start(ctx context.Context, s resources.Spec) error {
	ip, device, err := ParseSendArp(s)
	if err != nil {
		return err
	}
	if _, started, err := d.marks.Get(s); err != nil || started {
		return err
	}
	k, err := openKernel()
	if err != nil {
		return fmt.Errorf("open netlink socket: %w", err)
	}
	if err := announceOn(ctx, k, ip, device); err != nil {
		k.close()
		return err
	}
	if err := d.marks.Set(s, ""); err != nil {
		k.close()
		return err
	}
	d.repeats(s, func(ctx context.Context) { defer k.close(); d.again(ctx, k, s, ip, device) })
	return nil
}

// repeats runs fn until the resource is stopped.
func (d *SendArp) repeats(s resources.Spec, fn func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	all := <-d.repeat
	all[s.String()] = cancel
	d.repeat <- all
	d.under.Go(func() { fn(ctx) })
}

// again sends the repeats. A process that stood still does not catch up on them:
// the address may be another node's by now.
func (d *SendArp) again(ctx context.Context, k *kernel, s resources.Spec, ip netip.Addr, device string) {
	for begun, n := time.Now(), 1; n < arpRepeats; n++ {
		select {
		case <-time.After(time.Until(begun.Add(time.Duration(n) * arpInterval))):
		case <-ctx.Done():
			return
		}
		if time.Since(begun) > time.Duration(n+1)*arpInterval {
			return
		}
		if err := announceOn(ctx, k, ip, device); err != nil && ctx.Err() == nil {
			d.report(s, err)
			return
		}
	}
}

// announceOn sends the announcements of an address by an interface, whoever has
// the address.
func announceOn(ctx context.Context, k *kernel, ip netip.Addr, device string) error {
	l, err := k.named(ctx, device)
	if err != nil {
		return err
	}
	if l.flags&(unix.IFF_LOOPBACK|unix.IFF_NOARP) != 0 || len(l.mac) == 0 {
		return fmt.Errorf("%s is an interface on which nobody asks for hardware addresses", l.name)
	}
	if !l.up() {
		return down(l)
	}
	frames, err := announcement(ip, l)
	for _, f := range frames {
		if err == nil {
			err = k.send(l, f)
		}
	}
	if err != nil {
		return fmt.Errorf("announce on %s: %w", l.name, err)
	}
	return nil
}

// Stop sends nothing: it ends the repeats.
func (d *SendArp) Stop(_ context.Context, s resources.Spec) error {
	_, _, err := ParseSendArp(s)
	if err == nil {
		d.end(s)
		err = d.marks.Clear(s)
	}
	return failedOp("stop", s, err)
}

func (d *SendArp) end(s resources.Spec) {
	all := <-d.repeat
	if cancel := all[s.String()]; cancel != nil {
		cancel()
		delete(all, s.String())
	}
	d.repeat <- all
}

// Close ends all repeats.
func (d *SendArp) Close() error {
	all := <-d.repeat
	for _, cancel := range all {
		cancel()
	}
	clear(all)
	d.repeat <- all
	d.under.Wait()
	return nil
}

// Status is whether the resource was started.
func (d *SendArp) Status(_ context.Context, s resources.Spec) (resources.Status, error) {
	status, err := d.marks.Status(s)
	return status, failedOp("status", s, err)
}

// Parse judges the argument.
func (d *SendArp) Parse(s resources.Spec) error {
	_, _, err := ParseSendArp(s)
	return err
}

// Check judges the argument, and whether there is the interface.
func (d *SendArp) Check(ctx context.Context, s resources.Spec) []resources.Finding {
	_, device, err := ParseSendArp(s)
	if err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	k, err := openKernel()
	if err == nil {
		defer k.close()
		_, err = k.named(ctx, device)
	}
	switch {
	case errors.As(err, new(noPlace)):
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	case err != nil:
		return []resources.Finding{{Unknown: true, Text: "the network could not be examined: " + err.Error()}}
	}
	return nil
}

func failedOp(op string, s resources.Spec, err error) error {
	if err == nil {
		return nil
	}
	return &resources.Error{Op: op, Spec: s, Err: err}
}
