package metrics

import (
	"slices"
	"testing"

	"github.com/systole-ha/systole/exporters/internal/eventdoc"
)

func TestEveryTriggerIsPlannedOrNot(t *testing.T) {
	for _, trigger := range takeoverTriggers {
		if _, ok := isPlanned[trigger]; !ok && trigger != "start" {
			t.Errorf("%s is neither planned nor not", trigger)
		}
	}
}

// TestClosedSetsAreTheEvents holds each set of label values against the comment
// of the field that they are found in.
func TestClosedSetsAreTheEvents(t *testing.T) {
	structs, err := eventdoc.Read("../../agent/event")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		event, field string
		set          []string
		also         []string // what is raised besides, though the comment does not list it
	}{
		{"PeerStateChanged", "To", peerStates, nil},
		{"HoldChanged", "To", holds, nil},
		{"SendFailed", "Reason", sendErrors, nil},
		{"HeartbeatRejected", "Reason", rejections, nil},
		{"RetransmitRequested", "Direction", directions, nil},
		{"PeerIdentified", "Wire", wires, nil},
		{"SplitBrainSuspected", "Evidence", evidences, nil},
		{"TakeoverStarted", "Trigger", takeoverTriggers, []string{"failure"}},
		{"TakeoverCompleted", "Result", moveResults, nil},
		{"TakeoverPhase", "Phase", phases, nil},
		{"ReleaseStarted", "Trigger", releaseTriggers, []string{"takeover"}},
		{"ReleaseCompleted", "Result", moveResults, nil},
		{"ResourceOperation", "Operation", operationNames, nil},
		{"ResourceOperation", "Result", operationResults, nil},
		{"OperatorCommand", "Result", commandResults, nil},
	}
	for _, tt := range tests {
		i := slices.IndexFunc(structs[tt.event], func(f eventdoc.Field) bool { return f.Name == tt.field })
		if i < 0 {
			t.Errorf("%s has no field %s", tt.event, tt.field)
			continue
		}
		if want := append(eventdoc.Values(structs[tt.event][i].Comment), tt.also...); !slices.Equal(tt.set, want) {
			t.Errorf("%s.%s\n got %q\nwant %q, as its comment says", tt.event, tt.field, tt.set, want)
		}
	}
}
