package takeover

import "strings"

// traceOf is the id of the trace that a move belongs to: the incident's, that
// of the conversation it is part of, or one of its own.
func (t *Takeover) traceOf(trigger string) string {
	trace := ""
	switch {
	case t.resumed != "":
		trace = t.resumed
	case trigger == peerDead || trigger == byYield:
		trace = t.incident
	case trigger == byLapse: // the peer's takeover, if there was one
		if t.incident == "" {
			t.incident = t.cfg.Incident()
		}
		trace = t.incident
	case trigger == atStart:
		trace = t.joinTrace
	case trigger == peerLeft:
		trace = t.peer.trace
	case trigger == byShutdown:
		trace = t.leavingTrace
	case t.swap != nil && trigger == t.swap.trigger:
		trace = t.swap.trace
	}
	if trace == "" {
		trace = t.cfg.NewTrace()
	}
	return trace
}

// trace is that of the newest move of g; empty before there was one.
func (g *group) trace() string {
	if g.move == nil {
		return ""
	}
	return g.move.trace
}

// SetJoin says what trace our joining is, and with it all that is started at it.
func (t *Takeover) SetJoin(trace string) { t.joinTrace = trace }

// SetIncident says what trace the peer's death belongs to.
func (t *Takeover) SetIncident(trace string) { t.incident = trace }

// trace is what the peer is told, so that its part of a standby, or of our
// leaving, joins ours.
func (t *Takeover) trace() string {
	if t.swap != nil {
		return t.swap.trace
	}
	return t.leavingTrace
}

// ValidTrace accepts what a peer says is the id of a trace: 32 hex digits, not
// all of them 0 (W3C Trace Context).
func ValidTrace(b []byte) string {
	if len(b) != 32 || strings.Trim(string(b), "0") == "" || strings.Trim(string(b), "0123456789abcdef") != "" {
		return ""
	}
	return string(b)
}
