package fence

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/systole-ha/systole/resources"
)

// Metadata is what an agent says of itself.
//
// Source: the FenceAgentAPI, and ra-api-1.dtd for plugins of cluster-glue.
type Metadata struct {
	Parameters []struct {
		Name       string `xml:"name,attr"`
		Required   string `xml:"required,attr"`
		Deprecated string `xml:"deprecated,attr"`
		Obsoletes  string `xml:"obsoletes,attr"` // the older name of the same
	} `xml:"parameters>parameter"`
	Actions []struct {
		Name string `xml:"name,attr"`
	} `xml:"actions>action"`
}

// Describe asks the agent of the device for its metadata.
func (d Device) Describe(ctx context.Context) (Metadata, error) {
	p := program{name: d.Agent, stdin: "action=metadata\n"}
	if plugin, ok := d.plugin(); ok {
		if err := installed(ctx, plugin); err != nil {
			return Metadata{}, err
		}
		p = program{name: "stonith", args: []string{"-s", "-t", plugin, "-m"}}
	}
	out, err := p.run(ctx)
	if err != nil {
		return Metadata{}, fmt.Errorf("%s: %w", d.Agent, err)
	}
	var m Metadata
	if err := xml.Unmarshal([]byte(out), &m); err != nil {
		return Metadata{}, fmt.Errorf("%s: its metadata is not understood: %w", d.Agent, err)
	}
	return m, nil
}

// installed looks for a plugin in the list of cluster-glue, which has metadata
// for those that are not there, too.
func installed(ctx context.Context, plugin string) error {
	out, err := program{name: "stonith", args: []string{"-s", "-L"}}.run(ctx)
	if err == nil && !slices.Contains(strings.Fields(out), plugin) {
		err = errors.New("no such plugin is installed")
	}
	if err != nil {
		return fmt.Errorf("%s%s: %w", Glue, plugin, err)
	}
	return nil
}

// Check says what is wrong with the device on this machine, as far as that can
// be told without touching what it controls.
func (d Device) Check(ctx context.Context, a Action) (findings []resources.Finding) {
	warn := func(format string, args ...any) {
		findings = append(findings, resources.Finding{Text: fmt.Sprintf(format, args...)})
	}
	if why := d.Unsafe(); why != "" {
		warn("%s is UNSAFE: %s", d.Agent, why)
	}
	if d.ByHand() {
		warn("%s waits for a person: until then nothing is taken over", d.Agent)
	}
	if d.Agent == Null || d.Agent == Manual {
		return findings
	}
	if d.File != "" {
		if info, err := os.Stat(d.File); err != nil {
			return append(findings, resources.Finding{Fatal: true, Text: err.Error()})
		} else if info.Mode()&0o044 != 0 {
			warn("others can read %s (mode %04o), which may hold a password; chmod 600 %s", d.File, info.Mode().Perm(), d.File)
		}
	}
	m, err := d.Describe(ctx)
	if err != nil {
		warn("%v: this node cannot fence %s by it", err, d.Node)
		return findings
	}
	for _, text := range append(m.missing(d, a), m.strangers(d)...) {
		warn("%s", text)
	}
	return findings
}

// missing is what the agent needs and is not given, or cannot do. What a plugin
// is given by position is its own to judge.
func (m Metadata) missing(d Device, a Action) (texts []string) {
	if d.Line != nil || d.File != "" {
		return nil
	}
	_, plugin := d.plugin()
	for _, p := range m.Parameters {
		own := slices.Contains([]string{"action", "option", "plug", "port"}, p.Name) && !plugin // we give them
		if p.Required == "1" && p.Deprecated != "1" && !own && !d.given(p.Name) && !d.given(p.Obsoletes) {
			texts = append(texts, fmt.Sprintf("%s needs %s, which is not given", d.Agent, p.Name))
		}
	}
	for _, action := range m.Actions {
		if plugin || action.Name == string(a) {
			return texts
		}
	}
	return append(texts, fmt.Sprintf("%s does not know the action %s", d.Agent, a))
}

// strangers are the parameters given that the agent does not know.
func (m Metadata) strangers(d Device) (texts []string) {
	known := map[string]bool{}
	for _, p := range m.Parameters {
		known[p.Name] = true
	}
	for _, p := range append(d.Secrets.values(), d.Parameters...) {
		if !known[p.Name] {
			texts = append(texts, fmt.Sprintf("%s does not know the parameter %s", d.Agent, p.Name))
		}
	}
	return texts
}
