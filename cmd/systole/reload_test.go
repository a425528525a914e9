package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/wire"
)

// files is a configuration that can run on alpha.
var files = map[string]string{
	config.HaCf:        "node alpha beta\nbcast eth0\nkeepalive 1\ndeadtime 10\nauto_failback on\n",
	config.Haresources: "alpha IPaddr::192.0.2.10/24/eth0\n",
	config.Authkeys:    "auth 1\n1 sha1 not-a-secret\n",
}

// A disk is a folder of configuration, and what a daemon says and does about
// it.
type disk struct {
	t      *testing.T
	dir    string
	files  *reloader
	events []event.Event
	rings  []*wire.Keyring
}

func newDisk(t *testing.T) *disk {
	k := &disk{t: t, dir: t.TempDir()}
	for name, text := range files {
		k.write(name, text)
	}
	c, diagnostics := config.Load(os.DirFS(k.dir), config.Host{Name: "alpha"})
	if err := diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	d := newDaemon(c, k.dir, nil)
	k.files = d.newReloader(func(e event.Event) { k.events = append(k.events, e) }, func(r *wire.Keyring) { k.rings = append(k.rings, r) })
	return k
}

func (k *disk) write(name, text string) {
	k.t.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// said is what was reported since it was last asked for.
func (k *disk) said() string {
	var lines []string
	for _, e := range k.events {
		lines = append(lines, event.Text(e))
	}
	k.events = nil
	return strings.Join(lines, "\n")
}

func TestReload(t *testing.T) {
	k := newDisk(t)
	for _, step := range []struct {
		name   string
		write  map[string]string
		reload bool // SIGHUP; else the look of every minute
		want   []string
		rings  int
		signs  int // the key that does
	}{
		{name: "nothing has changed", signs: 1},
		{name: "nothing has changed, reload", reload: true, rings: 1, signs: 1, want: []string{`config.reloaded file=authkeys keys="1 sha1"`}},
		{
			name: "a new key that nobody signs with yet", write: map[string]string{config.Authkeys: "auth 1\n1 sha1 not-a-secret\n2 sha1 another\n"},
			want: []string{"config.pending file=authkeys"}, signs: 1,
		},
		{
			name: "it is taken", reload: true, rings: 1, signs: 1,
			want: []string{`config.reloaded file=authkeys keys="1 sha1,2 sha1" changed="key 2"`, "config.pending file=authkeys agrees=true"},
		},
		{
			name: "and signed with, the old one gone", write: map[string]string{config.Authkeys: "auth 2\n2 sha1 another\n"}, reload: true, rings: 1, signs: 2,
			want: []string{`config.reloaded file=authkeys keys="2 sha1" changed="key 1,send"`},
		},
		{
			name: "another secret of a key in use is another key", write: map[string]string{config.Authkeys: "auth 2\n2 sha256 a-third\n"}, reload: true, rings: 1, signs: 2,
			want: []string{`config.reloaded file=authkeys keys="2 sha256" changed="key 2"`},
		},
		{
			name: "a link more takes a restart", write: map[string]string{config.HaCf: files[config.HaCf] + "bcast eth1\n"}, reload: true, rings: 1, signs: 2,
			want: []string{`config.reloaded file=authkeys keys="2 sha256"`, "config.pending file=ha.cf"},
		},
		{name: "which is told once", signs: 2},
		{
			name: "errors are told by the look of every minute, and are no failed reload", signs: 2,
			write: map[string]string{config.HaCf: files[config.HaCf] + "bcats eth1\nwatchdo\n"},
			want:  []string{`config.pending file=ha.cf error="ha.cf:6: bcats: unknown directive, did you mean bcast?"`},
		},
		{
			name: "with them keys are not taken", write: map[string]string{config.Authkeys: "auth 3\n3 sha1 more\n"}, reload: true, signs: 2,
			want: []string{`config.reload_failed file=ha.cf error="ha.cf:6: bcats: unknown directive, did you mean bcast?" errors=2`, "config.pending file=authkeys"},
		},
		{
			name: "nor with a resource that nothing can run", write: map[string]string{config.HaCf: files[config.HaCf], config.Haresources: "alpha OCF\n"}, reload: true, signs: 2,
			want: []string{
				"config.reload_failed file=haresources error=", "config.pending file=ha.cf agrees=true", "config.pending file=haresources error=",
			},
		},
		{
			name: "all is as it was", write: files, reload: true, rings: 1, signs: 1,
			want: []string{`config.reloaded file=authkeys keys="1 sha1" changed="key 1,key 2,send"`, "config.pending file=haresources agrees=true", "config.pending file=authkeys agrees=true"},
		},
		{
			name: "no file at all", write: map[string]string{config.Authkeys: "1 sha1 no-auth-line\n"}, reload: true, signs: 1,
			want: []string{"config.reload_failed file=authkeys", "config.pending file=authkeys error="},
		},
	} {
		for name, text := range step.write {
			k.write(name, text)
		}
		k.rings = nil
		if step.reload {
			k.files.take()
		} else {
			k.files.compare(k.files.load())
		}
		said := k.said()
		lines := strings.Split(said, "\n")
		matches := len(step.want) == len(lines) || said == "" && step.want == nil
		for i := range step.want {
			matches = matches && i < len(lines) && strings.HasPrefix(lines[i], step.want[i])
		}
		if !matches {
			t.Errorf("%s:\n got %s\nwant %s", step.name, said, strings.Join(step.want, "\n     "))
		}
		if len(k.rings) != step.rings || k.files.running.Auth.Send != step.signs {
			t.Errorf("%s: %d keyrings taken, key %d signs, want %d and %d", step.name, len(k.rings), k.files.running.Auth.Send, step.rings, step.signs)
		}
		for _, secret := range []string{"not-a-secret", "another", "a-third", "more"} {
			if strings.Contains(said, secret) {
				t.Errorf("%s: a secret was told: %s", step.name, said)
			}
		}
	}
}

// A disk that hangs must not keep SIGTERM from being obeyed.
func TestReloadDoesNotWait(t *testing.T) {
	k := newDisk(t)
	for range 10 { // nobody reads: the reloader hangs
		k.files.reload()
	}
	if n := len(k.files.hangup); n != 1 {
		t.Errorf("%d reloads wait, want 1", n)
	}
}
