package observe

import (
	"net/http"
	"sync/atomic"
)

// farAt is where the other end of what the daemon sends is: a collector of
// traces, and a webhook.
const (
	farAt     = "192.0.2.100:4318"
	webhookTo = "webhook hook http://" + farAt + "/hook"
	deafTo    = "webhook deaf http://" + farAt + "/deaf"
)

// A far is a server that takes what it is sent, refuses it, or never answers.
type far struct {
	takes, refuses string // paths
	asked          atomic.Int64
}

// far listens in the client's network until the test ends.
func (s *site) far(f *far) *far {
	s.t.Helper()
	listener, err := s.lab.Client().Listen(s.t.Context(), "tcp", farAt)
	must(s.t, err)
	s.serve(listener, f)
	return f
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	switch r.URL.Path {
	case f.takes:
	case f.refuses:
		http.Error(w, "no", http.StatusBadRequest)
	default:
		<-r.Context().Done() // its client gives up first, or the test ends
	}
}
