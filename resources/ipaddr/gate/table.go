package gate

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// name is that of our tables.
const name = "systole"

// The sets of a table: the addresses, and the protocols for which the gate is
// open, all of them or none.
const (
	addresses4 = "addresses4"
	addresses6 = "addresses6"
	alive      = "alive"
)

// A table is one of ours.
type table struct {
	family    byte
	protocols []byte // that it sees, by the numbers of linux/netfilter.h
}

var tables = []table{
	{unix.NFPROTO_INET, []byte{unix.NFPROTO_IPV4, unix.NFPROTO_IPV6}},
	{unix.NFPROTO_ARP, []byte{unix.NFPROTO_ARP}},
}

func (t table) nft() *nftables.Table {
	return &nftables.Table{Name: name, Family: nftables.TableFamily(t.family)}
}

func (t table) alive() *nftables.Set {
	return &nftables.Set{Table: t.nft(), Name: alive, KeyType: nftables.TypeNFProto, HasTimeout: true}
}

// build puts the gate up in the place of one that may be there.
func build(c *nftables.Conn, addresses []netip.Addr, life time.Duration) error {
	for _, t := range tables {
		c.AddTable(t.nft()) // so that there is one to delete
		c.DelTable(t.nft())
		c.AddTable(t.nft())
		v4, err := addSet(c, t, addresses4, nftables.TypeIPAddr, keys(addresses, netip.Addr.Is4))
		if err != nil {
			return err
		}
		var living []nftables.SetElement
		for _, protocol := range t.protocols {
			if life > 0 {
				living = append(living, nftables.SetElement{Key: []byte{protocol}, Timeout: life})
			}
		}
		open := t.alive()
		if err := c.AddSet(open, living); err != nil {
			return err
		}
		if t.family == unix.NFPROTO_ARP {
			neighbours(c, t, v4, open)
			continue
		}
		v6, err := addSet(c, t, addresses6, nftables.TypeIP6Addr, keys(addresses, netip.Addr.Is6))
		if err != nil {
			return err
		}
		packets(c, t, v4, v6, open)
	}
	return c.Flush()
}

func addSet(c *nftables.Conn, t table, name string, kind nftables.SetDatatype, elements []nftables.SetElement) (*nftables.Set, error) {
	s := &nftables.Set{Table: t.nft(), Name: name, KeyType: kind}
	return s, c.AddSet(s, elements)
}

func keys(addresses []netip.Addr, of func(netip.Addr) bool) (list []nftables.SetElement) {
	for _, ip := range addresses {
		if of(ip) {
			list = append(list, nftables.SetElement{Key: ip.AsSlice()})
		}
	}
	return list
}

// packets drops packets to and from the addresses while the gate is shut. They
// come first, before the tracking of connections: a destination that another
// rule would translate is answered for by somebody else. What is to be passed
// on to another machine is not ours to drop. Advertisements of neighbour
// discovery have the address that they are about as their source (RFC 4861
// section 7.2.4: the target), and so are never sent.
func packets(c *nftables.Conn, t table, v4, v6, open *nftables.Set) {
	first := nftables.ChainPriorityRef(-300) // NF_IP_PRI_RAW
	in := c.AddChain(&nftables.Chain{Name: "arrives", Table: t.nft(), Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookPrerouting, Priority: first})
	out := c.AddChain(&nftables.Chain{Name: "leaves", Table: t.nft(), Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookOutput, Priority: first})
	local := []expr.Any{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.NativeEndian.AppendUint32(nil, unix.RTN_LOCAL)},
	}
	const source4, destination4, source6, destination6 = 12, 16, 8, 24 // offsets in the headers, RFC 791 and RFC 8200
	for _, r := range []struct {
		chain    *nftables.Chain
		protocol byte
		offset   uint32
		length   uint32
		set      *nftables.Set
		also     []expr.Any
	}{
		{in, unix.NFPROTO_IPV4, destination4, 4, v4, local},
		{in, unix.NFPROTO_IPV6, destination6, 16, v6, local},
		{out, unix.NFPROTO_IPV4, source4, 4, v4, nil},
		{out, unix.NFPROTO_IPV6, source6, 16, v6, nil},
	} {
		rule := []expr.Any{
			&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{r.protocol}},
		}
		rule = append(rule, guarded(r.offset, r.length, r.set, open)...)
		rule = append(rule, r.also...)
		c.AddRule(&nftables.Rule{Table: t.nft(), Chain: r.chain, Exprs: append(rule, drop()...)})
	}
}

// neighbours drops questions for the addresses, and what would speak for them. An
// announcement by another node is let in: it is no question by its other form,
// a reply.
func neighbours(c *nftables.Conn, t table, v4, open *nftables.Set) {
	const arpIn, arpOut = 0, 1 // linux/netfilter_arp.h
	first := nftables.ChainPriorityRef(-300)
	in := c.AddChain(&nftables.Chain{Name: "arrives", Table: t.nft(), Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookRef(arpIn), Priority: first})
	out := c.AddChain(&nftables.Chain{Name: "leaves", Table: t.nft(), Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookRef(arpOut), Priority: first})
	const operation, sender, target = 6, 14, 24 // offsets in an ARP packet of Ethernet and IPv4, RFC 826
	rule := []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: operation, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{0, 1}}, // a request
	}
	rule = append(rule, guarded(target, 4, v4, open)...)
	c.AddRule(&nftables.Rule{Table: t.nft(), Chain: in, Exprs: append(rule, drop()...)})
	c.AddRule(&nftables.Rule{Table: t.nft(), Chain: out, Exprs: append(guarded(sender, 4, v4, open), drop()...)})
}

// guarded matches an address of the set while the gate is shut.
func guarded(offset, length uint32, addresses, open *nftables.Set) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
		&expr.Lookup{SourceRegister: 1, SetName: addresses.Name, SetID: addresses.ID},
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Lookup{SourceRegister: 1, SetName: open.Name, SetID: open.ID, Invert: true},
	}
}

func drop() []expr.Any {
	return []expr.Any{&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}}
}

// A layout is what the kernel has of the gate, by which a change is seen.
type layout struct {
	rules     []uint64 // handles, which the kernel never gives twice
	addresses int
}

func (l *layout) equal(other *layout) bool {
	return slices.Equal(l.rules, other.rules) && l.addresses == other.addresses
}

// read reads the layout. The error is ENOENT where a part of it is missing.
func read(c *nftables.Conn) (*layout, error) {
	l := &layout{}
	for _, t := range tables {
		found, err := c.ListTableOfFamily(name, nftables.TableFamily(t.family))
		if err != nil {
			return nil, unix.ENOENT // all that the library says
		}
		if found.Flags&unix.NFT_TABLE_F_DORMANT != 0 {
			return nil, unix.ENOENT
		}
		for _, chain := range []string{"arrives", "leaves"} {
			rules, err := c.GetRules(t.nft(), &nftables.Chain{Name: chain, Table: t.nft()})
			if err != nil {
				return nil, err
			}
			for _, r := range rules {
				l.rules = append(l.rules, r.Handle)
			}
		}
		for _, set := range []string{addresses4, addresses6} {
			if set == addresses6 && t.family == unix.NFPROTO_ARP {
				continue
			}
			elements, err := c.GetSetElements(&nftables.Set{Table: t.nft(), Name: set})
			if err != nil {
				return nil, err
			}
			l.addresses += len(elements)
		}
	}
	return l, nil
}

// find looks for the gate of this process or of an earlier one.
func find(c *nftables.Conn) (State, error) {
	state := Open
	for _, t := range tables {
		if _, err := c.ListTableOfFamily(name, nftables.TableFamily(t.family)); err != nil {
			return Absent, nil
		}
		elements, err := c.GetSetElements(t.alive())
		if err != nil {
			return Absent, nil
		}
		if len(elements) < len(t.protocols) {
			state = Shut
		}
	}
	return state, nil
}

func shut(c *nftables.Conn) error {
	for _, t := range tables {
		c.FlushSet(t.alive())
	}
	return c.Flush()
}

func remove(c *nftables.Conn) error {
	for _, t := range tables {
		c.AddTable(t.nft())
		c.DelTable(t.nft())
	}
	return c.Flush()
}
