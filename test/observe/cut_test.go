package observe

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// lose makes a node lose what comes in and matches, in the words of nft(8), and
// count it.
func (s *site) lose(n *lab.Node, match string) error {
	rules := fmt.Sprintf(`table inet deaf {
	counter lost {}
	chain input {
		type filter hook input priority 0
		%s counter name lost drop
	}
}
`, match)
	if err := n.WriteFile("/run/deaf.nft", []byte(rules), 0o600); err != nil {
		return err
	}
	_, err := n.Run(soon(s.t), "nft", "-f", "/run/deaf.nft")
	return err
}

// deafen makes a node lose all heartbeats that come on some devices, and
// nothing else.
func (s *site) deafen(n *lab.Node, devices ...string) error {
	return s.lose(n, fmt.Sprintf("iifname { %s } udp dport 694", strings.Join(devices, ", ")))
}

// hear undoes lose.
func (s *site) hear(n *lab.Node) error {
	_, err := n.Run(soon(s.t), "nft", "delete", "table", "inet", "deaf")
	return err
}

// lost is how many packets a node has lost since it was told to lose some.
func (s *site) lost(n *lab.Node) int {
	s.t.Helper()
	text := s.run(n, "nft", "list", "counter", "inet", "deaf", "lost")
	_, text, _ = strings.Cut(text, "packets ")
	count, err := strconv.Atoi(strings.Fields(text)[0])
	must(s.t, err)
	return count
}

// An eavesdropper is a third machine on the service network that hears the
// broadcasts of alpha and says to beta what it likes.
type eavesdropper struct {
	site *site
	conn net.PacketConn
}

func (s *site) eavesdropper() *eavesdropper {
	s.t.Helper()
	conn, err := s.lab.Client().ListenPacket(s.t.Context(), "udp4", ":694")
	must(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	return &eavesdropper{s, conn}
}

// next is the next datagram of alpha's.
func (e *eavesdropper) next() []byte {
	e.site.t.Helper()
	must(e.site.t, e.conn.SetReadDeadline(time.Now().Add(patience)))
	datagram := make([]byte, 64<<10)
	for {
		n, from, err := e.conn.ReadFrom(datagram)
		must(e.site.t, err)
		if from.(*net.UDPAddr).IP.Equal(e.site.alpha.Host(lab.Service).AsSlice()) {
			return datagram[:n]
		}
	}
}

// newest forgets what has come and waits for the next.
func (e *eavesdropper) newest() []byte {
	e.site.t.Helper()
	must(e.site.t, e.conn.SetReadDeadline(time.Now()))
	for datagram := make([]byte, 64<<10); ; {
		if _, _, err := e.conn.ReadFrom(datagram); err != nil {
			return e.next() // there is nothing left
		}
	}
}

// say sends a datagram to beta.
func (e *eavesdropper) say(datagram []byte) {
	e.site.t.Helper()
	_, err := e.conn.WriteTo(datagram, &net.UDPAddr{IP: e.site.beta.Host(lab.Service).AsSlice(), Port: 694})
	must(e.site.t, err)
}
