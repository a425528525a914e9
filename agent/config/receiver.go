package config

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
)

// A Webhook is a place that events are posted to.
type Webhook struct {
	Name     string // for metrics and messages, never the URL
	URL      string // http or https, without user and fragment
	Severity string // the least that is sent: info, notice, warning, error, critical
	Secrets  *Secrets
	Origin   string // "ha.cf:3"
}

// An Alertmanager is one that is told of alerts directly.
type Alertmanager struct {
	URL      string   // http or https, without /api/v2/alerts
	Password *Secrets // one: user:password; nil for none
	Origin   string
}

// Secrets are what a file of secrets holds. They are not in reach of fmt. A nil
// Secrets has none.
type Secrets struct{ read func() [][]byte }

// Values are the secrets, in the order of the file. The caller must not change
// them.
func (s *Secrets) Values() [][]byte {
	if s == nil {
		return nil
	}
	return s.read()
}

const (
	// maxReceivers bounds webhooks, and Alertmanagers: each costs a goroutine,
	// a queue and series.
	maxReceivers = 8
	// maxReceiverName bounds what becomes a label, in bytes.
	maxReceiverName = 32
	// A secret of Standard Webhooks has 24 to 64 bytes.
	secretLeast, secretMost = 24, 64
	secretPrefix            = "whsec_"
)

var severities = []string{"info", "notice", "warning", "error", "critical"}

// addWebhook reads "NAME URL [secret=FILE] [severity=LEAST]".
func (c *Config) addWebhook(fsys fs.FS, origin string, args []string) *problem {
	if p := arguments(args, "name", "URL"); p != nil {
		return p
	}
	w := Webhook{Name: args[0], Severity: severities[0], Origin: origin}
	if p := c.newWebhook(w.Name); p != nil {
		return p
	}
	p := readURL(&w.URL, args[1])
	if p == nil {
		p = options(args[2:], map[string]func(string) *problem{
			"secret": func(v string) (p *problem) {
				w.Secrets, p = readSecrets(fsys, v, signingSecret)
				return p
			},
			"severity": func(v string) *problem {
				w.Severity = v
				return oneOf(v, severities...)
			},
		})
	}
	if p != nil && p.severity == Error {
		return p
	}
	c.Webhooks = append(c.Webhooks, w)
	if w.Secrets == nil {
		p = odd("write secret=FILE", "nothing is signed: whoever finds out the URL can send it events of his own")
	}
	return p
}

func (c *Config) newWebhook(name string) *problem {
	switch {
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "":
		return bad("write webhook NAME URL, the name in letters, digits, _ and -", "%s is no name", printable(name))
	case len(name) > maxReceiverName:
		return bad("", "%s is longer than the %d bytes a name may have", printable(name), maxReceiverName)
	case len(c.Webhooks) >= maxReceivers:
		return bad("", "more than %d webhooks", maxReceivers)
	}
	for _, w := range c.Webhooks {
		if w.Name == name {
			return bad("", "%s is the name of the webhook of %s", printable(name), w.Origin)
		}
	}
	return nil
}

// addAlertmanager reads "URL [password=FILE]".
func (c *Config) addAlertmanager(fsys fs.FS, origin string, args []string) *problem {
	if p := arguments(args, "URL"); p != nil {
		return p
	}
	if len(c.Alertmanagers) >= maxReceivers {
		return bad("", "more than %d Alertmanagers", maxReceivers)
	}
	a := Alertmanager{Origin: origin}
	if p := readURL(&a.URL, args[0]); p != nil {
		return p
	}
	a.URL = strings.TrimSuffix(a.URL, "/")
	if path, ok := strings.CutSuffix(a.URL, "/api/v2/alerts"); ok {
		return bad("write "+path, "the path of the API is added to the URL")
	}
	if i := slices.IndexFunc(c.Alertmanagers, func(b Alertmanager) bool { return a.URL == b.URL }); i >= 0 {
		return bad("", "the same as in %s", c.Alertmanagers[i].Origin)
	}
	p := options(args[1:], map[string]func(string) *problem{
		"password": func(v string) (p *problem) {
			a.Password, p = readSecrets(fsys, v, userAndPassword)
			return p
		},
	})
	if p == nil {
		c.Alertmanagers = append(c.Alertmanagers, a)
	}
	return p
}

// options obeys words such as secret=FILE, each given once at most.
func options(args []string, known map[string]func(string) *problem) *problem {
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	given := map[string]bool{}
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		obey := known[name]
		switch {
		case obey == nil || !ok:
			hint := didYouMean(name, names)
			if hint == "" {
				hint = "the options are " + strings.Join(names, "=, ") + "="
			}
			return bad(hint, "%s is no option", printable(a))
		case given[name]:
			return bad("", "%s is given twice", name)
		}
		given[name] = true
		if p := obey(value); p != nil {
			return p
		}
	}
	return nil
}

// readURL accepts what can be posted to. A password in it would be in a file
// that everybody may read.
func readURL(field *string, v string) *problem {
	u, err := url.Parse(v)
	switch {
	case err != nil || !visible(v) || u.Host == "" || u.Hostname() == "":
		return bad("write http://host/path or https://host/path", "%s is no URL", printable(v))
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("write http:// or https://", "%s: nothing is sent by %s", printable(v), printable(u.Scheme))
	case u.User != nil:
		return bad("leave user and password out: this file is no secret", "the URL holds a password")
	case u.Port() != "" && !isPort(u.Port()):
		return bad("", "%s is no port", printable(u.Port()))
	}
	*field = v
	return nil
}

func isPort(s string) bool {
	_, p := parseNumber("port", s, 1, 65535)
	return p == nil
}

// readSecrets reads a file of the configuration's folder: a secret a line, all
// of them good. None of the messages repeats a word of the file.
func readSecrets(fsys fs.FS, name string, decode func(string) ([]byte, error)) (*Secrets, *problem) {
	if !fs.ValidPath(name) || name == "." {
		return nil, bad("write the name of a file that lies beside ha.cf", "%s is no file of this folder", printable(name))
	}
	text, err := readFile(fsys, name)
	if err != nil {
		return nil, bad("", "%s: %s", printable(name), cause(err))
	}
	if info, err := fs.Stat(fsys, name); err == nil && info.Mode()&0o044 != 0 {
		return nil, bad("chmod 600 "+printable(name), "others can read %s (mode %04o)", printable(name), info.Mode().Perm())
	}
	var all [][]byte
	for i, line := range strings.Split(text, "\n") {
		line = strings.Trim(line, blanks+"\r")
		if line == "" || line[0] == '#' {
			continue
		}
		secret, err := decode(line)
		if err != nil {
			return nil, bad("", "%s:%d: %v", printable(name), i+1, err)
		}
		all = append(all, secret)
	}
	if len(all) == 0 {
		return nil, bad("", "%s is empty", printable(name))
	}
	return &Secrets{func() [][]byte { return all }}, nil
}

// signingSecret reads a secret as Standard Webhooks writes it.
func signingSecret(line string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(line, secretPrefix)
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, fmt.Errorf("no secret: write %s and then base64, such as the output of openssl rand -base64 32", secretPrefix)
	}
	if len(secret) < secretLeast || len(secret) > secretMost {
		return nil, fmt.Errorf("a secret of %d bytes: there must be %d to %d", len(secret), secretLeast, secretMost)
	}
	return secret, nil
}

func userAndPassword(line string) ([]byte, error) {
	if user, _, ok := strings.Cut(line, ":"); !ok || user == "" {
		return nil, fmt.Errorf("not understood: write user:password")
	}
	return []byte(line), nil
}
