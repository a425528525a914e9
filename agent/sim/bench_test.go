package sim

import "testing"

// BenchmarkHistory plays the first histories of TestSeeds, one after the other.
func BenchmarkHistory(b *testing.B) {
	b.ReportAllocs()
	s := story{cluster: pair, faults: [][]fault{endings, cuts, requests, freezes, breakage}}
	for i := uint64(0); b.Loop(); i++ {
		if err := s.play(i%8+1, false); err != nil {
			b.Fatal(err)
		}
	}
}
