package keepalived

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
)

// Options say what keepalived.conf does not.
type Options struct {
	Root     fs.FS  // of the machine: "/" as a file system
	File     string // keepalived.conf, absolute
	PeerFile string // the other node's, absolute; "" where it is the same, or not known
	Node     string // this node: uname -n
	Peer     string // the other one; "" is not known
	To       string // the folder for systole's files, absolute

	Address func(device string) (netip.Addr, bool) // of this machine's interfaces; nil: not known
	Random  io.Reader                              // for the key; nil: the machine's
}

// A conversion makes systole's files of one configuration, or of both nodes'.
type conversion struct {
	Options
	plan   *migrate.Plan
	own    *configuration
	others *configuration // nil where it is not known
	pings  []netip.Addr
	merged []resourceLine
}

// A resourceLine is a line of haresources in the making.
type resourceLine struct {
	routers   []*router
	comment   string
	preferred string
	words     []string
}

// Convert reads keepalived.conf and makes the plan. The error is of a file that
// cannot be read; whatever else is wrong is in the plan.
func Convert(o Options) (*migrate.Plan, error) {
	c := &conversion{Options: o, plan: &migrate.Plan{Title: fmt.Sprintf("%s on %s", o.File, o.Node)}}
	var err error
	if c.own, err = read(o.Root, relative(o.File), firstPart(o.Node)); err != nil {
		return nil, err
	}
	switch {
	case o.PeerFile != "":
		c.others, err = read(o.Root, relative(o.PeerFile), firstPart(o.Peer))
	case c.own.condition && o.Peer != "":
		c.others, err = read(o.Root, relative(o.File), firstPart(o.Peer))
	}
	if err != nil {
		return nil, err
	}
	c.convert()
	return c.plan, nil
}

func relative(file string) string { return strings.TrimPrefix(path.Clean(file), "/") }

// firstPart is what keepalived takes for its id where it is given none.
func firstPart(node string) string {
	first, _, _ := strings.Cut(node, ".")
	return first
}

func (c *conversion) convert() {
	c.plan.Findings = append(c.plan.Findings, c.own.findings...)
	c.names()
	if len(c.own.routers) == 0 {
		c.plan.Add(migrate.Blocks, c.own.name, "", "", "no vrrp_instance: there is nothing that moves")
		return
	}
	c.resources()
	c.found()
	links := c.links()
	text := c.haCf(links)
	if c.Peer == "" {
		return // nothing would be right
	}
	c.plan.Files = []migrate.File{
		{Path: path.Join(c.To, config.HaCf), Mode: 0o644, Text: text},
		{Path: path.Join(c.To, config.Haresources), Mode: 0o644, Text: c.haresources()},
		c.authkeys(),
	}
	if len(c.pings) > 0 {
		c.plan.Files = append(c.plan.Files, migrate.File{Path: path.Join(c.To, config.SystoleYAML), Mode: 0o644,
			Text: "# What keepalived did by a script that pings: groups move to the node that\n# reaches more of the ping nodes of ha.cf.\nipfail: on\n"})
	}
	c.verify()
	c.always()
	c.steps()
}

// names wants the names of two nodes.
func (c *conversion) names() {
	c.Node, c.Peer = strings.ToLower(c.Node), strings.ToLower(c.Peer)
	switch {
	case c.Peer == "":
		c.plan.Add(migrate.Blocks, "", "", "say --peer NAME, as uname -n prints it there", "keepalived.conf does not name nodes: this one is %s; what is the other one called?", c.Node)
	case c.Peer == c.Node:
		c.plan.Add(migrate.Blocks, "", "", "say --peer NAME, as uname -n prints it there", "%s is this node; what is the other one called?", c.Node)
	}
	for _, r := range c.own.routers {
		if o := c.other(r); o != nil && o.device != r.device {
			c.plan.Add(migrate.Blocks, r.line.where(), "interface", "give both interfaces one name (systemd.link(5))",
				"%s is on %s here and on %s of %s, and haresources is the same on both nodes", r.name, c.deviceOf(r), o.device, c.Peer)
		}
		if len(r.peers) > 1 {
			c.plan.Add(migrate.Blocks, r.line.where(), "unicast_peer", "", "%s has %d peers, and a cluster of systole has two nodes", r.name, len(r.peers))
		}
	}
}

// found is the table of what there is.
func (c *conversion) found() {
	c.plan.Row("nodes", "%s (this one)", c.Node)
	if c.Peer != "" {
		c.plan.Row("nodes", "%s", c.Peer)
	}
	for _, l := range c.merged {
		for _, r := range l.routers {
			c.plan.Row("virtual router", "%s: id %d on %s, priority %s, %s, an advertisement every %s", r.name, r.id, c.deviceOf(r), c.priorities(r), mode(r), config.Human(r.advert))
		}
	}
	for _, l := range c.merged {
		if len(l.words) > 0 {
			c.plan.Row("group", "%s", strings.Join(append([]string{"prefers " + c.preferred(l)}, l.words...), " "))
		}
	}
}

func mode(r *router) string {
	s := "BACKUP"
	if r.state == "MASTER" {
		s = "MASTER"
	}
	if r.nopreempt {
		s += " nopreempt"
	}
	return s
}

func (c *conversion) priorities(r *router) string {
	s := fmt.Sprint(r.priority)
	if o := c.other(r); o != nil {
		s += fmt.Sprintf(" (%d on %s)", o.priority, c.Peer)
	}
	return s
}

// other is the same virtual router as the other node has it; nil where that is
// not known. The id says which it is, for names need not be the same.
func (c *conversion) other(r *router) *router {
	if c.others == nil {
		return nil
	}
	for _, o := range c.others.routers {
		if o.id == r.id && o.device == r.device {
			return o
		}
	}
	for _, o := range c.others.routers {
		if o.id == r.id || o.name == r.name {
			return o
		}
	}
	return nil
}

func (c *conversion) deviceOf(r *router) string {
	if r.device == "" {
		return c.own.device
	}
	return r.device
}

func (c *conversion) version(r *router) int {
	if r.version != 0 {
		return r.version
	}
	if len(r.addresses) > 0 && r.addresses[0].prefix.Addr().Is6() {
		return 3
	}
	return c.own.version
}

// authkeys is the key that is there, or a new one.
func (c *conversion) authkeys() migrate.File {
	f := migrate.File{Path: path.Join(c.To, config.Authkeys), Mode: 0o600, Secret: true}
	if text, err := fs.ReadFile(c.Root, relative(f.Path)); err == nil {
		f.Text = string(text) // that of the node on which systole import ran first
		return f
	}
	random := c.Random
	if random == nil {
		random = rand.Reader
	}
	key := make([]byte, 32) // as long as what SHA-256 makes of it: RFC 2104, 3
	if _, err := io.ReadFull(random, key); err != nil {
		panic("keepalived: no random bytes: " + err.Error())
	}
	f.Text = "auth 1\n1 sha256 " + hex.EncodeToString(key) + "\n"
	return f
}

// verify reads what was made as systole will.
func (c *conversion) verify() {
	made := migrate.Tree{}
	for _, f := range c.plan.Files {
		made[path.Base(f.Path)] = f
	}
	_, diagnostics := config.Load(made, config.Host{Name: c.Node})
	for _, d := range diagnostics {
		switch {
		case d.Severity == config.Error:
			c.plan.Add(migrate.Blocks, "", "", "", "what would be written cannot be run: %s", d)
		case d.Severity == config.Warning:
			c.plan.Add(migrate.Differs, path.Join(c.To, d.File), d.Word, d.Hint, "%s", d.Text)
		}
	}
}

// always are the differences that every cluster sees.
func (c *conversion) always() {
	add := func(instead, format string, args ...any) {
		c.plan.Add(migrate.Differs, "", "", instead, format, args...)
	}
	add("let UDP port 694 through, and IP protocol 112 no more", "the nodes talk by UDP, port 694, and sign what they say")
	add("", "a node that is frozen, or whose daemon was killed, loses its addresses before the other one takes them (docs/safety.md); with keepalived both answer")
	if len(c.merged) > 1 {
		add("", "addresses of different virtual routers still move one by one, but all of them are judged by the same heartbeats")
	}
	c.plan.Findings = slices.DeleteFunc(c.plan.Findings, func(f migrate.Finding) bool { return f.Text == "" })
}

// steps are what comes next; docs/migrate-from-keepalived.md has them whole.
func (c *conversion) steps() {
	var names []string
	for _, f := range c.plan.Files {
		names = append(names, f.Path)
	}
	c.plan.Steps = []string{
		"Read the above. With --write the files are written, on this node only.",
		fmt.Sprintf("Copy them to %s, all of them, the key too: scp -p %s %s:%s/", c.Peer, strings.Join(names, " "), c.Peer, c.To),
		"systole check, on both nodes, must end with \"this can run\".",
		"docs/migrate-from-keepalived.md: the move itself, what you see at each step, and the way back.",
	}
}
