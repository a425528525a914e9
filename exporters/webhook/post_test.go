package webhook

import (
	"bytes"
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
			posts := postsOf(tt.posts, tt.size)
			text, kept := encode(posts)
			got, err := decode(text)
			if err != nil || kept != tt.kept || len(text) > keptBytes {
				t.Fatalf("%d posts are kept in %d bytes (%v), want %d", kept, len(text), err, tt.kept)
			}
			if want := posts[tt.posts-tt.kept:]; len(got) != len(want) || kept > 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("read back are %d of them, from %v", len(got), got[:min(1, len(got))])
			}
		})
	}
}

func TestADamagedTextIsReadUpToTheDamage(t *testing.T) {
	const one = `{"id":"beta-1","kind":"link.up","body":{}}` + "\n"
	for _, tt := range []struct {
		name, text string
		posts      int
		err        string
	}{
		{"a line that ends early", one + `{"id":"bet`, 1, "unexpected end"},
		{"an empty line", one + "\n" + one, 1, "unexpected end"},
		{"an id that would be another header", `{"id":"x\r\nHost: evil","body":{}}`, 0, "no id of ours"},
		{"no id", `{"body":{}}`, 0, "no id of ours"},
		{"a long id", `{"id":"` + strings.Repeat("a", 301) + `","body":{}}`, 0, "no id of ours"},
		{"no body", `{"id":"beta-1"}`, 0, "is no event"},
		{"a body that is no object", `{"id":"beta-1","body":null}`, 0, "is no event"},
		{"more than are ever kept", strings.Repeat(one, keptMost+1), keptMost, "too many"},
		{"longer than is ever kept", strings.Repeat(" ", keptBytes+1), 0, "too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			posts, err := decode([]byte(tt.text))
			if len(posts) != tt.posts || err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%d posts, %v; want %d, %q", len(posts), err, tt.posts, tt.err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	text, _ := encode(postsOf(3, 10))
	f.Add(text)
	f.Add([]byte(`{"id":"a","kind":"\u0000","body":{"a":"<b>"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		posts, err := decode(text)
		again, kept := encode(posts)
		read, errAgain := decode(again)
		if len(posts) > keptMost || errAgain != nil || kept != len(read) || err == nil && len(text) < keptBytes/10 && kept != len(posts) {
			t.Fatalf("of %d posts (%v) %d are kept and %d read (%v)", len(posts), err, kept, len(read), errAgain)
		}
		for _, p := range posts {
			if !json.Valid(p.Body) || bytes.ContainsAny([]byte(p.ID), "\r\n. ") {
				t.Fatalf("a post of %q: %s", p.ID, p.Body)
			}
		}
	})
}
