package config

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A haCf reads ha.cf. What heartbeat calls an option takes its values one by
// one; what it calls a whole-line directive takes them together.
type haCf struct {
	reporter
	cfg    *Config
	fsys   fs.FS // the folder, for files that lines name
	host   Host
	member bool // this machine is a node of the cluster
	line   int  // being read

	baud         int             // for the serial lines to come
	legacy       bool            // auto_failback is legacy
	triedLink    bool            // a line was to make a link, and may have failed to
	misspeltNode bool            // a line was to name nodes, and failed to
	clients      map[string]bool // of apiauth
}

// readHaCf reads ha.cf into c.
//
// Source of the syntax: parse_config in heartbeat's heartbeat/config.c.
func readHaCf(c *Config, fsys fs.FS, host Host) Diagnostics {
	h := &haCf{reporter: reporter{file: HaCf}, cfg: c, fsys: fsys, host: host, baud: defaultBaud, legacy: true, clients: map[string]bool{}}
	c.RealtimePriority = defaultRealtimePriority
	h.setDefaults()
	text, err := readFile(fsys, HaCf)
	if err != nil {
		h.unreadable(err)
		h.judgeTimers() // for what is left of a plan
		return h.list
	}
	lines := strings.Split(text, "\n")
	h.member = isMember(lines, c.Self)
	for i, line := range lines {
		h.line = i + 1
		if h.full(h.line) {
			break
		}
		h.readLine(stripLine(line))
	}
	h.judge()
	return h.list
}

// isMember looks for this node among the node directives, wherever they stand:
// what the other lines say of interfaces is judged only on a member.
func isMember(lines []string, self string) bool {
	for _, line := range lines {
		if w := words(stripLine(line), blanks+","); len(w) > 0 && w[0] == "node" {
			for _, name := range w[1:] {
				if strings.ToLower(name) == self {
					return true
				}
			}
		}
	}
	return false
}

// readLine obeys one line, already stripped of its comment.
func (h *haCf) readLine(line string) {
	if line == "" {
		return
	}
	name, rest := line, ""
	if i := strings.IndexAny(line, blanks); i >= 0 {
		name, rest = line[:i], line[i:]
	}
	d, ok := directives[name]
	if !ok {
		h.unknownDirective(name)
		return
	}
	h.triedLink = h.triedLink || d.link
	args := words(rest, blanks+",")
	if d.whole != nil {
		args = words(rest, blanks)
	}
	errors := h.list.Count(Error)
	switch {
	case d.whole != nil:
		h.say(name, d.whole(h, args))
	case len(args) == 0:
		h.add(Warning, h.line, name, "no value: the line has no effect", "")
		return
	default:
		h.readValues(d, args)
	}
	if h.list.Count(Error) > errors {
		return
	}
	if d.warning != "" {
		h.add(Warning, h.line, name, d.warning, "")
	}
	if d.note != "" {
		h.add(Note, h.line, name, d.note, "")
	}
}

// readValues obeys the values of an option; the last one is remembered as the
// directive's, for cl_status hbparameter.
func (h *haCf) readValues(d *directive, values []string) {
	for _, v := range values {
		var p *problem
		if d.value != nil {
			p = d.value(h, v)
		}
		h.say(d.name, p)
		if d.recorded && (p == nil || p.severity != Error) {
			h.cfg.parameters[d.name] = v
			h.cfg.lines[d.name] = h.line
		}
	}
}

// here is the place of the line being read.
func (h *haCf) here() string { return fmt.Sprintf("%s:%d", HaCf, h.line) }

// say reports what is wrong with the line being read, if anything is.
func (h *haCf) say(word string, p *problem) {
	if p != nil {
		h.add(p.severity, h.line, word, p.text, p.hint)
	}
}

// unknownDirective reports a word that is no directive.
func (h *haCf) unknownDirective(name string) {
	if why, ok := refused[name]; ok {
		h.add(Error, h.line, name, why, "")
		return
	}
	meant, ok := nearest(name, directiveNames)
	if !ok {
		h.add(Error, h.line, name, "unknown directive", "")
		return
	}
	d := directives[meant]
	h.triedLink = h.triedLink || d.link
	h.misspeltNode = h.misspeltNode || meant == "node"
	hint := "did you mean " + meant + "?"
	if d.newName != "" {
		hint = fmt.Sprintf("did you mean %s, the old name of %s?", meant, d.newName)
	}
	h.add(Error, h.line, name, "unknown directive", hint)
}

// setDefaults fills in what heartbeat assumes where ha.cf is silent.
func (h *haCf) setDefaults() {
	for _, d := range directiveList {
		if d.fallback == "" {
			continue
		}
		h.cfg.parameters[d.name] = d.fallback
		if d.value != nil {
			d.value(h, d.fallback)
		}
	}
	h.cfg.Cluster = "" // heartbeat's default names every cluster alike
}

// newName checks a name that a node is to have.
func (h *haCf) newName(name string) *problem {
	switch {
	case slices.Contains(h.cfg.Nodes, name) || h.pingLine(name) != 0:
		return bad("", "%s is the name of another node", printable(name))
	case len(name) > maxNodeName:
		return bad("", "%s is longer than the %d bytes a name may have", printable(name), maxNodeName)
	case !visible(name):
		return bad("", "%s has a character in it that cannot be shown", printable(name))
	case len(h.cfg.Nodes)+len(h.cfg.Pings) >= maxNodes:
		return bad("", "more than %d nodes", maxNodes)
	}
	return nil
}

// addNode makes a member of the cluster; one named again is the same.
func (h *haCf) addNode(name string) *problem {
	name = strings.ToLower(name)
	if slices.Contains(h.cfg.Nodes, name) {
		return nil
	}
	if p := h.newName(name); p != nil {
		return p
	}
	h.cfg.Nodes = append(h.cfg.Nodes, name)
	if len(h.cfg.Nodes) <= 3 { // the third is one too many
		h.cfg.lines["node"] = h.line
	}
	return nil
}
