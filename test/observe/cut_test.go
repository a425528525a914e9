package observe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/systole-ha/systole/test/lab"
)

// deafen makes a node lose all heartbeats that come on some devices, and
// nothing else, and count them.
func (s *site) deafen(n *lab.Node, devices ...string) error {
	rules := fmt.Sprintf(`table inet deaf {
	counter lost {}
	chain input {
		type filter hook input priority 0
		iifname { %s } udp dport 694 counter name lost drop
	}
}`, strings.Join(devices, ", "))
	if err := n.WriteFile("/run/deaf.nft", []byte(rules), 0o600); err != nil {
		return err
	}
	_, err := n.Run(soon(s.t), "nft", "-f", "/run/deaf.nft")
	return err
}

// hear undoes deafen.
func (s *site) hear(n *lab.Node) error {
	_, err := n.Run(soon(s.t), "nft", "delete", "table", "inet", "deaf")
	return err
}

// missed is how many heartbeats a node has lost since it was deafened. With
// end it hears again from the very next one on.
func (s *site) missed(n *lab.Node, end bool) int {
	s.t.Helper()
	if end {
		s.run(n, "nft", "flush", "chain", "inet", "deaf", "input")
	}
	text := s.run(n, "nft", "list", "counter", "inet", "deaf", "lost")
	_, text, _ = strings.Cut(text, "packets ")
	count, err := strconv.Atoi(strings.Fields(text)[0])
	must(s.t, err)
	return count
}
