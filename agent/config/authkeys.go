package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/systole-ha/systole/agent/wire"
)

// maxKeyNumber is the highest number a key may have (MAXAUTH in heartbeat.h).
const maxKeyNumber = 15

var methods = []string{string(wire.CRC), string(wire.MD5), string(wire.SHA1), string(wire.SHA256), string(wire.SHA512)}

// An authkeysReader reads authkeys. None of its messages repeats a word of the
// file but a method or a number: where a line is wrong, any word may be the
// secret.
type authkeysReader struct {
	reporter
	line    int
	current int // of the last auth line; -1 before
	send    int // the key that signs; -1 while it is not known
	keys    map[int]wire.Key
	lines   map[int]int
}

// readAuthkeys reads authkeys into c.
//
// Source: parse_authfile in heartbeat's heartbeat/auth.c. As there, the line of
// the key that signs must follow the auth line, and of two lines for one number
// the later counts.
func readAuthkeys(c *Config, fsys fs.FS, _ Host) Diagnostics { return readKeys(c, fsys, Authkeys) }

// LoadKeys reads a file that is written as authkeys is, under any name.
func LoadKeys(fsys fs.FS, name string) (Auth, Diagnostics) {
	var c Config
	diagnostics := readKeys(&c, fsys, name)
	return c.Auth, diagnostics
}

func readKeys(c *Config, fsys fs.FS, name string) Diagnostics {
	r := &authkeysReader{reporter: reporter{file: name}, current: -1, send: -1, keys: map[int]wire.Key{}, lines: map[int]int{}}
	text, err := readFile(fsys, name)
	if err != nil {
		r.unreadable(err)
		return r.list
	}
	if info, err := fs.Stat(fsys, name); err == nil && info.Mode()&0o044 != 0 {
		r.add(Error, 0, "", fmt.Sprintf("others can read it (mode %04o)", info.Mode().Perm()), "chmod 600 "+name)
	}
	for i, line := range strings.Split(text, "\n") {
		r.line = i + 1
		if r.full(r.line) {
			break
		}
		r.readLine(strings.Trim(line, blanks+"\r"))
	}
	r.finish(c)
	return r.list
}

// readLine reads one line. What follows the words it needs is ignored.
func (r *authkeysReader) readLine(line string) {
	if line == "" || line[0] == '#' {
		return
	}
	if line[0] == 'a' {
		r.readAuth(line)
		return
	}
	args := words(line, blanks+"\r")
	number, err := strconv.Atoi(args[0])
	if err != nil || len(args) < 2 {
		r.add(Error, r.line, "", "not understood", `write "auth 1", or a number, a method and a key, such as "1 sha1 ..."`)
		return
	}
	if number < 0 || number > maxKeyNumber {
		r.add(Error, r.line, "", fmt.Sprintf("the number of a key is between 0 and %d", maxKeyNumber), "")
		return
	}
	secret := ""
	if len(args) > 2 {
		secret = args[2]
	}
	r.readKey(number, args[1], secret)
}

// readAuth reads "auth N".
func (r *authkeysReader) readAuth(line string) {
	rest, ok := strings.CutPrefix(line, "auth")
	rest = strings.TrimLeft(rest, blanks)
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	number, err := strconv.Atoi(rest[:digits])
	if !ok || err != nil || number > maxKeyNumber {
		r.add(Error, r.line, "auth", "not understood", fmt.Sprintf(`write "auth" and the number of a key, 0 to %d`, maxKeyNumber))
		return
	}
	r.current = number
}

// readKey reads "N method secret".
func (r *authkeysReader) readKey(number int, method, secret string) {
	word := fmt.Sprintf("key %d", number)
	switch {
	case !slices.Contains(methods, method):
		hint := didYouMean(method, methods)
		if hint == "" {
			hint = "there are " + strings.Join(methods, ", ")
		}
		r.add(Error, r.line, word, "unknown method", hint)
		return
	case method == string(wire.CRC) && secret != "":
		r.add(Error, r.line, word, "crc takes no key", "")
		return
	case method != string(wire.CRC) && secret == "":
		r.add(Error, r.line, word, method+" needs a key", fmt.Sprintf(`write "%d %s" and a word that is hard to guess`, number, method))
		return
	}
	switch wire.Method(method) {
	case wire.CRC:
		r.add(Warning, r.line, word, "crc protects against nothing but noise: whoever can send to this network can take the cluster over", "use sha1 with a key")
	case wire.SHA256, wire.SHA512:
		r.add(Note, r.line, word, method+" is systole's own: heartbeat 3.0.6 will not understand this node", "")
	}
	r.keys[number] = wire.Key{Number: number, Method: wire.Method(method), Secret: []byte(secret)}
	r.lines[number] = r.line
	if number == r.current {
		r.send = number
	}
}

// finish makes the keyring, if the file is without error.
func (r *authkeysReader) finish(c *Config) {
	_, exists := r.keys[r.current]
	switch {
	case r.current < 0 && r.list.Count(Error) == 0:
		r.add(Error, 0, "auth", "no auth line", `write "auth" and the number of the key to sign with above the keys`)
	case r.current >= 0 && r.send < 0 && exists:
		r.add(Error, r.lines[r.current], "auth", fmt.Sprintf(`"auth %d" must come before this line`, r.current), "")
	case r.current >= 0 && r.send < 0 && r.list.Count(Error) == 0:
		r.add(Error, 0, "auth", fmt.Sprintf("there is no key %d", r.current), "")
	case r.send >= 0 && r.send != r.current:
		r.add(Warning, 0, "auth", fmt.Sprintf(`"auth %d" comes too late to count: key %d signs`, r.current, r.send), "")
	}
	if r.list.Count(Error) > 0 {
		return
	}
	var keys []wire.Key
	for number, k := range r.keys {
		keys = append(keys, k)
		c.Auth.Keys = append(c.Auth.Keys, AuthKey{number, k.Method, r.lines[number]})
	}
	slices.SortFunc(c.Auth.Keys, func(a, b AuthKey) int { return cmp.Compare(a.Number, b.Number) })
	ring, err := wire.NewKeyring(r.send, keys)
	if err != nil {
		panic("config: checked keys refused: " + err.Error())
	}
	c.Auth.Send, c.Auth.Ring = r.send, ring
}
