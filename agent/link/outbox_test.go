package link

import (
	"fmt"
	"slices"
	"testing"
)

func TestOutbox(t *testing.T) {
	status := func(seq int) string { return fmt.Sprintf(">>>\nt=status\nst=active\nseq=%x\nauth=1 0\n<<<\n", seq) }
	other := func(seq int) string { return fmt.Sprintf(">>>\nt=resource\nseq=%x\nauth=1 0\n<<<\n", seq) }
	sixteen := make([]string, maxWaiting)
	for i := range sixteen {
		sixteen[i] = other(i)
	}
	tests := []struct {
		name    string
		push    []string
		refused int // of these, from the end
		want    []string
	}{
		{name: "one heartbeat waits", push: []string{status(1)}, want: []string{status(1)}},
		{name: "the newest heartbeat overtakes the one that waits", push: []string{status(1), status(2)}, want: []string{status(2)}},
		{
			name: "a heartbeat goes behind what it was sent after",
			push: []string{status(1), other(2), status(3)}, want: []string{other(2), status(3)},
		},
		{
			name: "other messages wait in their order",
			push: []string{other(1), other(2), other(3)}, want: []string{other(1), other(2), other(3)},
		},
		{
			name: "a heartbeat sent again does not push out a newer one",
			push: []string{status(16), status(9)}, want: []string{status(16), status(9)},
		},
		{
			name: "sequence numbers are hexadecimal",
			push: []string{status(9), status(10)}, want: []string{status(10)},
		},
		{name: "the seventeenth message is refused", push: append(sixteen, other(99)), refused: 1, want: sixteen},
		{
			name: "a heartbeat is never refused",
			push: append(slices.Clone(sixteen), status(98), status(99)), want: append(slices.Clone(sixteen), status(99)),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOutbox()
			for round := range 2 { // the second time in buffers used before
				for i, packet := range tt.push {
					if got, want := o.push([]byte(packet)), i < len(tt.push)-tt.refused; got != want {
						t.Errorf("round %d: push of %q = %v, want %v", round, packet, got, want)
					}
				}
				var got []string
				for {
					packet, ok := o.pop(nil)
					if !ok {
						break
					}
					got = append(got, string(packet))
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("round %d: taken out\n got %q\nwant %q", round, got, tt.want)
				}
			}
		})
	}
}

func TestOutboxCostsNoAllocation(t *testing.T) {
	o := newOutbox()
	packet := []byte(">>>\nt=status\nseq=1f\n<<<\n")
	var out []byte
	got := testing.AllocsPerRun(100, func() {
		o.push(packet)
		o.push(packet)
		out, _ = o.pop(out[:0])
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
