package observe

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// receivers are those of the shipped routes.
var receivers = []string{"pager", "tickets", "notices", "watcher"}

// An inbox is where Alertmanager's notifications arrive.
type inbox struct {
	address string
	mutex   sync.Mutex
	all     []notification
}

// A notification is one message to one receiver.
type notification struct {
	at       time.Time
	receiver string
	Status   string
	Alerts   []alert
}

type alert struct {
	Status              string
	Labels, Annotations map[string]string
}

// inbox listens in the client's network until the test ends.
func (s *site) inbox() *inbox {
	s.t.Helper()
	listener, err := s.lab.Client().Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	must(s.t, err)
	in := &inbox{address: listener.Addr().String()}
	s.serve(listener, in)
	return in
}

// serve serves HTTP until the test ends.
func (s *site) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // until it is closed
	}()
	s.t.Cleanup(func() {
		server.Close()
		<-done
	})
}

func (in *inbox) url(receiver string) string { return "http://" + in.address + "/" + receiver }

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := notification{at: time.Now(), receiver: path.Base(r.URL.Path)}
	if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	in.mutex.Lock()
	defer in.mutex.Unlock()
	in.all = append(in.all, n)
}

// to are the notifications to a receiver since an instant.
func (in *inbox) to(receiver string, since time.Time) (got []notification) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	for _, n := range in.all {
		if n.receiver == receiver && !n.at.Before(since) {
			got = append(got, n)
		}
	}
	return got
}

// firing are the names of the alerts that a notification says are firing.
func (n notification) firing() (names []string) {
	for _, a := range n.Alerts {
		if a.Status == "firing" {
			names = append(names, a.Labels["alertname"])
		}
	}
	slices.Sort(names)
	return names
}

func (n notification) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s: %s", n.at.Format("15:04:05.000"), n.receiver, n.Status)
	for _, a := range n.Alerts {
		fmt.Fprintf(&b, "\n  %s %s %s\n    %s\n    %s", a.Status, a.Labels["alertname"], a.Labels["node"], a.Annotations["summary"], a.Annotations["description"])
	}
	return b.String()
}
