package lab

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// answered is a question asked when it was due and answered 1 ms later.
func answered(seconds float64, who string) Sample {
	return Sample{Due: at(seconds), Asked: at(seconds), Done: at(seconds + 0.001), Who: who}
}

// unanswered is one given up after 100 ms.
func unanswered(seconds float64) Sample {
	return Sample{Due: at(seconds), Asked: at(seconds), Done: at(seconds + 0.1), Err: "timeout"}
}

func TestGaps(t *testing.T) {
	late := answered(2, "alpha")
	late.Asked, late.Done = at(2.5), at(2.501)
	tests := []struct {
		name    string
		samples []Sample
		want    []Gap // of 10 ms and more
	}{
		{name: "nothing asked, no gap"},
		{
			name:    "answers at once leave no gap",
			samples: []Sample{answered(1, "alpha"), answered(1.002, "alpha"), answered(1.004, "alpha")},
		},
		{
			name:    "a gap of exactly the length asked for counts",
			samples: []Sample{answered(1, "alpha"), answered(1.010, "alpha")},
			want:    []Gap{{span(1.001, 1.011), "alpha", "alpha", false, 0}},
		},
		{
			name:    "from the last answer of one to the first of another",
			samples: []Sample{answered(1, "alpha"), unanswered(1.2), unanswered(1.4), answered(1.6, "beta")},
			want:    []Gap{{span(1.001, 1.601), "alpha", "beta", false, 0}},
		},
		{
			name:    "an answer that overtook a time-out ends the gap when it came",
			samples: []Sample{answered(1, "alpha"), answered(1.05, "beta"), unanswered(1.01)},
			want:    []Gap{{span(1.001, 1.051), "alpha", "beta", false, 0}},
		},
		{
			name:    "a service that comes late is a gap from the first question",
			samples: []Sample{unanswered(1), answered(1.5, "alpha")},
			want:    []Gap{{span(1, 1.501), "", "alpha", false, 0}},
		},
		{
			name:    "a service that never comes back is an open gap to the last question",
			samples: []Sample{answered(1, "alpha"), unanswered(1.5), unanswered(2)},
			want:    []Gap{{span(1.001, 2), "alpha", "", true, 0}},
		},
		{
			name:    "one that never came at all, too",
			samples: []Sample{unanswered(1), unanswered(2)},
			want:    []Gap{{span(1, 2), "", "", true, 0}},
		},
		{
			name:    "the prober's own lateness is told with the gap",
			samples: []Sample{answered(1.999, "alpha"), late},
			want:    []Gap{{span(2, 2.501), "alpha", "alpha", false, 500 * time.Millisecond}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Result{Samples: tt.samples}
			if got := r.Gaps(10 * time.Millisecond); !slices.Equal(got, tt.want) {
				t.Errorf("Gaps:\n got %v\nwant %v", got, tt.want)
			}
		})
	}
}

func TestResult(t *testing.T) {
	late := answered(3, "beta")
	late.Asked = at(3.004)
	r := Result{Samples: []Sample{answered(1, "alpha"), answered(1.002, "alpha"), unanswered(2), late}}

	if got, want := r.Longest().Span, span(1.003, 3.001); got != want {
		t.Errorf("Longest: got %v, want %v", got, want)
	}
	if got, want := r.Answered(), 3; got != want {
		t.Errorf("Answered: got %d, want %d", got, want)
	}
	if got, want := r.Who(), map[string]int{"alpha": 2, "beta": 1}; !maps.Equal(got, want) {
		t.Errorf("Who: got %v, want %v", got, want)
	}
	if median, worst := r.Lateness(); median != 0 || worst != 4*time.Millisecond {
		t.Errorf("Lateness: got %v and %v, want 0s and 4ms", median, worst)
	}
}
