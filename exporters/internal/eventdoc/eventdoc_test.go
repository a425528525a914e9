package eventdoc

import (
	"slices"
	"testing"
)

func TestRead(t *testing.T) {
	got, err := Read("testdata")
	if err != nil {
		t.Fatal(err)
	}
	want := []Field{
		{"Peer", "string", ""},
		{"Link", "string", ""},
		{"Silence", "time.Duration", "on all links"},
		{"From", "string", "a, b"},
		{"To", "string", "a, b"},
		{"Groups", "[]string", "said before the field"},
	}
	if !slices.Equal(got["Sample"], want) {
		t.Errorf("Sample\n got %+v\nwant %+v", got["Sample"], want)
	}
	if fields, ok := got["Empty"]; !ok || len(fields) != 0 {
		t.Errorf("Empty has %v", fields)
	}
	if _, err := Read("nowhere"); err == nil {
		t.Error("a directory without source is no error")
	}
}

func TestValues(t *testing.T) {
	for comment, want := range map[string][]string{
		"busy, no_route, other":                             {"busy", "no_route", "other"},
		"unknown, dead; of a ping node: ping, dead":         {"unknown", "dead"},
		`"sent" when we asked Peer, "received" when it did`: {"sent", "received"},
		`"systole" or "heartbeat3"`:                         {"systole", "heartbeat3"},
		"peer_claims":                                       {"peer_claims"},
	} {
		if got := Values(comment); !slices.Equal(got, want) {
			t.Errorf("Values(%q)\n got %q\nwant %q", comment, got, want)
		}
	}
}
