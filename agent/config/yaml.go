package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/systole-ha/systole/resources"
)

// yamlKeys are the keys of systole.yaml, those of a section with its name
// before a dot.
var yamlKeys = map[string]func(c *Config, value string) error{
	"cluster":            func(c *Config, v string) error { return setName(&c.Cluster, v) },
	"web.listen_address": func(c *Config, v string) error { return setListenAddress(&c.Web.ListenAddress, v) },
	"web.config_file":    func(c *Config, v string) error { return setPath(&c.Web.ConfigFile, v) },
	"state_dir":          func(c *Config, v string) error { return setPath(&c.StateDir, v) },
	"control_socket":     func(c *Config, v string) error { return setPath(&c.ControlSocket, v) },
	"timeouts.start":     func(c *Config, v string) error { return setTimeout(&c.StartTimeout, v) },
	"timeouts.stop":      func(c *Config, v string) error { return setTimeout(&c.StopTimeout, v) },
	"flight_recorder":    func(c *Config, v string) error { return setBool(&c.FlightRecorder, v) },
	"ipfail":             func(c *Config, v string) error { return setBool(&c.IPFail, v) },
	"permission":         (*Config).setPermission,
	"leases":             func(c *Config, v string) error { return setLease(&c.Leases, v) },
	"realtime":           func(c *Config, v string) error { return setBool(&c.Realtime, v) },
	"fencing.action":     func(c *Config, v string) error { return setFenceAction(&c.Fencing, v) },
	"fencing.delay":      func(c *Config, v string) error { return setWhile(&c.Fencing.Delay, v) },
	"fencing.timeout":    func(c *Config, v string) error { return setLength(&c.Fencing.Timeout, v) },
	"fencing.tries":      func(c *Config, v string) error { return setFenceTries(&c.Fencing, v) },
	"fencing.retry":      func(c *Config, v string) error { return setLength(&c.Fencing.Retry, v) },
	"fencing.on_failure": func(c *Config, v string) error { return setFenceFailure(&c.Fencing, v) },
}

// yamlLists are the keys that may have several values, each of them what ha.cf
// has behind the directive of that name.
var yamlLists = map[string]func(c *Config, fsys fs.FS, origin string, args []string) *problem{
	"webhook":      (*Config).addWebhook,
	"alertmanager": (*Config).addAlertmanager,
	"arbiter":      (*Config).addArbiter,
}

// fenceDevices is the one key whose values have keys and are many.
const fenceDevices = "fencing.devices"

// What systole assumes where systole.yaml is silent.
const (
	defaultListenAddress    = ":9694"
	defaultStateDir         = "/var/lib/systole"
	DefaultControlSocket    = "/run/systole/control.sock"
	defaultRealtimePriority = 10 // above what else asks for real time on a server, below the kernel's threads
)

// A yamlReader reads systole.yaml.
type yamlReader struct {
	reporter
	cfg     *Config
	fsys    fs.FS // the folder, for files that values name
	devices []FenceDevice
}

// readYAML reads systole.yaml into c, after ha.cf, which it may override.
// Without the file everything in it has its default.
func readYAML(c *Config, fsys fs.FS, _ Host) Diagnostics {
	r := &yamlReader{reporter: reporter{file: SystoleYAML}, cfg: c, fsys: fsys}
	c.Web.ListenAddress, c.Leases = defaultListenAddress, LeaseOn
	c.StateDir, c.ControlSocket = defaultStateDir, DefaultControlSocket
	c.StartTimeout, c.StopTimeout = resources.Timeout, resources.Timeout
	c.setFencingDefaults()
	text, err := readFile(fsys, SystoleYAML)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		r.unreadable(err)
	default:
		r.readDocument(text)
	}
	r.judgeFencing(r.devices)
	if c.Cluster == "" {
		nodes := slices.Clone(c.Nodes)
		slices.Sort(nodes)
		c.Cluster = strings.Join(nodes, "-")
	}
	r.judgePermission()
	return r.list
}

// yamlLine finds the line in an error of the yaml package, which has no field
// for it.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)`)

func (r *yamlReader) readDocument(text string) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		line, message := 0, strings.TrimPrefix(err.Error(), "yaml: ")
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
			message = m[2]
		}
		r.add(Error, line, "", message, "")
		return
	}
	if len(document.Content) > 0 && document.Content[0].Tag != "!!null" {
		r.readSection("", document.Content[0])
	}
}

// readSection reads a mapping: the document itself, or the value of a key.
func (r *yamlReader) readSection(prefix string, section *yaml.Node) {
	if section.Kind != yaml.MappingNode {
		r.add(Error, section.Line, strings.TrimSuffix(prefix, "."), "not a list of keys and values", "")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(section.Content) && !r.full(section.Content[i].Line); i += 2 {
		key, value := section.Content[i], section.Content[i+1]
		name := prefix + key.Value
		switch {
		case key.Kind != yaml.ScalarNode:
			r.add(Error, key.Line, "", "a key must be a word", "")
		case seen[name]:
			r.add(Error, key.Line, name, "given twice", "")
		case yamlKeys[name] != nil:
			r.readValue(name, value)
		case yamlLists[name] != nil:
			r.readList(name, value)
		case name == fenceDevices:
			r.devices = r.readDevices(name, value)
		case prefix == "" && slices.Contains(sections(), name):
			r.readSection(name+".", value)
		default:
			r.add(Error, key.Line, name, "unknown key", yamlHint(name))
		}
		seen[name] = true
	}
}

func (r *yamlReader) readValue(name string, value *yaml.Node) {
	if value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
		r.add(Error, value.Line, name, "needs one plain value", "")
		return
	}
	if err := yamlKeys[name](r.cfg, value.Value); err != nil {
		r.add(Error, value.Line, name, err.Error(), "")
		return
	}
	r.cfg.yamlLines[name] = value.Line
}

// readList reads one value or a list of them.
func (r *yamlReader) readList(name string, value *yaml.Node) {
	values := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		values = value.Content
	}
	r.cfg.yamlLines[name] = value.Line
	for _, v := range values {
		if r.full(v.Line) {
			return
		}
		if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
			r.add(Error, v.Line, name, "needs a plain value, or a list of them", "")
			continue
		}
		origin := fmt.Sprintf("%s:%d", SystoleYAML, v.Line)
		if p := yamlLists[name](r.cfg, r.fsys, origin, words(v.Value, blanks+"\r\n")); p != nil {
			r.add(p.severity, v.Line, name, p.text, p.hint)
		}
	}
}

// yamlNames are the keys in alphabetical order.
func yamlNames() []string {
	return slices.Sorted(slices.Values(append(slices.AppendSeq(slices.Collect(maps.Keys(yamlKeys)), maps.Keys(yamlLists)), fenceDevices)))
}

// sections are the keys whose values have keys themselves.
func sections() []string {
	var names []string
	for _, k := range yamlNames() {
		if s, _, ok := strings.Cut(k, "."); ok && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// yamlHint is what somebody who wrote an unknown key may have meant: a key
// spelt alike, or one of that name in another section.
func yamlHint(name string) string {
	if hint := didYouMean(name, append(yamlNames(), sections()...)); hint != "" {
		return hint
	}
	for _, k := range yamlNames() {
		if path.Ext("."+name) == path.Ext("."+k) {
			return "did you mean " + k + "?"
		}
	}
	return "the keys are " + strings.Join(yamlNames(), ", ")
}

func setName(field *string, v string) error {
	if v == "" || !visible(v) {
		return errors.New("a name must be visible")
	}
	*field = v
	return nil
}

func setBool(field *bool, v string) error {
	on, err := ParseBool(v)
	if err == nil {
		*field = on
	}
	return err
}

func setPath(field *string, v string) error {
	if !path.IsAbs(v) {
		return fmt.Errorf("%s is no absolute path", printable(v))
	}
	*field = v
	return nil
}

func setListenAddress(field *string, v string) error {
	if v != "" {
		_, port, err := net.SplitHostPort(v)
		if n, e := strconv.Atoi(port); err != nil || e != nil || n < 1 || n > 65535 {
			return fmt.Errorf("%s is no address, write host:port or :port", printable(v))
		}
	}
	*field = v
	return nil
}

func setTimeout(field *time.Duration, v string) error {
	t, err := ParseTime(v)
	if err != nil {
		return err
	}
	if t == 0 {
		return errors.New("no resource starts or stops in no time")
	}
	*field = t
	return nil
}
