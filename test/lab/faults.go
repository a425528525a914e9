package lab

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os/exec"
	"slices"
	"strings"
)

// A Direction is as seen from the node.
type Direction int

const (
	In Direction = 1 << iota
	Out
	Both = In | Out
)

func (d Direction) String() string {
	return map[Direction]string{In: "in", Out: "out", Both: "both"}[d]
}

// ParseDirection reads in, out or both.
func ParseDirection(word string) (Direction, error) {
	for _, d := range []Direction{In, Out, Both} {
		if d.String() == word {
			return d, nil
		}
	}
	return 0, fmt.Errorf("direction %q: want in, out or both", word)
}

// faults are what the switches do to frames, as probabilities of loss: 1 is a
// cut. Keys are ports. Between two ports, from the first to the second, there are
// only cuts.
type faults struct {
	in, out map[string]float64
	between map[[2]string]bool
}

// set changes the loss of a port in the directions given; 0 heals it.
func (f *faults) set(port string, d Direction, loss float64) {
	if f.in == nil {
		f.in, f.out = map[string]float64{}, map[string]float64{}
	}
	for _, side := range []struct {
		d Direction
		m map[string]float64
	}{{In, f.in}, {Out, f.out}} {
		if d&side.d == 0 {
			continue
		}
		if loss == 0 {
			delete(side.m, port)
		} else {
			side.m[port] = loss
		}
	}
}

// part cuts or heals the way from one port to another.
func (f *faults) part(from, to string, cut bool) {
	if f.between == nil {
		f.between = map[[2]string]bool{}
	}
	if cut {
		f.between[[2]string{from, to}] = true
	} else {
		delete(f.between, [2]string{from, to})
	}
}

// unplugged forgets all faults of a port.
func (f *faults) unplugged(port string) {
	f.set(port, Both, 0)
	for pair := range f.between {
		if slices.Contains(pair[:], port) {
			delete(f.between, pair)
		}
	}
}

// ruleset writes the faults as an nftables script that replaces the one before
// in a single transaction: all cuts in it happen at the same instant.
//
// A frame from a node is lost once, on its way into the switch; one to a node on
// its way out of it. So a broadcast that one node loses still reaches the
// others. A delayed cable's port has a "d" at the end.
func (f *faults) ruleset() string {
	var b strings.Builder
	b.WriteString("table bridge faults\ndelete table bridge faults\ntable bridge faults {\n")
	chain := func(hook, name string, losses map[string]float64) {
		fmt.Fprintf(&b, "\tchain %s {\n\t\ttype filter hook %s priority 0; policy accept;\n", hook, hook)
		for _, port := range slices.Sorted(maps.Keys(losses)) {
			fmt.Fprintf(&b, "\t\t%s { %q, %q } %sdrop\n", name, port, port+"d", chance(losses[port]))
		}
		b.WriteString("\t}\n")
	}
	chain("prerouting", "iifname", f.out)
	chain("postrouting", "oifname", f.in)
	if len(f.between) > 0 {
		b.WriteString("\tchain forward {\n\t\ttype filter hook forward priority 0; policy accept;\n")
		pairs := slices.SortedFunc(maps.Keys(f.between), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
		for _, p := range pairs {
			fmt.Fprintf(&b, "\t\tiifname { %q, %q } oifname { %q, %q } drop\n", p[0], p[0]+"d", p[1], p[1]+"d")
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// chance is the condition that is true with that probability, in steps of a
// millionth; empty for certainty.
func chance(p float64) string {
	if p >= 1 {
		return ""
	}
	return fmt.Sprintf("numgen random mod 1000000 < %d ", int(math.Round(p*1e6)))
}

// change changes the faults of the ports and makes the switches obey.
func (f *fabric) change(edit func(*faults)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit(&f.faults)
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(f.faults.ruleset())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := f.ns.Do(cmd.Start); err != nil {
		return fmt.Errorf("start nft: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("change the switches' rules: %w: %s", err, strings.TrimSpace(out.String()))
	}
	return nil
}
