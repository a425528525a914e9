package config

import (
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/wire"
)

// The kinds of arbiters.
const (
	SystoleArbiter = "systole" // systole arbiter, on a third machine
	EtcdArbiter    = "etcd"
	ConsulArbiter  = "consul"
)

// An Arbiter is one that has a vote.
type Arbiter struct {
	Kind      string
	Name      string   // for metrics and messages: its address, or the host of its first URL
	Addresses []string // host:port of a systole arbiter; URLs else
	Secret    *Secrets // user:password of etcd, token of Consul; nil for none
	CA        string   // file of certificates that the servers' are to be signed by; "" for the system's
	Cert, Key string   // files of our own certificate; "" for none
	Origin    string   // "systole.yaml:3"
}

const (
	// ArbiterPort is the UDP port of a systole arbiter.
	ArbiterPort = 9695
	// maxArbiters bounds what each costs: a goroutine and series. Seven bear
	// the loss of three.
	maxArbiters = 7
	// consulLeast is the shortest TTL that Consul gives a session.
	consulLeast = 10 * time.Second
)

// VoteLength is how long a vote lasts that is not asked for again. The stores
// of others count whole seconds, and Consul no less than ten.
func (c *Config) VoteLength() time.Duration {
	length := permission.VoteLength(c.Deadtime, c.Lease())
	for _, a := range c.Arbiters {
		if a.Kind != SystoleArbiter {
			length = (length + time.Second - 1).Truncate(time.Second)
		}
		if a.Kind == ConsulArbiter {
			length = max(length, consulLeast)
		}
	}
	return length
}

// setPermission reads the name of a policy.
func (c *Config) setPermission(v string) error {
	if !slices.Contains(permission.Policies, permission.Policy(v)) {
		return fmt.Errorf("%s is no policy: there are none, peer, ping, arbiter, quorum", printable(v))
	}
	c.Permission = permission.Policy(v)
	return nil
}

// addArbiter reads "HOST[:PORT]", "etcd URL[,URL] [OPTIONS]" or "consul URL
// [OPTIONS]".
func (c *Config) addArbiter(fsys fs.FS, origin string, args []string) *problem {
	if len(args) == 0 {
		return bad("write the address of a machine that runs systole arbiter", "no arbiter")
	}
	a := Arbiter{Kind: SystoleArbiter, Origin: origin}
	var p *problem
	if args[0] == EtcdArbiter || args[0] == ConsulArbiter {
		a.Kind = args[0]
		p = a.readStore(fsys, args[1:])
	} else {
		p = a.readMachine(args)
	}
	switch {
	case p != nil:
		return p
	case len(c.Arbiters) >= maxArbiters:
		return bad("", "more than %d arbiters", maxArbiters)
	}
	for _, b := range c.Arbiters {
		if a.Name == b.Name {
			return bad("", "the same as in %s", b.Origin)
		}
	}
	c.Arbiters = append(c.Arbiters, a)
	return nil
}

func (a *Arbiter) readMachine(args []string) *problem {
	host, port, err := net.SplitHostPort(args[0])
	if err != nil {
		host, port = strings.Trim(args[0], "[]"), strconv.Itoa(ArbiterPort)
	}
	switch {
	case len(args) > 1:
		return bad("arbiters of one's own are a list, one a line", "%s: too many words", printable(strings.Join(args, " ")))
	case host == "" || !visible(host) || strings.ContainsAny(host, "/@"):
		return bad("write the address of a machine that runs systole arbiter", "%s is no address", printable(args[0]))
	case !isPort(port):
		return bad("", "%s is no port", printable(port))
	}
	a.Name = args[0]
	a.Addresses = []string{net.JoinHostPort(host, port)}
	return nil
}

func (a *Arbiter) readStore(fsys fs.FS, args []string) *problem {
	if p := arguments(args, "URL"); p != nil {
		return p
	}
	for v := range strings.SplitSeq(args[0], ",") {
		var address string
		if p := readURL(&address, v); p != nil {
			return p
		}
		a.Addresses = append(a.Addresses, strings.TrimSuffix(address, "/"))
	}
	if a.Kind == ConsulArbiter && len(a.Addresses) > 1 {
		return bad("write that of the Consul agent on this machine", "Consul is asked at one URL")
	}
	first, _ := url.Parse(a.Addresses[0])
	a.Name = a.Kind + ":" + first.Host
	path := func(field *string) func(string) *problem {
		return func(v string) *problem {
			if err := setPath(field, v); err != nil {
				return bad("", "%v", err)
			}
			return nil
		}
	}
	known := map[string]func(string) *problem{"ca": path(&a.CA), "cert": path(&a.Cert), "key": path(&a.Key)}
	name, decode := "token", anySecret
	if a.Kind == EtcdArbiter {
		name, decode = "password", userAndPassword
	}
	known[name] = func(v string) (p *problem) {
		a.Secret, p = readSecrets(fsys, v, decode)
		return p
	}
	if p := options(args[1:], known); p != nil {
		return p
	}
	if (a.Cert == "") != (a.Key == "") {
		return bad("", "cert and key go together")
	}
	return nil
}

func anySecret(line string) ([]byte, error) { return []byte(line), nil }

// judgePermission settles the policy, once systole.yaml is read: arbiters that
// are named are asked.
func (r *yamlReader) judgePermission() {
	c := r.cfg
	line := max(c.yamlLines["permission"], c.yamlLines["arbiter"])
	say := func(s Severity, text, hint string) { r.add(s, line, "permission", text, hint) }
	if c.Permission == "" {
		switch {
		case len(c.Arbiters) > 1:
			c.Permission = permission.Quorum
		case len(c.Arbiters) == 1:
			c.Permission = permission.Arbiter
		default:
			c.Permission = permission.None
		}
	}
	switch n := len(c.Arbiters); {
	case c.Permission.Votes() && n == 0:
		say(Error, string(c.Permission)+" without arbiters: nobody has a vote", "write arbiter: and the address of a machine that runs systole arbiter")
	case !c.Permission.Votes() && n > 0:
		say(Warning, fmt.Sprintf("%s does not ask the arbiters", c.Permission), "leave permission out")
	case c.Permission == permission.Arbiter && n > 1:
		say(Error, fmt.Sprintf("arbiter with %d of them", n), "write quorum")
	case c.Permission == permission.Quorum && n%2 == 0:
		say(Warning, fmt.Sprintf("%d arbiters bear no more losses than %d", n, n-1), "")
	case c.Permission == permission.Ping && len(c.Pings) == 0:
		say(Error, "ping without a ping node", "add ping and an address to ha.cf")
	}
	for _, k := range c.Auth.Keys {
		if k.Method == wire.CRC && slices.ContainsFunc(c.Arbiters, func(a Arbiter) bool { return a.Kind == SystoleArbiter }) {
			say(Error, "an arbiter believes no crc: whoever can send to it could take the vote", "use sha1 with a key in authkeys")
		}
	}
	if c.Permission.Judges() && len(c.Nodes) > 1 && c.Lease() == 0 && r.list.Count(Error) == 0 {
		say(Warning, "no leases: what permission a node has that stands still is not taken from it", "a deadtime of at least 1.25 s and three keepalives leaves room for them")
	}
}
