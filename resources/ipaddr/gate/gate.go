// Package gate lets traffic, ARP and neighbour discovery of virtual addresses
// pass only while it is renewed, to the millisecond and whatever has become of
// the process that renews it: a table of nftables whose rules drop what is
// meant for these addresses, and what comes from them, unless an element with
// a timeout lives (nft(8), sets and their timeouts).
//
// One element a table stands for all addresses, so that renewing costs the same
// for one and for five hundred. Nobody else's rules and addresses are touched:
// the tables are ours alone, "inet systole" and "arp systole".
package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A State is how the gate is found.
type State int

const (
	Absent State = iota // there is none, or not all of it
	Shut                // it is there, and lets nothing pass
	Open                // it is there, and lets everything pass
)

// A Gate is for one goroutine at a time, in the network namespace of the thread
// that uses it first. It opens nothing before that.
type Gate struct {
	addresses []netip.Addr
	hot       *socket // for what is done at every beat
	conn      *nftables.Conn
	netlink   *netlink.Conn // below conn
	built     *layout       // as the kernel has numbered it; nil before
	shut      bool          // by us: the element is not there
	next      uint32        // the ruleset's generation, if nobody has changed it since; 0: not known
}

// New returns the gate of these addresses.
func New(addresses []netip.Addr) *Gate { return &Gate{addresses: addresses, shut: true} }

// ErrShut says that the gate has shut by itself: it was renewed too late, and
// the addresses may be another node's by now. Build opens it again.
var ErrShut = errors.New("the gate has shut: it was renewed too late")

// ErrRebuilt says that the gate was gone, or not whole, and has been put up
// again: somebody else has flushed or changed it. It is open.
var ErrRebuilt = errors.New("somebody removed or changed the rules of the gate (nft list table inet systole): they have been put up again")

// Find looks how the gate is. The error says why this machine can have none.
func (g *Gate) Find() (State, error) {
	if _, err := g.generation(); err != nil {
		return Absent, err
	}
	state := Absent
	err := g.talk(func(c *nftables.Conn) (err error) {
		state, err = find(c)
		return err
	})
	return state, err
}

// Build puts the gate up, in the place of one that may be there, in one
// transaction: at no instant is there none. It is open for so long; 0: shut.
func (g *Gate) Build(life time.Duration) error {
	err := g.talk(func(c *nftables.Conn) error {
		if err := build(c, g.addresses, life); err != nil {
			return err
		}
		g.built, g.next = nil, 0
		return nil
	})
	if err != nil {
		return fmt.Errorf("put up the gate: %w", err)
	}
	g.shut = life <= 0
	generation, err := g.generation() // before the look: what is changed after it is seen by the next renewal
	if err != nil {
		return err
	}
	return g.talk(func(c *nftables.Conn) (err error) {
		g.built, err = read(c)
		g.next = generation
		return err
	})
}

// Adopt takes over an open gate of an earlier process, and has it stay open for
// so long from now: ErrShut where it has shut meanwhile, as with Renew.
func (g *Gate) Adopt(life time.Duration) error {
	g.shut = false
	if err := g.send(life); errors.Is(err, unix.ENOENT) {
		g.shut = true
		return ErrShut
	} else if err != nil {
		return fmt.Errorf("renew the gate: %w", err)
	}
	return g.Build(life) // its addresses may be others
}

// Renew has the gate stay open for so long from now, or opens one that Shut has
// shut. It is the kernel that refuses to open one whose time was over, however
// late this call comes to it: ErrShut. ErrRebuilt is a success, too.
func (g *Gate) Renew(life time.Duration) error {
	if g.built == nil {
		return g.Build(life)
	}
	for range 3 {
		switch err := g.send(life); {
		case err == nil:
			return nil
		case errors.Is(err, unix.ERESTART), errors.Is(err, unix.ENOENT):
			whole, changed := g.whole()
			switch {
			case changed != nil:
				return changed
			case !whole:
				return g.rebuild(life)
			case errors.Is(err, unix.ENOENT):
				g.shut = true
				return ErrShut
			}
		default:
			return fmt.Errorf("renew the gate: %w", err)
		}
	}
	// Somebody changes rules without a pause. They were whole a moment ago.
	g.next = 0
	return g.send(life)
}

func (g *Gate) rebuild(life time.Duration) error {
	if err := g.Build(life); err != nil {
		return err
	}
	return ErrRebuilt
}

// send is Renew without a look at what others have done.
func (g *Gate) send(life time.Duration) error {
	hot, err := g.ready()
	if err != nil {
		return err
	}
	if err := hot.renew(g.next, life, !g.shut); err != nil {
		return err
	}
	g.shut = false
	if g.next != 0 {
		g.next++ // 0 where it runs over: then the next is not held against it
	}
	return nil
}

// whole reports whether the gate is as we put it up, and takes note of the
// generation that was so.
func (g *Gate) whole() (bool, error) {
	generation, err := g.generation()
	if err != nil {
		return false, err
	}
	var now *layout
	err = g.talk(func(c *nftables.Conn) (err error) {
		now, err = read(c)
		return err
	})
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	g.next = generation
	return now.equal(g.built), nil
}

// Shut lets nothing pass from now on, until Renew.
func (g *Gate) Shut() error {
	g.shut, g.next = true, 0
	err := g.talk(shut)
	if errors.Is(err, unix.ENOENT) { // no gate: nothing that could be shut
		return nil
	}
	return err
}

// Remove takes the gate away: everything passes.
func (g *Gate) Remove() error {
	g.built = nil
	err := g.talk(remove)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// Close closes the sockets. The gate stays, and shuts when its time is over.
func (g *Gate) Close() {
	if g.hot != nil {
		g.hot.close()
		g.hot = nil
	}
	g.hangUp()
}

func (g *Gate) hangUp() {
	if g.conn != nil {
		_ = g.conn.CloseLasting()
		g.conn = nil
	}
}

// generation is that of the whole ruleset, which every change moves on.
func (g *Gate) generation() (uint32, error) {
	hot, err := g.ready()
	if err != nil {
		return 0, err
	}
	n, err := hot.generation()
	if err != nil {
		return 0, fmt.Errorf("nftables: %w", err)
	}
	return n, nil
}

func (g *Gate) ready() (_ *socket, err error) {
	if g.hot == nil {
		if g.hot, err = open(); err != nil {
			return nil, fmt.Errorf("nftables: open netlink socket: %w", err)
		}
	}
	return g.hot, nil
}

// answerTime bounds the wait for answers, which the kernel has given before the
// call that asks returns: no answer is a defect, not to hang on.
const answerTime = 500 * time.Millisecond

// talk is for all that is not done at every beat. After an error the connection
// is opened anew, since answers may be left in it.
func (g *Gate) talk(fn func(*nftables.Conn) error) (err error) {
	if g.conn == nil {
		keep := func(c *netlink.Conn) error {
			g.netlink = c
			return nil
		}
		if g.conn, err = nftables.New(nftables.AsLasting(), nftables.WithSockOptions(keep)); err != nil {
			return fmt.Errorf("nftables: open netlink socket: %w", err)
		}
	}
	if err = g.netlink.SetDeadline(time.Now().Add(answerTime)); err == nil {
		err = fn(g.conn)
	}
	if err != nil {
		g.hangUp()
	}
	return err
}
