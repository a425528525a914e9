package control

import "time"

// An answer is the first line to a client: one of its members is there.
type answer struct {
	Protocol  int        `json:"protocol"`
	Status    *Status    `json:"status,omitempty"`
	Move      *Move      `json:"move,omitempty"`
	Parameter *parameter `json:"parameter,omitempty"`
	Events    *Events    `json:"events,omitempty"`
	Ready     *Ready     `json:"ready,omitempty"`
	Error     *Error     `json:"error,omitempty"`
}

// A Move is what became of a wish to move groups.
type Move struct {
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"` // of a refusal
}

type parameter struct {
	Known bool   `json:"known"`
	Value string `json:"value"`
}

// Events begins an event stream.
type Events struct {
	Generation uint64 `json:"generation"` // of the daemon: sequence numbers start again with it
	Oldest     uint64 `json:"oldest"`     // sequence number of the oldest event kept; 0 when there is none
	Newest     uint64 `json:"newest"`
}

// A line is one of an event stream, behind the first: one of its members is
// there.
type line struct {
	Event  *Event  `json:"event,omitempty"`
	Missed *Missed `json:"missed,omitempty"`
	Alive  bool    `json:"alive,omitempty"`
	End    bool    `json:"end,omitempty"`
}

// An Event is one record of the stream.
type Event struct {
	Sequence uint64         `json:"sequence"`
	Time     time.Time      `json:"time"`
	Cluster  string         `json:"cluster"`
	Node     string         `json:"node"`
	Kind     string         `json:"kind"`
	Severity string         `json:"severity"`
	Text     string         `json:"text"` // for people: kind key=value…
	Fields   map[string]any `json:"fields"`
}

// Missed says that events behind the reader's last one are gone.
type Missed struct {
	Count  uint64 `json:"count"`  // of any severity; 0 where it is not known how many
	Before uint64 `json:"before"` // sequence number of the first that is there
}

// An Error is a refusal by the server.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// The error codes.
const (
	BadRequest  = "bad_request"
	Busy        = "busy"
	TimedOut    = "timed_out"
	Unavailable = "unavailable"
)

func (e *Error) Error() string { return e.Message }

// Is makes a server that gave up waiting for its node look like one that was
// not waited for.
func (e *Error) Is(target error) bool { return e.Code == TimedOut && target == ErrTimeout }
