package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/systole-ha/systole/resources/fence"
)

// deviceKeys are the keys of one of fencing.devices.
var deviceKeys = []string{"node", "agent", "level", "parameters", "secrets"}

// readDevices reads fencing.devices, a list of
//
//	node: alpha
//	agent: fence_ipmilan
//	level: 1               the default
//	parameters: {ip: 192.0.2.1, username: systole}
//	secrets: fence-alpha   a file beside ha.cf: name=value, a line each
func (r *yamlReader) readDevices(name string, value *yaml.Node) (devices []FenceDevice) {
	if value.Kind != yaml.SequenceNode {
		r.add(Error, value.Line, name, "not a list of devices", "")
		return nil
	}
	r.cfg.yamlLines[name] = value.Line
	for _, v := range value.Content {
		if r.full(v.Line) {
			return devices
		}
		if len(devices) >= maxFenceDevices {
			r.add(Error, v.Line, name, fmt.Sprintf("more than %d devices", maxFenceDevices), "")
			return devices
		}
		if v.Kind != yaml.MappingNode {
			r.add(Error, v.Line, name, "not a list of keys and values", "")
			continue
		}
		devices = append(devices, r.readDevice(name, v))
	}
	return devices
}

func (r *yamlReader) readDevice(name string, value *yaml.Node) FenceDevice {
	d := FenceDevice{Level: 1, Origin: fmt.Sprintf("%s:%d", SystoleYAML, value.Line)}
	seen := map[string]bool{}
	for i := 0; i+1 < len(value.Content); i += 2 {
		key, v := value.Content[i], value.Content[i+1]
		word := name + "." + key.Value
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(deviceKeys, key.Value):
			hint := didYouMean(key.Value, deviceKeys)
			if hint == "" {
				hint = "the keys are " + strings.Join(deviceKeys, ", ")
			}
			r.add(Error, key.Line, word, "unknown key", hint)
		case seen[key.Value]:
			r.add(Error, key.Line, word, "given twice", "")
		case key.Value == "parameters":
			r.readParameters(word, v, &d)
		case v.Kind != yaml.ScalarNode || v.Tag == "!!null":
			r.add(Error, v.Line, word, "needs one plain value", "")
		default:
			if p := r.setDevice(&d, key.Value, v.Value); p != nil {
				r.add(p.severity, v.Line, word, p.text, p.hint)
			}
		}
		seen[key.Value] = true
	}
	for _, needed := range deviceKeys[:2] {
		if !seen[needed] {
			r.add(Error, value.Line, name, "a device needs "+needed+":", "")
		}
	}
	return d
}

// setDevice sets one of the plain keys.
func (r *yamlReader) setDevice(d *FenceDevice, key, v string) (p *problem) {
	switch key {
	case "node":
		d.Node = strings.ToLower(v)
		if !slices.Contains(r.cfg.Nodes, d.Node) {
			return bad(didYouMean(d.Node, r.cfg.Nodes), "%s is no node of ha.cf", printable(v))
		}
	case "agent":
		d.Agent = v
		return checkAgent(v)
	case "level":
		d.Level, p = parseNumber("level", v, 1, maxFenceLevel)
		return p
	case "secrets":
		var secrets *Secrets
		secrets, p = readSecrets(r.fsys, v, secretParameter)
		var parameters []fence.Parameter
		for _, line := range secrets.Values() {
			name, value, _ := strings.Cut(string(line), "=")
			parameters = append(parameters, fence.Parameter{Name: name, Value: value})
		}
		d.Secrets = fence.NewSecrets(parameters)
		return p
	}
	return nil
}

// secretParameter accepts a line of a file of secrets; its error repeats
// nothing of it.
func secretParameter(line string) ([]byte, error) {
	name, _, ok := strings.Cut(line, "=")
	if !ok || !isParameter(name) {
		return nil, fmt.Errorf("not understood: write name=value, such as password=SECRET")
	}
	return []byte(line), nil
}

// readParameters reads what an agent is given.
func (r *yamlReader) readParameters(word string, value *yaml.Node, d *FenceDevice) {
	if value.Kind != yaml.MappingNode {
		r.add(Error, value.Line, word, "not a list of keys and values", "")
		return
	}
	for i := 0; i+1 < len(value.Content) && !r.full(value.Line); i += 2 {
		key, v := value.Content[i], value.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || !isParameter(key.Value):
			r.add(Error, key.Line, word, "no parameter that a fence agent may be given", "")
		case v.Kind != yaml.ScalarNode || v.Tag == "!!null" || strings.ContainsAny(v.Value, "\n\r\x00"):
			r.add(Error, v.Line, word+"."+key.Value, "needs one plain value, on one line", "")
		case slices.ContainsFunc(d.Parameters, func(p fence.Parameter) bool { return p.Name == key.Value }):
			r.add(Error, key.Line, word+"."+key.Value, "given twice", "")
		default:
			d.Parameters = append(d.Parameters, fence.Parameter{Name: key.Value, Value: v.Value})
		}
	}
}

// isParameter reports whether the name is one that an agent may be given; what
// is asked of it, and for which node, is said by us.
func isParameter(name string) bool {
	const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	return name != "" && strings.Trim(name, characters) == "" && !slices.Contains([]string{"action", "option", "nodename"}, name)
}
