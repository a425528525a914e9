// Package alerts holds the rules, routes and examples of this folder to what
// they promise, with the programs that will read them: promtool and Prometheus,
// amtool and Alertmanager.
package alerts

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// packages are Debian's, by the programs they bring.
var packages = map[string]string{
	"promtool": "prometheus", "prometheus": "prometheus",
	"amtool": "prometheus-alertmanager", "prometheus-alertmanager": "prometheus-alertmanager",
}

// tool finds a program. That it is missing is no reason to skip: what these
// tests show would then be shown by nobody.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed: apt-get install %s", name, packages[name])
	}
	return path
}

// try runs a program to its end and returns all it said.
func try(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), tool(t, name), args...).CombinedOutput()
	return string(out), err
}

// listening is how both servers tell the port that they were given for 0.
var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// serve runs a server on loopback until the test ends and returns its address
// as a URL. Among args is the flag that makes it listen on 127.0.0.1:0.
func serve(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, name), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log string
	address, drained := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(drained)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			log += lines.Text() + "\n"
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
	}()
	t.Cleanup(func() { // the test's context has ended it
		<-drained
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, log)
		}
	})
	select {
	case a := <-address:
		return "http://" + a
	case <-drained:
		t.Fatalf("%s ended:\n%s", name, log)
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not listen", name)
	}
	return ""
}

// eventually asks until there is no error, for half a minute: servers scrape,
// evaluate and notify in their own time.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// get reads the JSON at url into v.
func get(url string, v any) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(v)
}
