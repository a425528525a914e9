package memory

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/takeover"
)

const trace = "4fa158557a6baac3e206ed1b900945e6"

func example() File {
	return File{
		Version: version, Node: "beta", Boot: "b00t", Beaten: 100 * time.Second, Deadtime: 10 * time.Second,
		Memory: core.Memory{
			Memory: takeover.Memory{
				Standby: time.Unix(1763770012, 0).UTC(), Gone: "peer_dead", Off: "operator", Incident: trace,
				Groups: []takeover.Left{
					{
						Group: "IPaddr::192.0.2.10", Resources: []string{"IPaddr::192.0.2.10", "web"}, Aim: takeover.AimHold, Holds: true,
						Since: time.Unix(1763770000, 5).UTC(), Failback: true, Trigger: "peer_dead", Trace: trace,
					},
					{Group: "mail", Resources: []string{"mail"}},
				},
			},
			Peers: []core.PeerMemory{{Name: "alpha", Dead: true, Missing: trace}},
		},
	}
}

func encoded(t testing.TB, f File) []byte {
	t.Helper()
	text, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWhatIsLeftIsFound(t *testing.T) {
	want := example()
	got, err := Decode(encoded(t, want), "beta", "b00t")
	if err != nil {
		t.Fatal(err)
	}
	if !got.Memory.Equal(want.Memory) || got.Beaten != want.Beaten || got.Memory.Peers[0] != want.Memory.Peers[0] {
		t.Errorf("left\n%+v\nfound\n%+v", want, got)
	}
}

func TestDistrust(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(f *File)
		want   error
	}{
		{"as it was left", func(*File) {}, nil},
		{"of another boot", func(f *File) { f.Boot = "other" }, ErrOther},
		{"of a boot that is not known", func(f *File) { f.Boot = "" }, ErrOther},
		{"of another node", func(f *File) { f.Node = "alpha" }, ErrOther},
		{"with an aim that there is not", func(f *File) { f.Memory.Groups[0].Aim = "grab" }, ErrFormat},
		{"with a trigger that there is not", func(f *File) { f.Memory.Groups[0].Trigger = "whim" }, ErrFormat},
		{"with a peer that was off by the word of nobody who could be", func(f *File) { f.Memory.Off = "fence ipmilan\n" }, ErrFormat},
		{"with a peer that was off and alive", func(f *File) { f.Memory.Off, f.Memory.Gone = "operator", "" }, ErrFormat},
		{"with a reason that there is not", func(f *File) { f.Memory.Gone = "bored" }, ErrFormat},
		{"with half a trace", func(f *File) { f.Memory.Groups[0].Trace = trace[:16] }, ErrFormat},
		{"with an incident that is none", func(f *File) { f.Memory.Incident = "x" }, ErrFormat},
		{"with a peer's trace that is none", func(f *File) { f.Memory.Peers[0].Missing = "x" }, ErrFormat},
		{"with a group twice", func(f *File) { f.Memory.Groups[1].Group = f.Memory.Groups[0].Group }, ErrFormat},
		{"with a group without a name", func(f *File) { f.Memory.Groups[1].Group = "" }, ErrFormat},
		{"longer than any", func(f *File) { f.Memory.Groups[1].Resources = []string{strings.Repeat("x", Limit)} }, ErrFormat},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := example()
			tt.change(&f)
			if _, err := Decode(encoded(t, f), "beta", "b00t"); !errors.Is(err, tt.want) {
				t.Errorf("Decode: %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := Decode(encoded(t, example()), "", "b00t"); err != nil {
		t.Errorf("Decode on whichever node: %v", err)
	}
	later := bytes.Replace(encoded(t, example()), []byte(`"version":1`), []byte(`"version":2`), 1)
	if _, err := Decode(later, "beta", "b00t"); !errors.Is(err, ErrFormat) {
		t.Errorf("Decode of another version: %v, want %v", err, ErrFormat)
	}
}

func TestFresh(t *testing.T) {
	f := example() // beaten at 100 s, deadtime 10 s
	for _, tt := range []struct {
		name string
		now  time.Duration
		want error
	}{
		{"at once", 100 * time.Second, nil},
		{"an instant before its peer gives it up", 110*time.Second - 1, nil},
		{"when its peer gives it up", 110 * time.Second, ErrStale},
		{"before it was written, by a clock that is not this one", 100*time.Second - 1, ErrStale},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := f.Fresh(tt.now)
			if !errors.Is(err, tt.want) || (m == nil) != (tt.want != nil) {
				t.Errorf("Fresh: %v, %v, want %v", m, err, tt.want)
			}
		})
	}
}

// FuzzDecode wants that whatever is read is what a daemon could have left, and
// is written as it was read.
func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, example()))
	f.Add(encoded(f, File{Node: "beta", Boot: "b00t"}))
	f.Add([]byte(`{"version":1,"node":"beta","boot":"b00t","memory":{"groups":[{"group":"a"}]}}`))
	f.Add([]byte(`{"version":1`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Decode(text, "beta", "b00t")
		if err != nil {
			return
		}
		again, err := Decode(encoded(t, got), "beta", "b00t")
		if err != nil || !again.Memory.Equal(got.Memory) {
			t.Errorf("%s\nis read as\n%+v\nand then as\n%+v, %v", text, got, again, err)
		}
	})
}
