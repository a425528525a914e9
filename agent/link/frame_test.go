package link

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestFramer(t *testing.T) {
	long := ">>>\n" + strings.Repeat("x", maxFrame-len(">>>\n")-len("\n<<<\n")) + "\n<<<\n" // just not too long
	tests := []struct {
		name   string
		chunks []string
		want   []string
	}{
		{"a frame by itself", []string{">>>\na=1\n<<<\n"}, []string{">>>\na=1\n<<<\n"}},
		{"an empty frame", []string{">>>\n<<<\n"}, []string{">>>\n<<<\n"}},
		{"nothing", []string{"", ""}, nil},
		{"a frame in two pieces", []string{">>>\na=1\n<<", "<\n"}, []string{">>>\na=1\n<<<\n"}},
		{"a start in two pieces", []string{"noise>>", ">\na=1\n<<<\n"}, []string{">>>\na=1\n<<<\n"}},
		{"two frames at once", []string{">>>\n1\n<<<\n>>>\n2\n<<<\n"}, []string{">>>\n1\n<<<\n", ">>>\n2\n<<<\n"}},
		{"noise that does not end its line", []string{"\x00\xffzz>>>\n1\n<<<\n"}, []string{">>>\n1\n<<<\n"}},
		{"the second half of a frame, then a whole one", []string{"=x\n<<<\n>>>\n1\n<<<\n"}, []string{">>>\n1\n<<<\n"}},
		{
			"a frame without its end, then a whole one",
			[]string{">>>\nlost", "\n>>>\n1\n<<<\n"}, []string{"broken", ">>>\n1\n<<<\n"},
		},
		{"an end within a line is none", []string{">>>\na=<<<\n<<<\n"}, []string{">>>\na=<<<\n<<<\n"}},
		{"a start within a line of a frame is none", []string{">>>\na=>>>\n<<<\n"}, []string{">>>\na=>>>\n<<<\n"}},
		{"a frame of the greatest length", []string{long}, []string{long}},
		{
			"a frame one byte longer, then a whole one",
			[]string{">>>\nx" + long[4:] + ">>>\n1\n<<<\n"}, []string{"too long", ">>>\n1\n<<<\n"},
		},
		{
			"a start whose end is lost one byte too late, then a whole frame",
			[]string{">>>\n" + strings.Repeat("y", maxFrame-len(">>>\n\n>>>\n")+1), "\n>>>\n1\n<<<\n"}, []string{"too long", ">>>\n1\n<<<\n"},
		},
		{
			"a start whose end is lost just in time, then a whole frame",
			[]string{">>>\n" + strings.Repeat("y", maxFrame-len(">>>\n\n>>>\n")), "\n>>>\n1\n<<<\n"}, []string{"broken", ">>>\n1\n<<<\n"},
		},
		{
			"a start that never ends, then a whole frame",
			[]string{">>>\n" + strings.Repeat("y", 3*maxFrame), "\n>>>\n1\n<<<\n"}, []string{"too long", ">>>\n1\n<<<\n"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			whole := strings.Join(tt.chunks, "")
			if got := frames(tt.chunks); !slices.Equal(got, tt.want) {
				t.Errorf("frames\n got %.200q\nwant %.200q", got, tt.want)
			}
			for size := 1; size <= 8; size++ { // however the bytes are cut
				if got := frames(pieces(whole, size)); !slices.Equal(got, tt.want) {
					t.Errorf("in pieces of %d, frames\n got %.200q\nwant %.200q", size, got, tt.want)
				}
			}
		})
	}
}

// frames lists what a framer finds.
func frames(chunks []string) (all []string) {
	var f framer
	for _, chunk := range chunks {
		f.write([]byte(chunk))
		for what := frame; what != nothing; {
			var message []byte
			what, message = f.next()
			switch what {
			case frame:
				all = append(all, string(message))
			case broken:
				all = append(all, "broken")
			case tooLong:
				all = append(all, "too long")
			}
		}
	}
	return all
}

func pieces(s string, size int) (all []string) {
	for part := range slices.Chunk([]byte(s), size) {
		all = append(all, string(part))
	}
	return all
}

// Among any noise every whole frame is found, if the noise has no start in it
// that would swallow one, and what is kept stays bounded.
func TestFramerResynchronises(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "ab<\n\x00\xff"
	var f framer
	found := 0
	for i := range 2000 {
		noise := make([]byte, random.IntN(2000))
		for j := range noise {
			noise[j] = alphabet[random.IntN(len(alphabet))]
		}
		f.write(noise)
		f.write(fmt.Appendf(nil, ">>>\nseq=%d\n<<<\n", i))
		for what := frame; what != nothing; {
			var message []byte
			if what, message = f.next(); what == frame {
				if want := fmt.Sprintf(">>>\nseq=%d\n<<<\n", i); string(message) != want {
					t.Fatalf("found %q, want %q", message, want)
				}
				found++
			}
		}
		if f.behind() > maxFrame {
			t.Fatalf("%d bytes are kept, want %d at most", f.behind(), maxFrame)
		}
	}
	if found != 2000 {
		t.Errorf("found %d frames, want 2000", found)
	}
}

func FuzzFramer(f *testing.F) {
	f.Add([]byte(">>>\na=1\n<<<\n"), 3)
	f.Add([]byte("noise>>>\n>>>\n<<<\n<<<\n"), 1)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		size = 1 + (size&0xff)%64
		found := frames(pieces(string(data), size))
		if whole := frames([]string{string(data)}); !slices.Equal(found, whole) {
			t.Errorf("in pieces of %d found %q, at once %q", size, found, whole)
		}
		for _, message := range found {
			if message == "broken" || message == "too long" {
				continue
			}
			if !strings.HasPrefix(message, ">>>\n") || !strings.HasSuffix(message, "\n<<<\n") ||
				len(message) > maxFrame || strings.Contains(message, "\n>>>\n") {
				t.Errorf("%q is no frame", message)
			}
		}
	})
}
