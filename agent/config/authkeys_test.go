package config

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAuthkeys(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		send       int // 0 for refused
		want       []string
	}{
		{"auth and its key", "auth 1\n1 md5 key", 1, nil},
		{"what follows the key is ignored", "auth 1 # this\n 1  md5\tkey # of\r\n", 1, nil},
		{"comments and empty lines", "# keys\n\n  # more\nauth 15\n15 sha1 key\n", 15, nil},
		{"the last auth line before the key counts", "auth 2\nauth 1\n1 md5 a\n2 md5 b\n", 1, nil},
		{"of two lines for a number the last counts", "auth 1\n1 crc\n1 md5 key\n", 1, []string{
			"authkeys:2: warning: key 1: crc protects against nothing but noise: whoever can send to this network can take the cluster over; use sha1 with a key"}},
		{"an auth line that comes too late does not count", "auth 1\n1 md5 a\n2 md5 b\nauth 2\n", 1, []string{
			`authkeys: warning: auth: "auth 2" comes too late to count: key 1 signs`}},
		{"the key may not come first", "1 md5 a\nauth 1\n", 0, []string{
			`authkeys:1: auth: "auth 1" must come before this line`}},
		{"there must be an auth line", "1 md5 a\n", 0, []string{
			`authkeys: auth: no auth line; write "auth" and the number of the key to sign with above the keys`}},
		{"and its key", "auth 3\n1 md5 a\n", 0, []string{"authkeys: auth: there is no key 3"}},
		{"an empty file has neither", "\n", 0, []string{
			`authkeys: auth: no auth line; write "auth" and the number of the key to sign with above the keys`}},
		{"our own methods are known", "auth 1\n1 sha256 key\n", 1, []string{
			"authkeys:2: note: key 1: sha256 is systole's own: heartbeat 3.0.6 will not understand this node"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ds := Load(with(map[string]string{Authkeys: tt.text}), machine("alpha"))
			check(t, ds, tt.want)
			if (c.Auth.Ring != nil) != (tt.send != 0) || c.Auth.Send != tt.send {
				t.Errorf("signs with %d, keyring %v, want %d", c.Auth.Send, c.Auth.Ring, tt.send)
			}
		})
	}
}

func TestAuthkeysMode(t *testing.T) {
	for mode, want := range map[fs.FileMode]string{
		0o600: "", 0o400: "", 0o700: "", 0o620: "",
		0o640: "authkeys: others can read it (mode 0640); chmod 600 authkeys",
		0o604: "authkeys: others can read it (mode 0604); chmod 600 authkeys",
		0o644: "authkeys: others can read it (mode 0644); chmod 600 authkeys",
	} {
		fsys := with(nil)
		fsys[Authkeys].Mode = mode
		c, ds := Load(fsys, machine("alpha"))
		if got := strings.TrimSpace(ds.String()); got != want {
			t.Errorf("mode %04o: got %q, want %q", mode, got, want)
		}
		if (c.Auth.Ring == nil) != (want != "") {
			t.Errorf("mode %04o: keyring %v", mode, c.Auth.Ring)
		}
	}
}

// TestSecretsStaySecret puts a secret wherever a word can stand, in lines that
// are right and wrong, and looks for it in everything that can be printed.
func TestSecretsStaySecret(t *testing.T) {
	const secret = "Geheimnis"
	for _, text := range []string{
		"auth 1\n1 sha1 " + secret,
		"auth 1\n1 sha512 " + secret + "\n2 md5 " + secret,
		"auth 1\n1 " + secret,
		"auth 1\n" + secret,
		"auth " + secret,
		"auth1 " + secret + "\n1 crc " + secret,
		"auth 1\n1 sha1" + secret,
		"auth 1\n1 sha1 " + secret + " " + secret,
		"a" + secret,
		"99 sha1 " + secret,
	} {
		c, ds := Load(fstest.MapFS{Authkeys: {Data: []byte(text), Mode: 0o644}}, machine("alpha"))
		output := ds.String() + fmt.Sprint(ds.Err())
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			output += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, *c) + fmt.Sprintf(verb, c.Auth) + fmt.Sprintf(verb, ds)
		}
		if j, err := json.Marshal(c.Auth); err == nil {
			output += string(j)
		}
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), strings.Trim(fmt.Sprint([]byte(secret)), "[]")} {
			if strings.Contains(output, form) {
				t.Errorf("authkeys %q: the secret shows as %s", text, form)
			}
		}
	}
}
