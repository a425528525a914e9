package config

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/systole-ha/systole/resources"
)

// maxResources bounds what one node is asked to look after, and with it the
// time that checking a malicious file takes.
const maxResources = 4096

// A haresourcesReader reads haresources.
type haresourcesReader struct {
	reporter
	cfg   *Config
	group Group          // of the line being read, and those joined to it
	lines map[string]int // of every resource read
}

// readHaresources reads haresources into c, after ha.cf.
//
// Source: the ResourceManager script of heartbeat, and parse_ha_resources in
// heartbeat/config.c for the names of nodes.
func readHaresources(c *Config, fsys fs.FS, _ Host) Diagnostics {
	r := &haresourcesReader{reporter: reporter{file: Haresources}, cfg: c, lines: map[string]int{}}
	text, err := readFile(fsys, Haresources)
	if err != nil {
		r.unreadable(err)
		return r.list
	}
	for i, line := range strings.Split(text, "\n") {
		if r.full(i+1) || len(r.lines) > maxResources {
			break
		}
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, "\r")
		line, joined := strings.CutSuffix(line, `\`)
		r.readWords(i+1, words(line, blanks))
		if !joined {
			r.endGroup()
		}
	}
	r.endGroup()
	r.judge()
	return r.list
}

// readWords takes the words of one line, the first of a group being its node.
func (r *haresourcesReader) readWords(line int, words []string) {
	for _, w := range words {
		if w == `\` {
			r.add(Error, line, w, "there is a blank after it, so that the next line is not joined to this one", "")
			continue
		}
		if r.group.Preferred == "" {
			r.beginGroup(line, w)
			continue
		}
		r.addResource(line, w)
	}
}

func (r *haresourcesReader) beginGroup(line int, node string) {
	r.group.Preferred, r.group.Line = strings.ToLower(node), line
	if known := r.cfg.Nodes; len(known) > 0 && !slices.Contains(known, r.group.Preferred) {
		hint := didYouMean(node, known)
		if hint == "" {
			hint = "a group begins with one of " + strings.Join(known, ", ")
		}
		r.add(Error, line, node, "not a node of ha.cf", hint)
	}
}

func (r *haresourcesReader) addResource(line int, word string) {
	if !visible(word) {
		r.add(Error, line, word, "has a character in it that cannot be shown", "")
		return
	}
	spec, err := resources.ParseSpec(word)
	if err != nil {
		r.add(Error, line, word, err.Error(), "")
		return
	}
	name := spec.String()
	if before := r.lines[name]; before != 0 {
		r.add(Error, line, word, fmt.Sprintf("already on line %d: a resource belongs to one group, once", before), "")
		return
	}
	r.lines[name] = line
	if len(r.lines) == maxResources+1 {
		r.add(Error, line, "", fmt.Sprintf("more than %d resources: the rest is not read", maxResources), "is this the right file?")
	}
	if r.group.Key == "" {
		r.group.Key = word
	}
	r.group.Resources = append(r.group.Resources, spec)
	r.group.ResourceLines = append(r.group.ResourceLines, line)
}

// endGroup keeps the group of the line that ends. One that names a node only is
// accepted, as heartbeat does.
func (r *haresourcesReader) endGroup() {
	switch {
	case len(r.group.Resources) > 0:
		r.cfg.Groups = append(r.cfg.Groups, r.group)
	case r.group.Preferred != "" && r.list.Count(Error) == 0:
		r.add(Note, r.group.Line, r.group.Preferred, "no resource follows: the line has no effect", "")
	}
	r.group = Group{}
}

// judge looks at haresources as a whole.
func (r *haresourcesReader) judge() {
	if len(r.cfg.Groups) == 0 && r.list.Count(Error) == 0 {
		r.add(Warning, 0, "", "no groups: there is nothing to run", "")
	}
	for i, g := range r.cfg.Groups {
		for j, other := range r.cfg.Groups {
			for k, spec := range other.Resources {
				if i != j && greps(g.Key, spec.String()) {
					r.add(Warning, other.ResourceLines[k], spec.String(), fmt.Sprintf("heartbeat takes it for %s of line %d, because a dot matches anything when it looks for a group", g.Key, g.Line), "")
				}
			}
		}
	}
}

// greps reports whether heartbeat, which looks a group up by grep, finds the
// other word when it looks for the key. Of regular expressions only the dot
// is likely in a key.
func greps(key, word string) bool {
	if len(key) != len(word) {
		return false
	}
	for i := range len(key) {
		if key[i] != word[i] && key[i] != '.' {
			return false
		}
	}
	return true
}
