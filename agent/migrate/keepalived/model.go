package keepalived

import (
	"cmp"
	"io/fs"
	"math"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/migrate"
)

// A router is a vrrp_instance: what its node says of it.
type router struct {
	name       string
	line       line
	state      string // "MASTER", "BACKUP"; "" for not said
	device     string
	id         int
	priority   int
	advert     time.Duration
	adverts    int // how many may be missed
	version    int // of VRRP; 0: as global_defs says
	nopreempt  bool
	delay      string // preempt_delay; "" for none
	source     netip.Addr
	peers      []netip.Addr
	addresses  []address
	notify     scripts
	tracked    []track
	devices    []track // interfaces that are tracked
	synced     string  // the vrrp_sync_group it is in
	dontTrack  bool
	virtualMAC bool
}

// An address is a line of virtual_ipaddress, or of virtual_ipaddress_excluded.
type address struct {
	line      line
	prefix    netip.Prefix // /32 or /128 where the file has no mask, as keepalived has it
	device    string       // "": that of the router
	label     string
	broadcast netip.Addr
}

// A track is a script, a process or an interface that a router watches.
type track struct {
	line line
	kind string // "script", "process", "interface"
	name string
}

// scripts are what keepalived runs when a router changes its state.
type scripts struct{ master, backup, fault, stop, any command }

// A command is one of them; the zero value is none.
type command struct {
	line line
	text string
}

// A check is a vrrp_script or a vrrp_track_process.
type check struct {
	line line
	text string // the command, or the name of the process
}

// A group is a vrrp_sync_group: routers that change their state together.
type group struct {
	name    string
	line    line
	routers []string
	notify  scripts
	tracked []track
}

// A configuration is what keepalived.conf says on one node.
type configuration struct {
	routers   []*router
	groups    []*group
	checks    map[string]check // by "script NAME", "process NAME"
	version   int              // of VRRP
	device    string           // default_interface
	findings  []migrate.Finding
	name      string // of the file
	condition bool   // some lines are for one node only
}

// defaults of keepalived.
const (
	defaultVersion  = 2
	defaultPriority = 100
	defaultAdvert   = time.Second
	defaultAdverts  = 3
	defaultDevice   = "eth0"
)

// read reads the file that is path of fsys as the node with this id does: what
// keepalived -i says, and the first part of uname -n where it says nothing.
func read(fsys fs.FS, file, id string) (*configuration, error) {
	s := &source{fsys: fsys, id: id, values: map[string]string{}}
	name := path.Base(file)
	if err := s.read(file, name); err != nil {
		return nil, err
	}
	c := &configuration{checks: map[string]check{}, version: defaultVersion, device: defaultDevice, name: name}
	text, _ := fs.ReadFile(fsys, file)
	c.condition = strings.Contains("\n"+string(text), "\n@") || strings.Contains(string(text), " @") || strings.Contains(string(text), "\t@")
	all := parse(s)
	for _, p := range s.problems {
		c.findings = append(c.findings, migrate.Finding{Weight: migrate.Lost, Where: p.where, Text: p.text, Instead: "see what keepalived --config-test says of it"})
	}
	for _, st := range all { // the version and the interface matter to what comes before, too
		if st.keyword() == "global_defs" {
			c.globals(st)
		}
	}
	for _, st := range all {
		c.take(st)
	}
	for _, g := range c.groups {
		for _, name := range g.routers {
			if r := c.router(name); r != nil {
				r.synced = g.name
			}
		}
	}
	return c, nil
}

func (c *configuration) router(name string) *router {
	for _, r := range c.routers {
		if r.name == name {
			return r
		}
	}
	return nil
}

// say notes a finding about a statement.
func (c *configuration) say(w migrate.Weight, st statement, text, instead string) {
	c.findings = append(c.findings, migrate.Finding{Weight: w, Where: st.line.where(), Word: st.keyword(), Text: text, Instead: instead})
}

// take reads a block of the top.
func (c *configuration) take(st statement) {
	switch st.keyword() {
	case "global_defs":
	case "vrrp_instance":
		c.instance(st)
	case "vrrp_sync_group":
		c.syncGroup(st)
	case "vrrp_script":
		for _, s := range st.block {
			if s.keyword() == "script" {
				c.checks["script "+st.arg(1)] = check{s.line, s.rest(1)}
			}
		}
	case "vrrp_track_process":
		for _, s := range st.block {
			if s.keyword() == "process" {
				c.checks["process "+st.arg(1)] = check{s.line, s.rest(1)}
			}
		}
	default:
		c.unmet(st, topWords, "global_defs", "vrrp_instance", "vrrp_sync_group", "vrrp_script", "vrrp_track_process")
	}
}

func (c *configuration) globals(st statement) {
	for _, s := range st.block {
		switch s.keyword() {
		case "vrrp_version":
			if s.arg(1) == "3" {
				c.version = 3
			}
		case "default_interface":
			c.device = cmp.Or(c.interfaceName(s, s.arg(1)), defaultDevice)
		default:
			c.unmet(s, globalWords, "vrrp_version", "default_interface")
		}
	}
}

func (c *configuration) syncGroup(st statement) {
	g := &group{name: st.arg(1), line: st.line}
	for _, s := range st.block {
		switch s.keyword() {
		case "group":
			for _, member := range s.block {
				g.routers = append(g.routers, member.words...)
			}
		case "track_script", "track_process", "track_interface":
			g.tracked = append(g.tracked, tracks(s)...)
		default:
			if s.open { // before keepalived 1.0 the names stood in the group itself
				c.unmet(s, routerWords, routerKeywords...)
				continue
			}
			if !g.notify.take(s) {
				if _, known := routerWords[s.keyword()]; known || strings.Contains(s.keyword(), "_") && len(s.words) > 1 {
					c.unmet(s, routerWords, routerKeywords...)
					continue
				}
				g.routers = append(g.routers, s.words...)
			}
		}
	}
	c.groups = append(c.groups, g)
}

// routerKeywords are those of a vrrp_instance that are understood.
var routerKeywords = []string{"state", "interface", "virtual_router_id", "priority", "advert_int", "down_timer_adverts", "version",
	"nopreempt", "preempt_delay", "unicast_src_ip", "mcast_src_ip", "unicast_peer", "virtual_ipaddress", "virtual_ipaddress_excluded",
	"track_script", "track_process", "track_interface", "dont_track_primary", "use_vmac",
	"notify", "notify_master", "notify_backup", "notify_fault", "notify_stop"}

func (c *configuration) instance(st statement) {
	r := &router{name: st.arg(1), line: st.line, priority: defaultPriority, advert: defaultAdvert, adverts: defaultAdverts}
	for _, s := range st.block {
		c.routerWord(r, s)
	}
	c.routers = append(c.routers, r)
}

func (c *configuration) routerWord(r *router, s statement) {
	switch s.keyword() {
	case "state":
		r.state = strings.ToUpper(s.arg(1))
	case "interface":
		r.device = c.interfaceName(s, s.arg(1))
	case "virtual_router_id":
		r.id = c.number(s, 1, 255, 0)
	case "priority":
		r.priority = c.number(s, 1, 255, defaultPriority)
	case "advert_int":
		r.advert = c.seconds(s)
	case "down_timer_adverts":
		r.adverts = c.number(s, 1, 100, defaultAdverts)
	case "version":
		r.version = c.number(s, 2, 3, 0)
	case "nopreempt":
		r.nopreempt = true
	case "preempt_delay":
		r.delay = s.arg(1)
	case "unicast_src_ip", "mcast_src_ip":
		r.source = c.address(s, s.arg(1))
	case "unicast_peer":
		for _, p := range s.block {
			if a := c.address(p, p.keyword()); a.IsValid() {
				r.peers = append(r.peers, a)
			}
		}
	case "virtual_ipaddress", "virtual_ipaddress_excluded":
		for _, a := range s.block {
			c.virtualAddress(r, a)
		}
	case "track_script", "track_process":
		r.tracked = append(r.tracked, tracks(s)...)
	case "track_interface":
		r.devices = append(r.devices, tracks(s)...)
	case "dont_track_primary":
		r.dontTrack = true
	case "use_vmac":
		r.virtualMAC = true
		c.unmet(s, routerWords)
	default:
		if !r.notify.take(s) {
			c.unmet(s, routerWords, routerKeywords...)
		}
	}
}

// take keeps a script that is run at a change of state.
func (n *scripts) take(s statement) bool {
	at := map[string]*command{"notify_master": &n.master, "notify_backup": &n.backup, "notify_fault": &n.fault, "notify_stop": &n.stop, "notify": &n.any}[s.keyword()]
	if at != nil {
		*at = command{s.line, s.arg(1)} // what follows are the user and the group
	}
	return at != nil
}

// tracks are the names in a block, whatever their weights.
func tracks(s statement) (all []track) {
	kind := strings.TrimPrefix(s.keyword(), "track_")
	for _, t := range s.block {
		all = append(all, track{t.line, kind, t.keyword()})
	}
	return all
}

// interfaceName is the name of an interface, or of an alias of one; "" and a
// finding where no file of systole's could have it in it.
func (c *configuration) interfaceName(s statement, name string) string {
	if !isUnitName(name) {
		c.say(migrate.Lost, s, "no interface: "+visible(name), "see what keepalived --config-test says of it")
		return ""
	}
	return name
}

// number is an argument; what keepalived has without it, and a finding, where
// it is none.
func (c *configuration) number(s statement, least, most, otherwise int) int {
	n, err := strconv.Atoi(s.arg(1))
	if err != nil || n < least || n > most {
		c.say(migrate.Lost, s, "no number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most), "see what keepalived --config-test says of it")
		return otherwise
	}
	return n
}

// seconds is a time of 10 ms to 255 s, which may have a fraction.
func (c *configuration) seconds(s statement) time.Duration {
	n, err := strconv.ParseFloat(s.arg(1), 64)
	if err != nil || math.IsNaN(n) || n < 0.01 || n > 255 {
		c.say(migrate.Lost, s, "no time from 0.01 to 255 s", "see what keepalived --config-test says of it")
		return defaultAdvert
	}
	return time.Duration(math.Round(n*1000)) * time.Millisecond
}

func (c *configuration) address(s statement, text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		c.say(migrate.Lost, s, "no address: "+visible(text), "see what keepalived --config-test says of it")
		return netip.Addr{}
	}
	return a.WithZone("").Unmap()
}

// virtualAddress reads a line of virtual_ipaddress: the address, and then words
// as of ip-address(8).
func (c *configuration) virtualAddress(r *router, s statement) {
	a := address{line: s.line}
	text, mask, masked := strings.Cut(s.keyword(), "/")
	ip, err := netip.ParseAddr(text)
	if err != nil {
		c.say(migrate.Lost, s, "no address", "see what keepalived --config-test says of it")
		return
	}
	ip = ip.WithZone("").Unmap()
	bits := ip.BitLen()
	if masked {
		if bits, err = maskLength(mask, ip); err != nil {
			c.say(migrate.Lost, s, "no mask", "see what keepalived --config-test says of it")
			return
		}
	}
	a.prefix = netip.PrefixFrom(ip, bits)
	for i := 1; i < len(s.words); i++ {
		switch w := s.words[i]; w {
		case "dev":
			i++
			a.device = c.interfaceName(s, s.arg(i))
		case "label":
			i++
			a.label = c.interfaceName(s, s.arg(i))
		case "brd", "broadcast":
			i++
			a.broadcast, _ = netip.ParseAddr(s.arg(i)) // + and - are what the kernel would do, too
		case "scope", "peer", "preferred_lft":
			i++
			c.addressWord(s, w+" "+s.arg(i))
		default:
			if !c.addressWord(s, w) {
				i = len(s.words) // nobody knows where the next one begins
			}
		}
	}
	for _, before := range c.routers {
		for _, b := range before.addresses {
			if b.prefix.Addr() == ip {
				c.say(migrate.Lost, s, "is in "+b.line.where()+" already, and is taken from there", "")
				return
			}
		}
	}
	for _, b := range r.addresses {
		if b.prefix.Addr() == ip {
			c.say(migrate.Lost, s, "is in "+b.line.where()+" already, and is taken from there", "")
			return
		}
	}
	r.addresses = append(r.addresses, a)
}

// addressWord says what becomes of a word behind an address that has no place
// in haresources; false where it is not known.
func (c *configuration) addressWord(s statement, word string) (known bool) {
	name, _, _ := strings.Cut(word, " ")
	f := migrate.Finding{Weight: migrate.Lost, Where: s.line.where(), Word: s.keyword(), Text: visible(word) + " is not understood, nor what follows it"}
	why, known := addressWords[name]
	if known {
		f = migrate.Finding{Weight: migrate.Differs, Where: s.line.where(), Word: s.keyword() + " " + visible(word), Text: why}
	}
	if f.Text != "" {
		c.findings = append(c.findings, f)
	}
	return known
}

// maskLength reads a mask as a length, or for IPv4 in dotted form.
func maskLength(mask string, ip netip.Addr) (int, error) {
	if n, err := strconv.ParseUint(mask, 10, 8); err == nil && int(n) <= ip.BitLen() {
		return int(n), nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !ip.Is4() {
		return 0, strconv.ErrSyntax
	}
	for bits := range 33 {
		if p, _ := netip.AddrFrom4([4]byte{255, 255, 255, 255}).Prefix(bits); p.Addr() == m {
			return bits, nil
		}
	}
	return 0, strconv.ErrSyntax
}

// visible is a text that a terminal may be shown, in part if it is long.
func visible(text string) string {
	if len(text) > 120 {
		text = text[:120] + "..."
	}
	return strings.Trim(strconv.Quote(text), `"`)
}
