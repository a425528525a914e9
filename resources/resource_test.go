package resources

import (
	"errors"
	"reflect"
	"testing"
)

func TestParseSpec(t *testing.T) {
	tests := []struct {
		name, word string
		want       Spec
		text       string // of the Spec; the word itself where empty
	}{
		{name: "a word is a name", word: "nginx", want: Spec{Name: "nginx"}},
		{name: "arguments follow the name", word: "IPaddr::192.0.2.10/24/eth0", want: Spec{Name: "IPaddr", Args: []string{"192.0.2.10/24/eth0"}}},
		{name: "several arguments keep their order", word: "Filesystem::/dev/sda1::/srv::ext4", want: Spec{Name: "Filesystem", Args: []string{"/dev/sda1", "/srv", "ext4"}}},
		{name: "an argument may be empty", word: "a::::b", want: Spec{Name: "a", Args: []string{"", "b"}}},
		{name: "a bare address stands for IPaddr", word: "192.0.2.10", want: Spec{Name: "IPaddr", Args: []string{"192.0.2.10"}}, text: "IPaddr::192.0.2.10"},
		{name: "and so with what follows it", word: "192.0.2.10/24/eth0", want: Spec{Name: "IPaddr", Args: []string{"192.0.2.10/24/eth0"}}, text: "IPaddr::192.0.2.10/24/eth0"},
		{name: "three numbers are no address", word: "192.0.2", want: Spec{Name: "192.0.2"}},
		{name: "a name may begin with a digit", word: "389ds", want: Spec{Name: "389ds"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseSpec(tt.word)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("ParseSpec(%q) = %+v, %v\nwant %+v", tt.word, got, err, tt.want)
			}
			text := tt.text
			if text == "" {
				text = tt.word
			}
			if got.String() != text {
				t.Errorf("String() = %q, want %q", got, text)
			}
		})
	}
	for _, word := range []string{"", "::192.0.2.10"} {
		if got, err := ParseSpec(word); !errors.Is(err, ErrSpec) {
			t.Errorf("ParseSpec(%q) = %+v, %v, want ErrSpec", word, got, err)
		}
	}
}

func TestErrorNamesTheResource(t *testing.T) {
	cause := errors.New("no such device")
	err := error(&Error{Op: "start", Spec: Spec{Name: "IPaddr", Args: []string{"192.0.2.10"}}, Err: cause})
	if got, want := err.Error(), "start IPaddr::192.0.2.10: no such device"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}
