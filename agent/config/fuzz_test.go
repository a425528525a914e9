package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seed gives a fuzz target the files of that name in testdata.
func seed(f *testing.F, file string) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*", file))
	if err != nil || len(names) == 0 {
		f.Fatalf("no %s in testdata: %v", file, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
}

// load loads a configuration that has one file from a fuzzer, and checks what
// must hold for whatever is in it: what is accepted can be run, and what is
// said is fit for a terminal and bounded.
func load(t *testing.T, file, text string) *Config {
	t.Helper()
	c, ds := Load(with(map[string]string{file: text + "\n"}), machine("alpha"))
	if n := len(ds); n > 4*3*(maxReports+1) {
		t.Errorf("%d diagnostics", n)
	}
	for _, d := range ds {
		s := d.String()
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("diagnostic %q is not one line of text", s)
		}
		if len(s) > 1000 {
			t.Errorf("diagnostic of %d bytes: %s", len(s), s)
		}
	}
	if elsewhere, ds := Load(with(map[string]string{file: text + "\n"}), Host{Name: "alpha"}); ds.Err() == nil && !visible(dump(elsewhere)) {
		for line := range strings.Lines(dump(elsewhere)) {
			if !visible(strings.TrimSuffix(line, "\n")) {
				t.Errorf("accepted what cannot be shown: %q", line)
			}
		}
	}
	if ds.Err() != nil {
		return c
	}
	switch {
	case c.Keepalive <= 0 || c.Deadtime <= 2*c.Keepalive || c.Initdead < c.Deadtime || c.Warntime <= 0 || c.Deadping <= 0:
		t.Errorf("accepted timers cannot work: %+v", c)
	case len(c.Links) == 0 || len(c.Nodes) == 0 || len(c.Nodes) > 2:
		t.Errorf("accepted a cluster without links or with %d nodes", len(c.Nodes))
	case c.Auth.Ring == nil || c.Auth.Ring.Send() != c.Auth.Send:
		t.Errorf("accepted authkeys without a key to sign with: %v", c.Auth)
	}
	for _, g := range c.Groups {
		if g.Key == "" || len(g.Resources) == 0 || len(g.Resources) != len(g.ResourceLines) {
			t.Errorf("accepted an empty group: %+v", g)
		}
	}
	return c
}

func FuzzHaCf(f *testing.F) {
	seed(f, HaCf)
	f.Fuzz(func(t *testing.T, text string) { load(t, HaCf, text) })
}

func FuzzHaresources(f *testing.F) {
	seed(f, Haresources)
	f.Fuzz(func(t *testing.T, text string) { load(t, Haresources, text) })
}

// FuzzAuthkeys also looks for the words of the file in what is said about it.
func FuzzAuthkeys(f *testing.F) {
	seed(f, Authkeys)
	f.Fuzz(func(t *testing.T, text string) {
		load(t, Authkeys, text)
		const secret = "xQz7Geheimnis"
		for _, line := range []string{secret, "1 " + secret, "auth " + secret, "1 sha1 " + secret} {
			_, ds := Load(with(map[string]string{Authkeys: text + "\n" + line}), machine("alpha"))
			if strings.Contains(ds.String(), secret) {
				t.Errorf("%q after %q shows the secret: %s", line, text, ds)
			}
		}
	})
}

func FuzzSystoleYAML(f *testing.F) {
	seed(f, SystoleYAML)
	f.Fuzz(func(t *testing.T, text string) { load(t, SystoleYAML, text) })
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"1", "1.5", "500ms", "10s", "2m", "us", "9999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseTime(s)
		if err == nil && (d < 0 || d > maxTime || d%time.Millisecond != 0) {
			t.Errorf("ParseTime(%q) = %s", s, d)
		}
	})
}
