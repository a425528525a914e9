package portblock

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// name is that of our table. It is there while a port is blocked, and nobody
// else's table is ever touched.
const name = "systole_portblock"

func table() *nftables.Table {
	return &nftables.Table{Name: name, Family: nftables.TableFamilyINet}
}

// chain sees what arrives for this node itself, where iptables has its INPUT.
func chain() *nftables.Chain {
	return &nftables.Chain{Name: "arrives", Table: table(), Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter}
}

// comments are how the rules of a block are told from others, and what "nft
// list ruleset" shows beside each.
func (b Block) comments() (list [][]byte) {
	protocol := "tcp"
	if b.Protocol == unix.IPPROTO_UDP {
		protocol = "udp"
	}
	to := ""
	if b.To.IsValid() {
		to = " " + b.To.String()
	}
	for _, p := range b.Ports {
		list = append(list, userdata.AppendString(nil, userdata.TypeComment, fmt.Sprintf("portblock %s %s%s", protocol, p, to)))
	}
	return list
}

// read lists our rules; none where there is no table.
func read(c *nftables.Conn) ([]*nftables.Rule, error) {
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(tables, func(t *nftables.Table) bool { return t.Name == name }) {
		return nil, nil
	}
	return c.GetRules(table(), chain())
}

// present counts the ports of a block that are blocked.
func (b Block) present(rules []*nftables.Rule) (n int) {
	for _, comment := range b.comments() {
		if slices.ContainsFunc(rules, func(r *nftables.Rule) bool { return bytes.Equal(r.UserData, comment) }) {
			n++
		}
	}
	return n
}

// add blocks the ports that are not blocked yet, in one transaction.
func (b Block) add(c *nftables.Conn, rules []*nftables.Rule) error {
	if b.present(rules) == len(b.Ports) {
		return nil
	}
	c.AddTable(table())
	in := c.AddChain(chain())
	for i, comment := range b.comments() {
		if slices.ContainsFunc(rules, func(r *nftables.Rule) bool { return bytes.Equal(r.UserData, comment) }) {
			continue
		}
		c.AddRule(&nftables.Rule{Table: table(), Chain: in, Exprs: b.match(b.Ports[i]), UserData: comment})
	}
	return c.Flush()
}

// remove lets the ports be reached again, in one transaction. The table goes
// with its last rule.
func (b Block) remove(c *nftables.Conn, rules []*nftables.Rule) error {
	comments := b.comments()
	var ours []*nftables.Rule
	for _, r := range rules {
		if slices.ContainsFunc(comments, func(comment []byte) bool { return bytes.Equal(r.UserData, comment) }) {
			ours = append(ours, r)
		}
	}
	switch len(ours) {
	case 0:
		return nil
	case len(rules):
		c.DelTable(table())
	default:
		for _, r := range ours {
			if err := c.DelRule(r); err != nil {
				return err
			}
		}
	}
	return c.Flush()
}

// match drops what is for these ports.
func (b Block) match(p Ports) []expr.Any {
	var list []expr.Any
	if b.To.IsValid() {
		list = b.matchAddress()
	}
	port := func(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
	return append(list,
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{b.Protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}, // RFC 9293 and RFC 768
		&expr.Cmp{Op: expr.CmpOpGte, Register: 1, Data: port(p.First)},
		&expr.Cmp{Op: expr.CmpOpLte, Register: 1, Data: port(p.Last)},
		&expr.Counter{},
		&expr.Verdict{Kind: expr.VerdictDrop},
	)
}

// matchAddress matches the destination of a packet.
func (b Block) matchAddress() []expr.Any {
	protocol, offset := byte(unix.NFPROTO_IPV4), uint32(16) // of the destination, RFC 791
	if b.To.Addr().Is6() {
		protocol, offset = unix.NFPROTO_IPV6, 24 // RFC 8200
	}
	bytes := b.To.Addr().AsSlice()
	mask := make([]byte, len(bytes))
	for i := range b.To.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: uint32(len(bytes))},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: uint32(len(bytes)), Mask: mask, Xor: make([]byte, len(bytes))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: bytes},
	}
}
