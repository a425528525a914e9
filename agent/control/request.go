package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/systole-ha/systole/agent/event"
)

// protocol is the only version of the conversation so far.
const protocol = 1

// maxRequest bounds a request, newline included: ten times the longest there
// is.
const maxRequest = 4096

// The requests.
const (
	requestStatus    = "status"
	requestMove      = "move"
	requestParameter = "parameter"
	requestEvents    = "events"
	requestReady     = "ready"
	requestFence     = "fence"
)

// A request is one line from a client. Which members belong to which request
// is in the package's comment.
type request struct {
	Protocol int    `json:"protocol"`
	Request  string `json:"request"`
	Kind     string `json:"kind,omitempty"`
	Scope    string `json:"scope,omitempty"`
	Name     string `json:"name,omitempty"`
	Since    uint64 `json:"since,omitempty"`
	Follow   bool   `json:"follow,omitempty"`
	Severity string `json:"severity,omitempty"`
}

// decodeRequest reads one line. What it returns without an error can be
// fulfilled as it stands.
func decodeRequest(line []byte) (request, error) {
	var r request
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return request{}, fmt.Errorf("not a request: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return request{}, errors.New("not a request: more than one value in a line")
	}
	return r, r.check()
}

func (r request) check() error {
	if r.Protocol != protocol {
		return fmt.Errorf("protocol %d is not spoken here, %d is", r.Protocol, protocol)
	}
	allowed := request{Protocol: r.Protocol, Request: r.Request}
	switch r.Request {
	case requestStatus, requestReady:
	case requestMove:
		allowed.Kind, allowed.Scope = r.Kind, r.Scope
		if !slices.Contains([]string{"standby", "takeover"}, r.Kind) {
			return fmt.Errorf("kind %q of a move is neither standby nor takeover", r.Kind)
		}
		if !slices.Contains([]string{"all", "local", "foreign"}, r.Scope) {
			return fmt.Errorf("scope %q of a move is none of all, local and foreign", r.Scope)
		}
	case requestFence:
		allowed.Kind, allowed.Name = r.Kind, r.Name
		if !slices.Contains([]string{"fence", "confirm"}, r.Kind) {
			return fmt.Errorf("kind %q of fencing is neither fence nor confirm", r.Kind)
		}
		if r.Name == "" {
			return errors.New("a node to fence has a name")
		}
	case requestParameter:
		allowed.Name = r.Name
		if r.Name == "" {
			return errors.New("a parameter has a name")
		}
	case requestEvents:
		allowed.Since, allowed.Follow, allowed.Severity = r.Since, r.Follow, r.Severity
		if _, err := ParseSeverity(r.Severity); err != nil {
			return err
		}
	default:
		return fmt.Errorf("unknown request %q", r.Request)
	}
	if r != allowed {
		return fmt.Errorf("a request for %s has members that do not belong to it", r.Request)
	}
	return nil
}

// ParseSeverity reads the least severity of an event stream: info, notice,
// warning, error or critical; nothing means info, the least that is kept.
func ParseSeverity(s string) (event.Severity, error) {
	if s == "" {
		return event.Info, nil
	}
	for severity := event.Info; severity <= event.Critical; severity++ {
		if s == severity.String() {
			return severity, nil
		}
	}
	return 0, fmt.Errorf("severity %q is none of info, notice, warning, error and critical", s)
}
