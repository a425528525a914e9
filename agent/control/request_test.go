package control

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/event"
)

func TestDecodeRequest(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       request
		wrong      string // part of the error
	}{
		{
			name: "a status is asked for with nothing else",
			line: `{"protocol":1,"request":"status"}`,
			want: request{Protocol: 1, Request: "status"},
		},
		{
			name: "so is readiness",
			line: `{"protocol":1,"request":"ready"}`,
			want: request{Protocol: 1, Request: "ready"},
		},
		{
			name: "a move has a kind and a scope",
			line: `{"protocol":1,"request":"move","kind":"standby","scope":"foreign"}`,
			want: request{Protocol: 1, Request: "move", Kind: "standby", Scope: "foreign"},
		},
		{
			name: "a parameter has a name",
			line: `{"protocol":1,"request":"parameter","name":"deadtime"}`,
			want: request{Protocol: 1, Request: "parameter", Name: "deadtime"},
		},
		{
			name: "a stream may begin anywhere, go on for ever and leave things out",
			line: `{"protocol":1,"request":"events","since":18446744073709551615,"follow":true,"severity":"critical"}`,
			want: request{Protocol: 1, Request: "events", Since: 1<<64 - 1, Follow: true, Severity: "critical"},
		},
		{name: "a member that is not known is refused, for it might restrict the wish",
			line: `{"protocol":1,"request":"move","kind":"standby","scope":"all","group":"nginx"}`, wrong: `unknown field "group"`},
		{name: "a member of another request is refused", line: `{"protocol":1,"request":"status","scope":"all"}`, wrong: "do not belong"},
		{name: "another protocol is refused", line: `{"protocol":2,"request":"status"}`, wrong: "protocol 2 is not spoken"},
		{name: "no protocol is refused", line: `{"request":"status"}`, wrong: "protocol 0"},
		{name: "an unknown request is named", line: `{"protocol":1,"request":"reboot"}`, wrong: `unknown request "reboot"`},
		{name: "no request is refused", line: `{"protocol":1}`, wrong: `unknown request ""`},
		{name: "failback is not a scope: the commands translate it", line: `{"protocol":1,"request":"move","kind":"standby","scope":"failback"}`, wrong: `scope "failback"`},
		{name: "a move without a scope does not mean all", line: `{"protocol":1,"request":"move","kind":"standby"}`, wrong: `scope ""`},
		{name: "a move is standby or takeover", line: `{"protocol":1,"request":"move","kind":"stop","scope":"all"}`, wrong: `kind "stop"`},
		{name: "a parameter without a name is refused", line: `{"protocol":1,"request":"parameter"}`, wrong: "has a name"},
		{name: "samples are not kept, so not to be had", line: `{"protocol":1,"request":"events","severity":"sample"}`, wrong: `severity "sample"`},
		{name: "a number below zero is refused", line: `{"protocol":1,"request":"events","since":-1}`, wrong: "cannot unmarshal"},
		{name: "two requests in a line are refused", line: `{"protocol":1,"request":"status"}{}`, wrong: "more than one value"},
		{name: "text is not a request", line: "GET / HTTP/1.1\r", wrong: "not a request"},
		{name: "nothing is not a request", line: "", wrong: "not a request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeRequest([]byte(tt.line))
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("decodeRequest(%s) = %v, want an error with %q", tt.line, err, tt.wrong)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("decodeRequest(%s):\n got %+v, %v\nwant %+v", tt.line, got, err, tt.want)
			}
		})
	}
}

func TestParseSeverity(t *testing.T) {
	for word, want := range map[string]event.Severity{"": event.Info, "info": event.Info, "warning": event.Warning, "critical": event.Critical} {
		if got, err := ParseSeverity(word); got != want || err != nil {
			t.Errorf("ParseSeverity(%q) = %v, %v, want %v", word, got, err, want)
		}
	}
	for _, word := range []string{"sample", "Warning", "warn", "7"} {
		if _, err := ParseSeverity(word); err == nil {
			t.Errorf("ParseSeverity(%q) is no error", word)
		}
	}
}

// What is taken for a request says the same when it is written again, and has
// only the words that the server acts on.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"protocol":1,"request":"status"}`,
		`{"protocol":1,"request":"move","kind":"takeover","scope":"local"}`,
		`{"protocol":1,"request":"parameter","name":"\u0000"}`,
		`{"protocol":1,"request":"events","since":3,"follow":true,"severity":"error"}`,
		`{"PROTOCOL":1,"Request":"status"}`,
		`{"protocol":1e0,"request":"status"}`,
		`[]`, `null`, `{`, "\xff", strings.Repeat("[", 4000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := decodeRequest(line)
		if err != nil {
			return
		}
		switch r.Request {
		case requestStatus, requestMove, requestParameter, requestEvents:
		default:
			t.Errorf("%q is taken for a request for %q", line, r.Request)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeRequest(b)
		if err != nil || again != r {
			t.Errorf("%q\n   is %+v\nagain %+v, %v", line, r, again, err)
		}
	})
}
