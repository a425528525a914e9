package failover

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/test/browser"
	"github.com/systole-ha/systole/test/lab"
)

var pictures = flag.Bool("pictures", false, "take the pictures of docs/pictures and what systole top's is drawn from")

// owner is the cell of the page that says who holds the first group.
const owner = `document.querySelector('#groups td.owner').innerText`

// TestWebPage looks at beta's page with a browser while alpha loses its power,
// and then at what else is promised of the page and of systole top.
func TestWebPage(t *testing.T) {
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0 nginx\nbeta IPaddr::192.0.2.60/24/eth0", "auto_failback off"))
	p.eachNginx(false)
	p.started(virtual)
	url := fmt.Sprintf("http://%s:9694/", p.beta.Host(lab.Service))
	b, err := browser.Start(t.TempDir(), p.lab.Client().Entry("env")...)
	must(t, err)
	t.Cleanup(func() {
		if said := b.Close(); t.Failed() {
			t.Logf("the browser said:\n%s", said)
		}
	})
	page, err := b.Open(soon(t))
	must(t, err)
	must(t, page.Size(soon(t), 1000, 1160))
	must(t, page.Go(soon(t), url))
	must(t, page.Await(soon(t), owner, "alpha"))
	must(t, page.Await(soon(t), `document.getElementById('live').innerText`, "live"))
	_, err = page.Eval(soon(t), `window.here = true`) // as long as nobody loads the page again
	must(t, err)

	if *pictures {
		p.live()
	}
	off := p.powerOff(p.alpha)
	must(t, page.Await(soon(t), owner, "beta"))
	t.Logf("the page showed the new owner %v after the power cut", round(time.Since(off)))
	must(t, page.Await(soon(t), `document.querySelector('#takeovers h3').innerText.includes('alpha died: 1 group in')`, "true"))
	must(t, page.Await(soon(t), `[...document.querySelectorAll('#takeovers article:first-of-type th[scope=row]')].some(th => th.innerText === 'services')`, "true"))
	must(t, page.Await(soon(t), `document.querySelector('#notices').innerText.includes('alpha is dead')`, "true"))
	must(t, page.Await(soon(t), `window.here`, "true"))
	p.takePictures(page)

	t.Run("it is readable on a phone", func(t *testing.T) {
		must(t, page.Size(soon(t), 360, 740))
		must(t, page.Await(soon(t), `document.documentElement.scrollWidth`, "360"))
		must(t, page.Size(soon(t), 1000, 1160))
	})
	t.Run("it is dark for who likes it dark", func(t *testing.T) {
		const back = `getComputedStyle(document.body).backgroundColor`
		must(t, page.Await(soon(t), back, "rgb(255, 255, 255)"))
		dark := []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}
		must(t, page.Do(soon(t), "Emulation.setEmulatedMedia", map[string]any{"features": dark}))
		must(t, page.Await(soon(t), back, "rgb(17, 20, 23)"))
	})
	if got := page.Complaints(); len(got) > 0 {
		t.Errorf("the browser has this against the page:\n%s", strings.Join(got, "\n"))
	}
	t.Run("it goes on when the daemon does", func(t *testing.T) {
		must(t, p.beta.Stop(soon(t), "systole"))
		must(t, page.Await(soon(t), `document.getElementById('live').innerText.startsWith('no answer since')`, "true"))
		must(t, p.beta.Start(soon(t), "systole"))
		must(t, page.Await(soon(t), `document.getElementById('live').innerText`, "live"))
		must(t, page.Await(soon(t), `window.here`, "true"))
	})
	t.Run("it needs no script", func(t *testing.T) {
		must(t, page.Do(soon(t), "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}))
		must(t, page.Go(soon(t), url))
		must(t, page.Await(soon(t), `document.getElementById('live').innerText`, "reloads every 5 seconds"))
		loaded, err := page.Eval(soon(t), `performance.timeOrigin`)
		must(t, err)
		must(t, page.Await(soon(t), fmt.Sprintf(`performance.timeOrigin > %s`, loaded), "true"))
		must(t, page.Await(soon(t), owner, "beta"))
	})
	t.Run("systole top costs the daemon little", p.topIsCheap)
}

// live gives the pictures something to show: some minutes of lost packets, of a
// peer that stood still, and a planned move.
func (p *pair) live() {
	p.t.Helper()
	must(p.t, p.alpha.Lose(lab.Private, lab.Both, .02))
	for _, still := range []time.Duration{150 * time.Millisecond, 250 * time.Millisecond, 330 * time.Millisecond, 100 * time.Millisecond} {
		p.run(p.beta, "sleep", "15")
		p.run(p.beta, "sleep", "15")
		must(p.t, p.alpha.Freeze())
		p.run(p.beta, "sleep", fmt.Sprint(still.Seconds()))
		must(p.t, p.alpha.Thaw())
	}
	p.run(p.alpha, "hb_standby", "--wait", "local")
	p.run(p.alpha, "hb_takeover", "--wait", "local")
	p.run(p.beta, "sleep", "15")
}

// takePictures takes what the documentation shows, if told to, and in any case
// sees that there is something on the picture.
func (p *pair) takePictures(page *browser.Page) {
	p.t.Helper()
	taken, err := page.Screenshot(soon(p.t))
	must(p.t, err)
	drawn, err := png.Decode(bytes.NewReader(taken))
	must(p.t, err)
	if size := drawn.Bounds().Size(); size.X != 1000 || size.Y != 1160 {
		p.t.Errorf("the picture is of %v", size)
	}
	if !*pictures {
		return
	}
	must(p.t, os.MkdirAll("../../docs/pictures", 0o755))
	must(p.t, os.WriteFile("../../docs/pictures/web.png", taken, 0o644))
	recording := struct {
		Status control.Status
		Events []control.Event
	}{Status: p.status(p.beta)}
	for line := range strings.Lines(p.run(p.beta, "systole", "events", "--severity", "notice", "--json")) {
		var e control.Event
		must(p.t, json.Unmarshal([]byte(line), &e))
		recording.Events = append(recording.Events, e)
	}
	text, err := json.MarshalIndent(recording, "", "\t")
	must(p.t, err)
	must(p.t, os.WriteFile("../../cmd/systole/testdata/top_picture.json", append(text, '\n'), 0o644))
}

// topIsCheap compares what the daemon spends with nobody looking and with
// somebody, over so many seconds each.
func (p *pair) topIsCheap(t *testing.T) {
	const seconds = 5
	spent := func() time.Duration {
		before := p.cpu(p.beta)
		p.run(p.beta, "sleep", strconv.Itoa(seconds))
		return (p.cpu(p.beta) - before) / seconds
	}
	alone := spent()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	top, err := p.beta.Command(ctx, "env", "TERM=xterm", "LC_ALL=C.UTF-8", "systole", "top")
	must(t, err)
	top.SysProcAttr = nil // a terminal makes a session of it
	terminal, err := pty.StartWithSize(top, &pty.Winsize{Cols: 120, Rows: 40})
	must(t, err)
	defer terminal.Close()
	shown := make(chan struct{})
	go func() {
		var text strings.Builder
		buffer := make([]byte, 1<<16)
		for told := false; ; {
			n, err := terminal.Read(buffer)
			if err != nil {
				return
			}
			text.Write(buffer[:n])
			if !told && strings.Contains(text.String(), "node beta is") {
				told = true
				close(shown)
			}
		}
	}()
	select {
	case <-shown:
	case <-soon(t).Done():
		t.Fatal("systole top shows nothing")
	}
	watched := spent()
	_, err = terminal.WriteString("q")
	must(t, err)
	if err := top.Wait(); err != nil {
		t.Errorf("systole top ends with %v", err)
	}
	t.Logf("the daemon spends %v a second alone, %v with systole top", alone, watched)
	if watched > alone+20*time.Millisecond {
		t.Errorf("systole top costs the daemon %v a second, want 20 ms at most", watched-alone)
	}
}

// cpu is what a node's daemon has spent so far.
func (p *pair) cpu(n *lab.Node) time.Duration {
	p.t.Helper()
	text := p.run(n, "systemctl", "show", "--property=CPUUsageNSec", "--value", "systole")
	spent, err := strconv.ParseInt(text, 10, 64)
	must(p.t, err)
	return time.Duration(spent)
}
