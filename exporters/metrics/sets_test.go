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
	}{
		{"PeerStateChanged", "To", peerStates},
		{"HoldChanged", "To", holds},
		{"SendFailed", "Reason", sendErrors},
		{"HeartbeatRejected", "Reason", rejections},
		{"RetransmitRequested", "Direction", directions},
		{"PeerIdentified", "Wire", wires},
		{"SplitBrainSuspected", "Evidence", evidences},
		{"TakeoverStarted", "Trigger", takeoverTriggers},
		{"TakeoverCompleted", "Result", moveResults},
		{"TakeoverPhase", "Phase", phases},
		{"ReleaseStarted", "Trigger", releaseTriggers},
		{"OwnerChanged", "Cause", lossCauses},
		{"ReleaseCompleted", "Result", moveResults},
		{"ResourceOperation", "Operation", operationNames},
		{"ResourceOperation", "Result", operationResults},
		{"UnitStateChanged", "To", unitStates},
		{"OperatorCommand", "Result", commandResults},
		{"RecorderDumped", "Trigger", dumpTriggers},
		{"ReadinessChanged", "Check", readinessChecks},
		{"PermissionChanged", "To", permissions},
	}
	for _, tt := range tests {
		i := slices.IndexFunc(structs[tt.event], func(f eventdoc.Field) bool { return f.Name == tt.field })
		if i < 0 {
			t.Errorf("%s has no field %s", tt.event, tt.field)
			continue
		}
		if want := eventdoc.Values(structs[tt.event][i].Comment); !slices.Equal(tt.set, want) {
			t.Errorf("%s.%s\n got %q\nwant %q, as its comment says", tt.event, tt.field, tt.set, want)
		}
	}
}
