package heartbeat

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
)

// A program is one that Heartbeat starts and keeps running, and that systole
// does not know.
type program struct {
	line    int
	word    string // respawn, failfast
	user    string
	command string
}

// ownFolder is systole's own, the first that it looks into.
const ownFolder = "/etc/systole"

// programs finds the lines of ha.cf that systole refuses and Heartbeat does
// not: programs of the operator's own.
func (i *installation) programs() {
	text := i.text(config.HaCf)
	for n, l := range strings.Split(text, "\n") {
		l, _, _ = strings.Cut(l, "#")
		words := strings.Fields(l)
		if len(words) < 3 || words[0] != "respawn" && words[0] != "failfast" {
			continue
		}
		refused := slices.ContainsFunc(i.diagnostics, func(d config.Diagnostic) bool {
			return d.Severity == config.Error && d.File == config.HaCf && d.Line == n+1
		})
		if refused && words[2][0] == '/' {
			i.respawned = append(i.respawned, program{n + 1, words[0], words[1], strings.Join(words[2:], " ")})
		}
	}
}

func (i *installation) text(file string) string {
	text, _ := fs.ReadFile(i.Root, relative(path.Join(i.From, file)))
	return string(text)
}

// files are those to be written. Where systole can run the files as they are,
// they stay where they are, so that both daemons read the same ones. Where it
// cannot, systole gets a copy, and Heartbeat keeps its own.
func (i *installation) files() {
	if i.To == "" {
		i.To = i.From
		if len(i.respawned) > 0 {
			i.To = ownFolder
		}
	}
	if i.To != i.From {
		i.copies()
	}
	i.devices()
}

func (i *installation) copies() {
	for _, name := range []string{config.HaCf, config.Haresources, config.Authkeys, config.SystoleYAML, "nodeinfo"} {
		origin := path.Join(i.From, name)
		if !exists(i.Root, origin) {
			continue
		}
		f := migrate.File{Path: path.Join(i.To, name), Mode: 0o644, Text: i.text(name), Origin: origin}
		switch name {
		case config.HaCf:
			f.Text = i.withoutPrograms(f.Text)
		case config.Authkeys:
			f.Mode, f.Secret = 0o600, true
		}
		i.plan.Files = append(i.plan.Files, f)
	}
	for _, p := range i.respawned {
		where := fmt.Sprintf("%s:%d", i.here(config.HaCf), p.line)
		i.plan.Add(migrate.Lost, where, p.word, "see the suggestion for a unit, which systemd keeps running",
			"%s is not started by systole; the line is a comment in %s", p.command, path.Join(i.To, config.HaCf))
		i.keep(p)
	}
	if i.To == ownFolder {
		i.plan.Add(migrate.Differs, "", "", "", "systole reads %s, and Heartbeat goes on reading %s: a change of one is to be made in the other", i.To, i.From)
	}
}

// keep suggests a unit that keeps a program running.
func (i *installation) keep(p program) {
	command, _, _ := strings.Cut(p.command, " ")
	name := path.Base(command)
	text := fmt.Sprintf("[Unit]\nDescription=%s, which Heartbeat kept running\nAfter=network.target\n\n[Service]\nUser=%s\nExecStart=%s\nRestart=always\nRestartPreventExitStatus=100\n",
		name, p.user, escaped(p.command))
	if p.word == "failfast" {
		text = strings.Replace(text, "After=network.target\n", "After=network.target\n# As failfast had it; Restart=always instead is kinder.\nFailureAction=reboot-force\n", 1)
		text = strings.Replace(text, "Restart=always\n", "Restart=no\n", 1)
	}
	i.plan.Suggestions = append(i.plan.Suggestions, migrate.Suggestion{
		Path: path.Join("/etc/systemd/system", name+".service"),
		Why:  "on each node, and systemctl enable --now " + name + " once Heartbeat has stopped there",
		Text: text + "\n[Install]\nWantedBy=multi-user.target\n",
	})
}

// withoutPrograms is ha.cf with the lines that systole refuses made comments.
func (i *installation) withoutPrograms(text string) string {
	all := strings.Split(text, "\n")
	for _, p := range i.respawned {
		all[p.line-1] = "# not done by systole: " + all[p.line-1]
	}
	return strings.Join(all, "\n")
}

// devices lets the daemon at what its unit keeps from it: serial lines, and a
// watchdog.
func (i *installation) devices() {
	var devices []string
	for _, l := range i.cfg.Links {
		if l.Kind == config.Serial {
			devices = append(devices, l.Device)
		}
	}
	if i.cfg.Watchdog != "" {
		devices = append(devices, i.cfg.Watchdog)
	}
	if len(devices) == 0 {
		return
	}
	text := "# Made by systole import: what ha.cf names.\n[Service]\nPrivateDevices=no\n"
	for _, d := range slices.Compact(devices) {
		text += "DeviceAllow=" + d + " rw\n"
	}
	i.plan.Files = append(i.plan.Files, migrate.File{Path: "/etc/systemd/system/systole.service.d/devices.conf", Mode: 0o644, Text: text})
}
