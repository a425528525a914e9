package config

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/resources/fence"
)

// A Fencing says how a node that is found dead is made sure to hold nothing.
type Fencing struct {
	Devices   []FenceDevice // by level, and on each as they are written; for either node
	Action    fence.Action  // Off or Reboot
	Delay     time.Duration // of a node that holds less than the other, before it fences
	Timeout   time.Duration // of one try of one device
	Tries     int           // of a level before the next
	Retry     time.Duration // after every level has failed
	OnFailure string        // FailWait or FailAddresses
}

// What is done while a dead node cannot be fenced.
const (
	FailWait      = "wait"      // nothing: its groups stay where they are
	FailAddresses = "addresses" // groups of nothing but addresses are taken
)

// A FenceDevice is one that switches a node off. All of a level must; the
// levels are tried in order.
type FenceDevice struct {
	fence.Device
	Level  int    // from 1
	Origin string // "systole.yaml:7"
}

// What systole assumes where systole.yaml is silent about fencing.
const (
	defaultFenceDelay   = 5 * time.Second
	defaultFenceTimeout = 60 * time.Second // as Pacemaker's stonith-timeout
	defaultFenceTries   = 2                // as Pacemaker's pcmk_off_retries
	defaultFenceRetry   = time.Minute
)

// The bounds of what fencing can cost.
const (
	maxFenceDevices = 16
	maxFenceLevel   = 9 // as Pacemaker's topologies
	maxFenceTries   = 10
	maxAgentName    = 64 // it becomes a label, in bytes
)

func (c *Config) setFencingDefaults() {
	c.Fencing.Delay, c.Fencing.Timeout = defaultFenceDelay, defaultFenceTimeout
	c.Fencing.Tries, c.Fencing.Retry = defaultFenceTries, defaultFenceRetry
	c.Fencing.OnFailure = FailWait
}

// Enabled reports whether a dead node is fenced.
func (f Fencing) Enabled() bool { return len(f.Devices) > 0 }

// Of are the devices that switch a node off, level by level.
func (f Fencing) Of(node string) (levels [][]FenceDevice) {
	last := 0
	for _, d := range f.Devices {
		if d.Node != node {
			continue
		}
		if d.Level != last {
			levels, last = append(levels, nil), d.Level
		}
		levels[len(levels)-1] = append(levels[len(levels)-1], d)
	}
	return levels
}

func setFenceAction(f *Fencing, v string) error {
	if p := oneOf(v, string(fence.Off), string(fence.Reboot)); p != nil {
		return errors.New(p.text)
	}
	f.Action = fence.Action(v)
	return nil
}

func setFenceFailure(f *Fencing, v string) error {
	if p := oneOf(v, FailWait, FailAddresses); p != nil {
		return errors.New(p.text)
	}
	f.OnFailure = v
	return nil
}

// setWhile sets a length of time, which may be none.
func setWhile(field *time.Duration, v string) error {
	t, err := ParseTime(v)
	if err == nil {
		*field = t
	}
	return err
}

// setLength sets a length of time that must be one.
func setLength(field *time.Duration, v string) error {
	t, err := ParseTime(v)
	if err == nil && t == 0 {
		err = errors.New("must be more than nothing")
	}
	if err == nil {
		*field = t
	}
	return err
}

func setFenceTries(f *Fencing, v string) error {
	n, p := parseNumber("number of tries", v, 1, maxFenceTries)
	if p != nil {
		return errors.New(p.text)
	}
	f.Tries = n
	return nil
}

// checkAgent accepts what fence.Device understands.
func checkAgent(agent string) *problem {
	plugin, glue := strings.CutPrefix(agent, fence.Glue)
	const hint = "write fence_ipmilan or the like, " + fence.Glue + "external/ipmi or the like, the full path of a program, or " + fence.Manual
	switch {
	case !visible(agent) || len(agent) > maxAgentName:
		return bad(hint, "%s is no fence agent", printable(agent))
	case agent == fence.Null || agent == fence.Manual, glue && plugin != "" && plugin[0] != '-':
		return nil
	case path.IsAbs(agent) && path.Clean(agent) == agent:
		return nil
	case strings.HasPrefix(agent, "fence_") && !strings.Contains(agent, "/"):
		return nil
	}
	return bad(hint, "%s is no fence agent", printable(agent))
}

// addStonith reads "TYPE FILE": a plugin of cluster-glue, and what it reads.
func (h *haCf) addStonith(args []string) *problem {
	if p := arguments(args, "type", "file"); p != nil {
		return p
	}
	if !path.IsAbs(args[1]) {
		return bad("", "%s is no full path", printable(args[1]))
	}
	return h.keepStonith(args[0], fence.Device{File: args[1]})
}

// addStonithHost reads "HOST TYPE PARAMETERS...": the device as it is reached
// from one node, or from all.
//
// Source: ha.cf(5); as there, a line for another node is passed over.
func (h *haCf) addStonithHost(args []string) *problem {
	if p := arguments(args[:min(len(args), 2)], "host", "type"); p != nil {
		return p
	}
	if args[0] != "*" && strings.ToLower(args[0]) != h.cfg.Self {
		return nil
	}
	line := strings.Join(args[2:], " ")
	return h.keepStonith(args[1], fence.Device{Line: func() string { return line }})
}

// keepStonith keeps what this node fences its peer by: who that is, is known
// when all is read.
func (h *haCf) keepStonith(plugin string, d fence.Device) *problem {
	d.Agent = fence.Glue + plugin
	if p := checkAgent(d.Agent); p != nil {
		return p
	}
	f := &h.cfg.Fencing
	if len(f.Devices) >= maxFenceLevel {
		return bad("", "more than %d devices", maxFenceLevel)
	}
	f.Devices = append(f.Devices, FenceDevice{Device: d, Level: len(f.Devices) + 1, Origin: h.here()})
	return nil
}

// judgeFencing looks at fencing as a whole. Devices of systole.yaml take the
// place of those of ha.cf.
func (r *yamlReader) judgeFencing(devices []FenceDevice) {
	f := &r.cfg.Fencing
	if f.Action == "" {
		f.Action = fence.Off
		if len(devices) == 0 {
			f.Action = fence.Reboot // as heartbeat, which resets
		}
	}
	if len(devices) > 0 {
		f.Devices = devices
	} else {
		for i := range f.Devices {
			if peers := r.cfg.Peers(); len(peers) == 1 {
				f.Devices[i].Node = peers[0]
			}
		}
		return
	}
	slices.SortStableFunc(f.Devices, func(a, b FenceDevice) int { return a.Level - b.Level })
	for _, node := range r.cfg.Nodes {
		levels := f.Of(node)
		if len(levels) == 0 {
			r.add(Error, r.cfg.yamlLines["fencing.devices"], "fencing.devices",
				fmt.Sprintf("nothing switches %s off: when it is silent, nobody could take its groups", printable(node)), "write a device for it, if need be with agent: "+fence.Manual)
		}
		for _, level := range levels {
			if len(level) > 1 && f.Action == fence.Reboot {
				r.add(Error, originLine(level[1].Origin), "fencing.devices",
					fmt.Sprintf("two devices at level %d of %s cannot reboot it: the first would switch it on again before the second switches it off", level[0].Level, printable(node)),
					"write action: off, or level: "+strconv.Itoa(level[0].Level+1))
			}
		}
	}
}

// originLine is the line in "systole.yaml:7".
func originLine(origin string) int {
	_, line, _ := strings.Cut(origin, ":")
	n, _ := strconv.Atoi(line)
	return n
}
