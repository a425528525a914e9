// Package memory is the file in which a daemon leaves to the next one on the
// same node what it held and what was under way. It is read with all distrust:
// it may be of another boot, another node, another version, cut short or made
// up, and then it says nothing.
package memory

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/takeover"
)

// Name is the file's, in the folder of the control socket: on a tmpfs, so that
// it is gone with what it tells of.
const Name = "memory.json"

// Limit is how long a file may be: 100 times what 8 groups need.
const Limit = 256 << 10

// version is that of the format; another says nothing to us.
const version = 1

// A File is a memory and what it is held against.
type File struct {
	Version  int           `json:"version"`
	Node     string        `json:"node"`
	Boot     string        `json:"boot"`     // /proc/sys/kernel/random/boot_id
	Beaten   time.Duration `json:"beaten"`   // when its last heartbeat was sent, or a later one than that: CLOCK_BOOTTIME, ns
	Deadtime time.Duration `json:"deadtime"` // which that heartbeat announced
	Memory   core.Memory   `json:"memory"`
}

// Encode writes a file.
func Encode(f File) ([]byte, error) {
	f.Version = version
	text, err := json.Marshal(f)
	return append(text, '\n'), err
}

// What a file may be wrong about.
var (
	ErrFormat = errors.New("not a memory")
	ErrOther  = errors.New("of another node or boot")
	ErrStale  = errors.New("too old: the peer may have taken over since")
)

// Decode reads what was left on this node, or on whichever where node is empty,
// since it was booted.
func Decode(text []byte, node, boot string) (File, error) {
	var f File
	if len(text) > Limit {
		return File{}, fmt.Errorf("%w: %d bytes", ErrFormat, len(text))
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return File{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch {
	case f.Version != version:
		return File{}, fmt.Errorf("%w: version %d", ErrFormat, f.Version)
	case f.Boot == "" || f.Boot != boot || node != "" && f.Node != node:
		return File{}, fmt.Errorf("%w: node %q, boot %q", ErrOther, f.Node, f.Boot)
	}
	if err := check(&f.Memory); err != nil {
		return File{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return f, nil
}

// Fresh is the memory, where the daemon that left it has been away for less
// than its deadtime at the instant now of CLOCK_BOOTTIME: until then its peer
// cannot have given it up.
func (f File) Fresh(now time.Duration) (*core.Memory, error) {
	if away := now - f.Beaten; away < 0 || away >= f.Deadtime {
		return nil, fmt.Errorf("%w: away for %v, deadtime %v", ErrStale, away, f.Deadtime)
	}
	return &f.Memory, nil
}

// The words that a memory may use.
var (
	aims     = []string{"", takeover.AimHold, takeover.AimRelease}
	gone     = []string{"", "peer_dead", "peer_left", "start"}
	triggers = append([]string{
		"", "standby", "takeover", "failback", "failure", "shutdown", "yield", "cleanup", "lapse",
	}, gone[1:]...)
)

// check finds words that no daemon writes.
func check(m *core.Memory) error {
	if !slices.Contains(gone, m.Gone) || !traced(m.Incident) || m.Off != "" && (m.Gone == "" || !named(m.Off)) {
		return fmt.Errorf("gone %q, off by %q, incident %q", m.Gone, m.Off, m.Incident)
	}
	for i, g := range m.Groups {
		switch {
		case g.Group == "" || !slices.Contains(aims, g.Aim) || !slices.Contains(triggers, g.Trigger) || !traced(g.Trace):
			return fmt.Errorf("group %q: aim %q, trigger %q, trace %q", g.Group, g.Aim, g.Trigger, g.Trace)
		case slices.ContainsFunc(m.Groups[:i], func(other takeover.Left) bool { return other.Group == g.Group }):
			return fmt.Errorf("group %q twice", g.Group)
		}
	}
	for _, p := range m.Peers {
		if !traced(p.Missing) {
			return fmt.Errorf("peer %q: trace %q", p.Name, p.Missing)
		}
	}
	return nil
}

// named reports whether a word may be that of a fence agent.
func named(word string) bool {
	return len(word) <= 100 && strings.IndexFunc(word, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// traced reports whether a word is the id of a trace, or none.
func traced(id string) bool { return id == "" || takeover.ValidTrace([]byte(id)) != "" }
