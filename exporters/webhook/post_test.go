package webhook

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func postsOf(n, size int) []post {
	var posts []post
	for i := range n {
		posts = append(posts, post{ID: fmt.Sprint("beta-", i), Kind: "link.up", Body: json.RawMessage(`{"a":"` + strings.Repeat("x", size) + `"}`)})
	}
	return posts
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name        string
		posts, size int
		kept        int
	}{
		{"nothing", 0, 0, 0},
		{"as many as there may be", keptMost, 100, keptMost},
		{"of one more the oldest is left out", keptMost + 1, 100, keptMost},
		{"so it is of those that are too long together", 12, keptBytes / 10, 9},
		{"one that is too long alone is not kept", 1, keptBytes, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			posts, size := postsOf(tt.posts, tt.size), 0
			var got []post
			for _, line := range lines(posts) {
				p, err := decode(line)
				if err != nil {
					t.Fatal(err)
				}
				got, size = append(got, p), size+len(line)+1
			}
			if want := posts[tt.posts-tt.kept:]; len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) || size > keptBytes {
				t.Errorf("%d posts in %d bytes are kept, from %v; want the newest %d", len(got), size, got[:min(1, len(got))], tt.kept)
			}
		})
	}
}

func TestALineThatIsNotOurs(t *testing.T) {
	for _, tt := range []struct{ name, line, err string }{
		{"a line that ends early", `{"id":"bet`, "unexpected end"},
		{"an empty line", "", "unexpected end"},
		{"an id that would be another header", `{"id":"x\r\nHost: evil","body":{}}`, "no id of ours"},
		{"no id", `{"body":{}}`, "no id of ours"},
		{"a long id", `{"id":"` + strings.Repeat("a", 301) + `","body":{}}`, "no id of ours"},
		{"no body", `{"id":"beta-1"}`, "is no event"},
		{"a body that is no object", `{"id":"beta-1","body":null}`, "is no event"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if p, err := decode([]byte(tt.line)); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v, %v; want %q", p, err, tt.err)
			}
		})
	}
	s := &sender{}
	for i := range keptMost + 2 {
		err := s.restore([]byte(`{"id":"beta-1","body":{}}`))
		if (err == nil) != (i < keptMost) {
			t.Fatalf("line %d: %v", i, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(lines(postsOf(1, 10))[0])
	f.Add([]byte(`{"id":"a","kind":"\u0000","body":{"a":"<b>"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		p, err := decode(line)
		if err != nil || len(line) > keptBytes/10 {
			return
		}
		if !json.Valid(p.Body) || strings.ContainsAny(p.ID, "\r\n. ") {
			t.Fatalf("a post of %q: %s", p.ID, p.Body)
		}
		again := lines([]post{p})
		if len(again) != 1 {
			t.Fatalf("%d lines", len(again))
		}
		if q, err := decode(again[0]); err != nil || q.ID != p.ID {
			t.Fatalf("written and not read: %v, %v", q, err)
		}
	})
}
