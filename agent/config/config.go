// Package config reads what Linux-HA Heartbeat reads: ha.cf, haresources and
// authkeys, unchanged, and the systole.yaml that may stand beside them. It
// says everything that is wrong with them at once, with file and line.
//
// It touches nothing but the files it is given and what it asks of a Host.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources"
)

// The files of a configuration, all in one folder.
const (
	HaCf        = "ha.cf"
	Haresources = "haresources"
	Authkeys    = "authkeys"
	SystoleYAML = "systole.yaml" // optional
	nodeinfo    = "nodeinfo"     // optional: this node's name, if it is not uname -n
)

// A Config is a plain value: what the files say, with the defaults filled in.
// It may be printed: no secret is in reach of fmt.
type Config struct {
	Cluster string   // a name for people and metrics; never on the wire
	Self    string   // this node, lower case
	Nodes   []string // the members, lower case, in the order of ha.cf; Self is one
	Pings   []Ping   // ping nodes and ping groups, in the order of ha.cf
	Links   []Link   // in the order of ha.cf
	Groups  []Group  // in the order of haresources

	Keepalive time.Duration // the interval heartbeats are sent at
	Warntime  time.Duration // silence that makes a heartbeat late
	Deadtime  time.Duration // silence that makes a node dead
	Initdead  time.Duration // the same while the cluster boots
	Deadping  time.Duration // the same for a ping node

	// AutoFailback says that groups return to their preferred node when it
	// does. True also for "legacy", which systole runs as "on".
	AutoFailback bool

	UDPPort  uint16 // the last udpport; links know their own
	HopFudge int    // see TTL

	IPFail     bool              // groups move to the node that reaches more ping nodes
	Permission permission.Policy // what evidence lets a node hold addresses
	Arbiters   []Arbiter         // in the order of systole.yaml
	Watchdog   string            // device; "" for none

	Leases Lease // by what addresses are held: see Lifetime and Gate

	Fencing Fencing

	Realtime         bool // ask for real-time scheduling
	RealtimePriority int  // of SCHED_RR, 1 to 99

	FlightRecorder bool // keep Go's execution flight recorder running

	Webhooks      []Webhook      // those of ha.cf, then those of systole.yaml
	Alertmanagers []Alertmanager // likewise

	Auth          Auth
	Web           Web
	StateDir      string        // keeps the generation, the uuid, the outage ledger, the newest takeover, incidents and events that nobody took
	ControlSocket string        // where cl_status and its sisters ask
	StartTimeout  time.Duration // for starting one resource
	StopTimeout   time.Duration // for stopping one

	ClusterHash   uint64 // of what ha.cf must say alike on both nodes; 48 bits
	ResourcesHash uint64 // of haresources; 48 bits

	parameters map[string]string // of ha.cf, as written or heartbeat's default
	lines      map[string]int    // of those written
	yamlLines  map[string]int    // of the keys of systole.yaml
	prints     map[string]uint64 // of files; see Differ
}

// A Ping is a ping node: something outside the cluster that answers echo
// requests. It is alive while any of its targets answers.
type Ping struct {
	Name    string   // the address in lower case; ping_group gives another
	Targets []string // addresses or names, as written; at least one
	IPv6    bool     // written as ping6
	Group   bool     // written as ping_group
	Line    int
}

// A Group is one line of haresources: resources that move together.
type Group struct {
	// Key is the first resource as the file writes it. Heartbeat has no
	// other name for a group, in messages and in commands.
	Key           string
	Preferred     string           // the node it runs on when both live
	Resources     []resources.Spec // at least one, in the order they start
	ResourceLines []int            // where each of them stands
	Line          int              // where the line begins
}

// Auth is what authkeys says, less the secrets: those are in the keyring, which
// shows them to nobody.
type Auth struct {
	Send int       // the number of the key that signs
	Keys []AuthKey // by number
	Ring *wire.Keyring
}

// An AuthKey is a key of authkeys without its secret.
type AuthKey struct {
	Number int
	Method wire.Method
	Line   int
}

// Web says where metrics are served.
type Web struct {
	ListenAddress string // host:port; "" serves nothing
	ConfigFile    string // of the Prometheus exporter-toolkit; "" for none
}

// TTL is the number of hops that messages are allowed to make round a ring of
// serial lines: hopfudge and one for every node, ping nodes included.
func (c *Config) TTL() int { return c.HopFudge + len(c.Nodes) + len(c.Pings) }

// Peers are the nodes but this one.
func (c *Config) Peers() []string {
	return slices.DeleteFunc(slices.Clone(c.Nodes), func(n string) bool { return n == c.Self })
}

// Parameter is a directive's value as cl_status hbparameter prints it: as it is
// written in ha.cf, or heartbeat's default. Directives that are lists (node,
// bcast, respawn and so on) have none.
func (c *Config) Parameter(directive string) (value string, ok bool) {
	value, ok = c.parameters[directive]
	return value, ok
}

// Origin is the file and line, "ha.cf:3", that gives a directive of ha.cf or a
// key of systole.yaml its value, or "" if it is a default.
func (c *Config) Origin(setting string) string {
	if line := c.yamlLines[setting]; line > 0 {
		return fmt.Sprintf("%s:%d", SystoleYAML, line)
	}
	if line := c.lines[setting]; line > 0 {
		return fmt.Sprintf("%s:%d", HaCf, line)
	}
	return ""
}

// Load reads the configuration in fsys for the given machine. The Config is
// never nil and holds whatever could be understood, but it can only be run if
// the diagnostics, sorted, have no errors.
//
// With a Host that has a name only, nothing is said about what the machine
// lacks: a daemon that starts before the network is there waits for it.
func Load(fsys fs.FS, host Host) (*Config, Diagnostics) {
	c := &Config{Self: selfName(fsys, host), parameters: map[string]string{}, lines: map[string]int{}, yamlLines: map[string]int{}, prints: fingerprints(fsys)}
	var all Diagnostics
	for _, read := range []func(*Config, fs.FS, Host) Diagnostics{readHaCf, readHaresources, readAuthkeys, readYAML} {
		all = append(all, read(c, fsys, host)...)
	}
	c.ClusterHash, c.ResourcesHash = c.clusterHash(), c.resourcesHash()
	all.Sort()
	return c, all
}

// selfName is this node's name: the first line of nodeinfo, else uname -n, in
// lower case as heartbeat has it.
func selfName(fsys fs.FS, host Host) string {
	name := host.Name
	if text, err := readFile(fsys, nodeinfo); err == nil {
		line, _, _ := strings.Cut(text, "\n")
		if line = strings.Trim(line, blanks+"\r"); line != "" {
			name = line
		}
	}
	return strings.ToLower(name)
}

// maxFile bounds what is read of one file, in bytes: 64 for each of
// maxResources.
const maxFile = 64 * maxResources

var errTooLarge = fmt.Errorf("more than %d bytes", maxFile)

// readFile is the text of a file, of maxFile bytes at the most.
func readFile(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxFile {
		return "", errTooLarge
	}
	return string(text), nil
}

// unreadable reports a file that could not be read.
func (r *reporter) unreadable(err error) {
	if errors.Is(err, fs.ErrNotExist) {
		r.add(Error, 0, "", "no such file", "a cluster needs "+strings.Join(readingOrder[:3], ", ")+" in one folder")
		return
	}
	r.add(Error, 0, "", cause(err), "")
}

// cause is what an error of the file system says, without the path, which may
// hold anything.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err.Error()
}
