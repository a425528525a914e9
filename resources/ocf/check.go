package ocf

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
)

// Check looks for the agent and for the file of parameters. A driver that is
// thorough asks the agent itself, too: for its metadata, to which the parameters
// are compared, and whether it finds them valid.
func (d *Driver) Check(ctx context.Context, s resources.Spec) []resources.Finding {
	fatal := func(err error) []resources.Finding { return []resources.Finding{{Fatal: true, Text: err.Error()}} }
	w, err := Parse(s)
	if err != nil {
		return fatal(err)
	}
	if _, _, err := d.find(w); err != nil {
		return fatal(err)
	}
	given, err := d.variables(w)
	if err != nil {
		return fatal(err)
	}
	if !d.cfg.Thorough {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	m, err := d.metadata(ctx, s)
	if err != nil {
		return fatal(err)
	}
	findings := m.compare(given)
	if m.offers("validate-all") {
		findings = append(findings, d.validate(ctx, s)...)
	}
	return findings
}

// askTime is how long an agent may take to answer what systole check asks.
const askTime = 5 * time.Second

// A metadata is what an agent says of itself, as far as that matters here.
//
// Source: ra-api-1.dtd of the resource agent API.
type metadata struct {
	Parameters []struct {
		Name     string `xml:"name,attr"`
		Required string `xml:"required,attr"`
	} `xml:"parameters>parameter"`
	Actions []named `xml:"actions>action"`
}

func (d *Driver) metadata(ctx context.Context, s resources.Spec) (m metadata, err error) {
	r, err := d.run(ctx, s, process.Job{Operation: "meta-data", Capture: true})
	if err == nil {
		err = failure(r)
	}
	if err != nil {
		return m, fmt.Errorf("the agent does not say what it is: %w", err)
	}
	if err := xml.Unmarshal([]byte(r.Output), &m); err != nil {
		return m, fmt.Errorf("the agent's metadata is not understood: %w", err)
	}
	return m, nil
}

func (m metadata) offers(action string) bool {
	return slices.ContainsFunc(m.Actions, func(a named) bool { return a.Name == action })
}

type named struct {
	Name string `xml:"name,attr"`
}

// compare finds parameters that the agent does not know, and those that it must
// have.
func (m metadata) compare(given []string) (findings []resources.Finding) {
	var names []string
	for _, variable := range given {
		name, _, _ := strings.Cut(variable, "=")
		if name, ok := strings.CutPrefix(name, "OCF_RESKEY_"); ok {
			names = append(names, name)
		}
	}
	known := map[string]bool{}
	for _, p := range m.Parameters {
		known[p.Name] = true
		if (p.Required == "1" || p.Required == "true") && !slices.Contains(names, p.Name) {
			findings = append(findings, resources.Finding{Fatal: true, Text: "the agent needs the parameter " + p.Name})
		}
	}
	for _, name := range names {
		if !known[name] {
			findings = append(findings, resources.Finding{Text: "the agent knows no parameter " + name})
		}
	}
	return findings
}

// validate asks the agent. What it finds wrong is a warning: on the node that
// does not hold the group, the files of a shared disk are missing.
func (d *Driver) validate(ctx context.Context, s resources.Spec) []resources.Finding {
	r, err := d.run(ctx, s, process.Job{Operation: "validate-all"})
	if err == nil && r.Code != unimplemented {
		err = failure(r)
	}
	if err != nil {
		return []resources.Finding{{Text: fmt.Sprintf("the agent finds fault with that here and now: %v", err)}}
	}
	return nil
}
