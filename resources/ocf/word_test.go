package ocf

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		word string
		want Word
		err  string
	}{
		{"OCF::Dummy::one", Word{Type: "Dummy", Instance: "one"}, ""},
		{"OCF::Dummy", Word{Type: "Dummy"}, ""},
		{"OCF::heartbeat:Dummy::one", Word{Provider: "heartbeat", Type: "Dummy", Instance: "one"}, ""},
		{"OCF::Dummy::state=/run/a::fake=", Word{Type: "Dummy", Parameters: []Parameter{{"state", "/run/a"}, {"fake", ""}}}, ""},
		{"OCF::Dummy::one::state=a=b", Word{Type: "Dummy", Instance: "one", Parameters: []Parameter{{"state", "a=b"}}}, ""},
		{"ocf:heartbeat:IPaddr2::ip=192.0.2.1", Word{Provider: "heartbeat", Type: "IPaddr2", Parameters: []Parameter{{"ip", "192.0.2.1"}}}, ""},
		{"ocf:linbit:drbd-0.9", Word{Provider: "linbit", Type: "drbd-0.9"}, ""},
		{"ocf:Dummy", Word{Type: "Dummy"}, ""},
		{"OCF", Word{}, "write OCF::type::instance"},
		{"OCF::", Word{}, `"" is no name of an agent`},
		{"OCF::../Dummy", Word{}, `"../Dummy" is no name of an agent`},
		{"OCF::a:b:c", Word{}, `"b:c" is no name of an agent`},
		{"ocf:.hidden:Dummy", Word{}, `".hidden" is no name of a provider`},
		{"OCF::Dummy::../../x", Word{}, `"../../x" is no parameter`},
		{"OCF::Dummy::a=1::one", Word{}, `"one" is no parameter`},
		{"OCF::Dummy::a-b=1", Word{}, `"a-b" is no name of a parameter`},
		{"OCF::Dummy::=1", Word{}, `"" is no name of a parameter`},
	} {
		s, err := resources.ParseSpec(tt.word)
		if err != nil {
			t.Fatal(err)
		}
		if !Is(s) {
			t.Errorf("%s is no OCF agent", tt.word)
		}
		got, err := Parse(s)
		if !reflect.DeepEqual(got, tt.want) || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("Parse(%s):\n got %+v, %v\nwant %+v, %v", tt.word, got, err, tt.want, tt.err)
		}
		if err != nil && !errors.Is(err, ErrWord) {
			t.Errorf("%v is no ErrWord", err)
		}
	}
	if Is(resources.Spec{Name: "ocfs2"}) {
		t.Error("ocfs2 is an OCF agent")
	}
}

// TestInstanceName is a name of a file, and another one for other parameters.
func TestInstanceName(t *testing.T) {
	for _, tt := range []struct{ word, want string }{
		{"OCF::Dummy", "Dummy"},
		{"OCF::Dummy::one", "one"},
		{"OCF::Dummy::state=one", "Dummy_one"},
		{"OCF::Dummy::state=/run/one", "Dummy__run_one_"},
		{"OCF::Dummy::state=_run_one", "Dummy__run_one"},
		{"OCF::Dummy::state=" + strings.Repeat("x", 300), "Dummy_" + strings.Repeat("x", 74) + "_"},
	} {
		s, err := resources.ParseSpec(tt.word)
		if err != nil {
			t.Fatal(err)
		}
		w, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		got := w.InstanceName()
		if sum := strings.TrimPrefix(got, tt.want); !strings.HasPrefix(got, tt.want) || len(sum) != 0 && len(sum) != 8 || !isName(got) {
			t.Errorf("%s has the name %q, want %q and perhaps a sum", tt.word, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, word := range []string{"OCF::Dummy::one", "ocf:heartbeat:Dummy::state=/run/a", "OCF::a:b::x=1::y=2", "OCF", "ocf:"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s, err := resources.ParseSpec(word)
		if err != nil || !Is(s) {
			return
		}
		w, err := Parse(s)
		if err != nil {
			return
		}
		// What becomes a path or a variable has nothing in it that leads elsewhere.
		for _, name := range []string{w.Type, w.InstanceName()} {
			if name == "" || strings.ContainsAny(name, "/\x00") || name[0] == '.' || len(name) > 300 && w.Instance == "" && name != w.Type {
				t.Errorf("%q has the name %q", word, name)
			}
		}
		for _, p := range w.Parameters {
			if p.Name == "" || strings.ContainsAny(p.Name, "=\x00 ") {
				t.Errorf("%q has the parameter %q", word, p.Name)
			}
		}
	})
}

func TestDecodeFile(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"values with quotes and without", "OCF_RESKEY_ip=192.0.2.1\nOCF_RESKEY_a='x $y'\n  export OCF_RESKEY_b=\"a b\" # why\n", []string{"OCF_RESKEY_ip=192.0.2.1", "OCF_RESKEY_a=x $y", "OCF_RESKEY_b=a b"}, ""},
		{"comments and empty lines", "# a\n\n \t# b\nA=1#2\nB=1 # 2\n", []string{"A=1#2", "B=1"}, ""},
		{"no value", "A=\nB=''\n", []string{"A=", "B="}, ""},
		{"nothing", "", nil, ""},
		{"a command", "A=$(hostname)\n", nil, "line 1 is not understood: A: only a shell"},
		{"a variable", "B=1\nA=\"$B\"\n", nil, "line 2"},
		{"a command of old", "A=`hostname`\n", nil, "only a shell"},
		{"two words", "A=1 B=2\n", nil, "only a shell"},
		{"a quote that goes on", "A='1\n2'\n", nil, "only a shell"},
		{"a statement", "if true; then\n", nil, "it is not NAME=value"},
		{"no name", "=1\n", nil, "it is not NAME=value"},
		{"a name that is none", "1A=1\n", nil, "it is not NAME=value"},
	} {
		got, err := DecodeFile(tt.text)
		if !reflect.DeepEqual(got, tt.want) || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s:\n got %q, %v\nwant %q, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

// FuzzDecodeFile writes what was read and reads it again.
func FuzzDecodeFile(f *testing.F) {
	for _, text := range []string{"A=1\n", "export B='a b' # c\n", "C=\"x\"", "# only\n", "D=$(x)\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		variables, err := DecodeFile(text)
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Errorf("%v is no ErrFile", err)
			}
			return
		}
		var again strings.Builder
		for _, v := range variables {
			name, value, both := strings.Cut(v, "=")
			if !both || !isVariable(name) || strings.ContainsAny(value, "\n\x00") {
				t.Fatalf("%q has the variable %q", text, v)
			}
			quote := "'"
			if strings.Contains(value, quote) {
				quote = `"`
			}
			again.WriteString(name + "=" + quote + value + quote + "\n")
		}
		if got, err := DecodeFile(again.String()); err != nil || !reflect.DeepEqual(got, variables) {
			t.Errorf("%q is read as %q, and again as %q, %v", text, variables, got, err)
		}
	})
}
