package heartbeat

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
	"github.com/systole-ha/systole/resources"
)

// A word is one of haresources, and who runs it.
type word struct {
	spec          resources.Spec
	line          int
	before, after string
}

// unitFolders are where units of packages and operators are.
var unitFolders = []string{"etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"}

// resources looks up what runs each word, before and after.
func (i *installation) resources() {
	for _, g := range i.cfg.Groups {
		for n, s := range g.Resources {
			w := word{spec: s, line: g.ResourceLines[n]}
			script := i.script(s.Name)
			w.before = script
			if script == "" {
				w.before = "nothing: there is no such script"
			}
			by, unit, err := i.Runs(s)
			switch {
			case err != nil:
				w.after = "nothing"
				i.suggestFor(s, script)
			case unit:
				w.after = by + i.unit(s, script, fmt.Sprintf("%s:%d", i.here(config.Haresources), w.line))
			default:
				w.after = by
			}
			i.words = append(i.words, w)
		}
	}
}

// script is what Heartbeat runs for a word: the first of that name in
// resource.d and in init.d; "" where there is none.
func (i *installation) script(name string) string {
	for _, file := range []string{path.Join(i.From, "resource.d", name), path.Join("/etc/init.d", name)} {
		if !strings.Contains(name, "/") && isExecutable(i.Root, file) {
			return file
		}
	}
	return ""
}

// unit says where the unit of a word comes from, and suggests one where there
// is none of its own.
func (i *installation) unit(s resources.Spec, script, where string) string {
	name := s.Name
	if path.Ext(name) == "" || !slices.Contains([]string{".service", ".mount", ".socket", ".target", ".timer", ".swap", ".path", ".automount"}, path.Ext(name)) {
		name += ".service"
	}
	file := name
	if before, _, instance := strings.Cut(name, "@"); instance {
		file = before + "@" + path.Ext(name)
	}
	for _, folder := range unitFolders {
		if exists(i.Root, path.Join(folder, file)) || exists(i.Root, path.Join(folder, name)) {
			return ""
		}
	}
	if script == "" {
		i.plan.Add(migrate.Blocks, where, s.String(), "install what it belongs to, or write a unit of that name",
			"there is no unit %s, and no script", name)
		return ", which is not there"
	}
	if strings.HasPrefix(script, "/etc/init.d/") {
		i.plan.Add(migrate.Differs, where, s.String(), "a unit of its own is better: see the suggestion",
			"systemd makes %s of %s (systemd-sysv-generator), and knows no more of it than that it was started", name, script)
	} else {
		i.plan.Add(migrate.Blocks, where, s.String(), "see the suggestion", "there is no unit %s; Heartbeat runs %s", name, script)
	}
	i.suggest(s.Name, script, "Type=forking\nRemainAfterExit=yes\nGuessMainPID=no\nKillMode=process")
	return ", made of " + script
}

// suggestFor suggests a unit for a word that nothing runs, with its arguments.
func (i *installation) suggestFor(s resources.Spec, script string) {
	if script == "" {
		return
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/ \t", r) {
			return '-'
		}
		return r
	}, strings.Join(append([]string{s.Name}, s.Args...), "-"))
	command := strings.Join(append([]string{script}, s.Args...), " ")
	i.suggest(strings.Trim(name, "-"), command, "Type=oneshot\nRemainAfterExit=yes")
}

// suggest is a unit that runs a script as init would.
func (i *installation) suggest(name, command, more string) {
	i.plan.Suggestions = append(i.plan.Suggestions, migrate.Suggestion{
		Path: path.Join("/etc/systemd/system", name+".service"),
		Why:  fmt.Sprintf("a unit for %s; write it on both nodes, and %s in haresources", command, name),
		Text: fmt.Sprintf("[Unit]\nDescription=%s\n\n[Service]\n%s\nExecStart=%s start\nExecStop=%s stop\n", name, more, escaped(command), escaped(command)),
	})
}

// escaped is a command as a unit has it: a percent sign stands for itself.
func escaped(command string) string { return strings.ReplaceAll(command, "%", "%%") }

func (i *installation) here(file string) string { return path.Join(i.From, file) }
