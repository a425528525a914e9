// Package heartbeat looks at an installation of Linux-HA Heartbeat 3 and says
// what it needs to be run by systole, and what this cluster will see of the
// differences.
package heartbeat

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
	"github.com/systole-ha/systole/resources"
)

// Folders are where Heartbeat's files may be: of Debian's package and others,
// and of Debian before 2005.
var Folders = []string{"/etc/ha.d", "/etc/heartbeat"}

// state is where Heartbeat keeps its generation and its uuid.
const state = "var/lib/heartbeat"

// Options say what to look at.
type Options struct {
	Root fs.FS       // of the machine: "/" as a file system
	Host config.Host // this machine
	From string      // the folder of ha.cf, absolute; "" for the first of Folders that has one
	To   string      // the folder for systole's files; "" for From where they can stay, else /etc/systole

	// Runs is what runs a word of haresources: a sentence's end, such as
	// "systemd: nginx.service", and whether it is a unit. The error says why
	// nothing does.
	Runs func(resources.Spec) (by string, unit bool, err error)
	// Examine is what the drivers have to say about the resources, on this
	// machine.
	Examine func(*config.Config) config.Diagnostics
}

// An installation is what was found, and the plan that is made of it.
type installation struct {
	Options
	plan        *migrate.Plan
	cfg         *config.Config
	diagnostics config.Diagnostics
	respawned   []program
	words       []word
}

// ErrNone is the error where Heartbeat was not configured.
var ErrNone = errors.New("no ha.cf in " + strings.Join(Folders, " or ") + ": say --from")

// Plan looks at the installation. The error is of one that is not there.
func Plan(o Options) (*migrate.Plan, error) {
	if o.From == "" {
		i := slices.IndexFunc(Folders, func(f string) bool { return exists(o.Root, path.Join(f, config.HaCf)) })
		if i < 0 {
			return nil, ErrNone
		}
		o.From = Folders[i]
	}
	folder, err := fs.Sub(o.Root, relative(o.From))
	if err != nil {
		return nil, err
	}
	if !exists(o.Root, path.Join(o.From, config.HaCf)) {
		return nil, fmt.Errorf("%s: no such file", path.Join(o.From, config.HaCf))
	}
	i := &installation{Options: o}
	i.cfg, i.diagnostics = config.Load(folder, o.Host)
	i.plan = &migrate.Plan{Title: fmt.Sprintf("Heartbeat in %s on %s", o.From, i.cfg.Self)}
	i.look()
	return i.plan, nil
}

func relative(file string) string { return strings.TrimPrefix(path.Clean(file), "/") }

func exists(root fs.FS, file string) bool {
	_, err := fs.Stat(root, relative(file))
	return err == nil
}

// isExecutable reports whether a file is one that Heartbeat would run.
func isExecutable(root fs.FS, file string) bool {
	info, err := fs.Stat(root, relative(file))
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

func (i *installation) look() {
	i.programs()
	i.resources()
	i.tell()
	i.files()
	i.found()
	i.differences()
	i.steps()
}

// tell makes findings of what the reader of the files and the drivers say, but
// for what is cured by what would be written.
func (i *installation) tell() {
	diagnostics := i.diagnostics
	if i.Examine != nil && len(i.cfg.Nodes) > 0 {
		diagnostics = append(slices.Clone(diagnostics), i.Examine(i.cfg)...)
	}
	diagnostics.Sort()
	for _, d := range diagnostics {
		if d.File == config.HaCf && slices.ContainsFunc(i.respawned, func(p program) bool { return p.line == d.Line }) {
			continue // commented out in the copy
		}
		if d.Word == "auto_failback" && i.legacy() {
			continue // said in full by differences
		}
		where := path.Join(i.From, d.File)
		if d.Line > 0 {
			where += ":" + strconv.Itoa(d.Line)
		}
		weight := map[config.Severity]migrate.Weight{config.Error: migrate.Blocks, config.Warning: migrate.Differs, config.Note: migrate.Moot}[d.Severity]
		i.plan.Add(weight, where, d.Word, d.Hint, "%s", d.Text)
	}
}

// found is the table of what there is.
func (i *installation) found() {
	c := i.cfg
	for _, n := range c.Nodes {
		what := n
		if n == c.Self {
			what += " (this one)"
		}
		i.plan.Row("nodes", "%s", what)
	}
	for _, l := range c.Links {
		i.plan.Row("links", "%s: %s, %s", l.Name, l.Kind, l.Destination())
	}
	i.plan.Row("timers", "keepalive %s, deadtime %s, initdead %s", config.Human(c.Keepalive), config.Human(c.Deadtime), config.Human(c.Initdead))
	for _, g := range c.Groups {
		i.plan.Row("groups", "%s prefers %s", g.Key, g.Preferred)
	}
	for _, w := range i.words {
		i.plan.Row("resources", "%s: Heartbeat runs %s; systole: %s", w.spec, w.before, w.after)
	}
	if text, err := fs.ReadFile(i.Root, path.Join(state, "hb_generation")); err == nil {
		i.plan.Row("generation", "%s; systole's first is above it", strings.TrimSpace(string(text)))
	}
	if id, err := fs.ReadFile(i.Root, path.Join(state, "hb_uuid")); err == nil && len(id) == 16 {
		i.plan.Row("uuid", "%x; systole takes it over, so that the other node knows this one", id)
	}
	i.plan.Row("at boot", "%s", map[bool]string{true: "heartbeat.service is enabled", false: "heartbeat.service is not enabled"}[i.enabled()])
}

// enabled reports whether systemd starts Heartbeat at boot, by its unit or by
// its init script.
func (i *installation) enabled() bool {
	for _, pattern := range []string{"etc/systemd/system/*/heartbeat.service", "etc/rc[2345].d/S??heartbeat"} {
		if names, err := fs.Glob(i.Root, pattern); err == nil && len(names) > 0 {
			return true
		}
	}
	return false
}

// legacy reports whether the nodes speak Heartbeat's old protocol for
// resources: its default where ha.cf says nothing.
func (i *installation) legacy() bool {
	if i.diagnostics.Count(config.Error) > 0 && len(i.cfg.Nodes) == 0 {
		return false
	}
	return slices.ContainsFunc(i.diagnostics, func(d config.Diagnostic) bool {
		return (d.Word == "auto_failback" || d.Word == "nice_failback") && d.Severity == config.Warning && strings.Contains(d.Text, "legacy")
	})
}

// steps are what comes next; docs/migrate-from-heartbeat.md has them whole.
func (i *installation) steps() {
	add := func(format string, args ...any) { i.plan.Steps = append(i.plan.Steps, fmt.Sprintf(format, args...)) }
	switch {
	case i.plan.Blocked():
		add("Cure what is to be cured, on both nodes, and run this again.")
		return
	case len(i.plan.Files) > 0:
		add("Read the above. With --write the files are written, on this node only: run it on the other one, too.")
	default:
		add("Nothing needs to be written: systole reads the files in %s as they are, and so does Heartbeat, for the way back.", i.From)
	}
	add("systole check must end with \"this can run\".")
	add("docs/migrate-from-heartbeat.md: one node after the other, what you see at each step, and the way back.")
}
