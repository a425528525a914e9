package webhook

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

func openKept(s *server, dir string, generation uint64, report func(string, uint64, error)) *Webhook {
	return New(Config{
		Cluster: "web", Node: "beta", BootID: "4f2a91c0", Generation: generation, Transport: s, StateDir: dir, Report: report,
		Endpoints: []Endpoint{{Name: "pager", URL: "http://192.0.2.9/"}},
	})
}

// abandon ends w in a second at most, whatever it has to say.
func abandon(w *Webhook) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return w.Close(ctx)
}

// keptIn is what is kept in a folder.
func keptIn(dir string) string {
	text, _ := os.ReadFile(filepath.Join(dir, "webhook-pager.jsonl"))
	return string(text)
}

// asItIs is the folder that a daemon finds which starts now.
func asItIs(t *testing.T, dir string) string {
	t.Helper()
	found := t.TempDir()
	if err := os.CopyFS(found, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return found
}

func (s *server) ids() []string {
	var ids []string
	for _, p := range s.seen() {
		ids = append(ids, strings.TrimPrefix(p.id, "beta-4f2a91c0-"))
	}
	return ids
}

func TestAKilledDaemonsEventsAreDeliveredByTheNext(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers []string
		killed  time.Duration // after the events
		want    []string      // generation and number of what the next one posts
	}{
		{"a receiver that refuses", []string{"refused"}, time.Minute, []string{"7-1", "7-2", "7-3", "8-1"}},
		{"a receiver that hangs, before the first post has failed", []string{"hangs"}, 1100 * time.Millisecond, []string{"7-1", "7-2", "7-3", "8-1"}},
		{"what was delivered is not told again", []string{"204", "refused"}, time.Minute, []string{"7-2", "7-3", "8-1"}},
		{"what was given up neither", []string{"204", "404", "refused"}, time.Minute, []string{"7-3", "8-1"}},
		{"all was delivered", []string{"204"}, time.Minute, []string{"8-1"}},
		{"a kill at once is the window that is left", []string{"refused"}, 900 * time.Millisecond, []string{"8-1"}},
		{"just delivered, it is told twice", []string{"503 Retry-After: 5", "204"}, 5900 * time.Millisecond, []string{"7-1", "7-2", "7-3", "8-1"}},
		{"delivered a while ago, it is not", []string{"503 Retry-After: 5", "204"}, 6100 * time.Millisecond, []string{"8-1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				old := openKept(&server{answers: tt.answers}, dir, 7, nil)
				tell(old, event.PeerDead{Peer: "alpha"}, event.LinkUp{}, event.LinkUp{})
				time.Sleep(tt.killed)
				left := asItIs(t, dir)
				s := &server{answers: []string{"204"}}
				next := openKept(s, left, 8, nil)
				tell(next, event.NodeStarted{})
				time.Sleep(2 * time.Second)
				if got := s.ids(); !slices.Equal(got, tt.want) {
					t.Errorf("the next daemon posts\n got %v\nwant %v", got, tt.want)
				}
				if kept := keptIn(left); kept != "" {
					t.Errorf("all is delivered and this is still kept: %s", kept)
				}
				end(t, next)
				abandon(old)
			})
		})
	}
}

func TestCloseKeepsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := openKept(&server{answers: []string{"hangs"}}, dir, 7, nil)
		tell(w, event.NodeStopping{}, event.NodeStopped{})
		if err := abandon(w); err == nil || !strings.Contains(err.Error(), "2 events were not delivered before the end, 2 of them are kept") || w.Dropped() != 0 {
			t.Errorf("Close = %v, %d are dropped", err, w.Dropped())
		}
		s := &server{answers: []string{"204"}}
		end(t, openKept(s, dir, 8, nil))
		if got := s.kinds(); !slices.Equal(got, []string{"node.stopping", "node.stopped"}) || keptIn(dir) != "" {
			t.Errorf("the next daemon posts %v and keeps %q", got, keptIn(dir))
		}
	})
}

// TestAnEndThatIsCutShortKeepsThemToo: a daemon that is restarted does not wait
// for receivers.
func TestAnEndThatIsCutShortKeepsThemToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := openKept(&server{answers: []string{"hangs"}}, dir, 7, nil)
		tell(w, event.NodeStopping{}, event.NodeStopped{})
		ended := make(chan error)
		go func() { ended <- abandon(w) }()
		synctest.Wait()
		if n := strings.Count(keptIn(dir), "\n"); n != 2 {
			t.Errorf("%d events are kept while the receiver hangs, want 2", n)
		}
		<-ended
	})
}

func TestWhatIsDeliveredAtOnceIsNeverKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := openKept(&server{answers: []string{"204"}}, dir, 7, nil)
		for range 100 {
			tell(w, event.LinkUp{})
			time.Sleep(70 * time.Millisecond) // of which a second is no multiple: none is told at the instant of a writing
			if kept := keptIn(dir); kept != "" {
				t.Fatalf("kept: %s", kept)
			}
		}
		end(t, w)
	})
}

func TestAFolderThatCannotBeWrittenCostsWhatItWouldKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := make(chan error, 10)
		s := &server{answers: []string{"refused", "204", "refused"}}
		w := openKept(s, filepath.Join(t.TempDir(), "nowhere"), 7, func(_ string, _ uint64, err error) { reports <- err })
		tell(w, event.PeerDead{}, event.LinkUp{})
		time.Sleep(90 * time.Second)
		if got := s.ids(); !slices.Equal(got[:3], []string{"7-1", "7-1", "7-2"}) {
			t.Errorf("posted: %v", got)
		}
		if err := abandon(w); err == nil || !strings.Contains(err.Error(), "0 of them are kept") || w.Dropped() != 1 {
			t.Errorf("Close = %v, %d are dropped", err, w.Dropped())
		}
		close(reports)
		var told []string
		for err := range reports {
			told = append(told, err.Error())
		}
		if !strings.Contains(strings.Join(told, "\n"), "not kept on disk: ") {
			t.Errorf("reported: %q", told)
		}
	})
}

func TestADamagedFileIsReadAsFarAsItCanBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		good := `{"id":"beta-4f2a91c0-6-9","kind":"link.up","body":{"type":"io.systole.link.up"}}` + "\n"
		if err := os.WriteFile(filepath.Join(dir, "webhook-pager.jsonl"), []byte("not JSON\n"+good+good[:20]), 0o600); err != nil {
			t.Fatal(err)
		}
		reports := make(chan error, 10)
		s := &server{answers: []string{"204"}}
		w := openKept(s, dir, 7, func(_ string, _ uint64, err error) { reports <- err })
		if err := <-reports; !strings.Contains(err.Error(), "webhook-pager.jsonl:") {
			t.Errorf("reported: %v", err)
		}
		end(t, w)
		if got := s.ids(); !slices.Equal(got, []string{"6-9"}) || keptIn(dir) != "" {
			t.Errorf("posted %v, left %q", got, keptIn(dir))
		}
	})
}
