package keepalived

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// outline is statements as one line: words in brackets, blocks in braces.
func outline(all []statement) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%q", s.words)
		if s.open {
			fmt.Fprintf(&b, "{%s}", outline(s.block))
		}
	}
	return b.String()
}

func parsed(text, id string, more fstest.MapFS) (string, []problem) {
	if more == nil {
		more = fstest.MapFS{}
	}
	more["etc/keepalived/k.conf"] = &fstest.MapFile{Data: []byte(text)}
	s := &source{fsys: more, id: id, values: map[string]string{}}
	if err := s.read("etc/keepalived/k.conf", "k.conf"); err != nil {
		panic(err)
	}
	all := parse(s)
	return outline(all), s.problems
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		problems         []string
	}{
		{"a comment ends with its line", "a b # c\nd ! e\n", `["a" "b"]["d"]`, nil},
		{"quotes protect what begins a comment", `a "b # c" d`, `["a" "b # c" "d"]`, nil},
		{"and so does a backslash", `a \# b`, `["a" "#" "b"]`, nil},
		{"quotes within a word go", `abcd" efg h jkl "mnop`, `["abcd efg h jkl mnop"]`, nil},
		{"single ones keep double ones", `script 'sh -c "a b"'`, `["script" "sh -c \"a b\""]`, nil},
		{"a brace may stand on the next line", "a b\n{\nc\n}\nd", `["a" "b"]{["c"]}["d"]`, nil},
		{"or without a blank", "a{\nb\n}", `["a"]{["b"]}`, nil},
		{"or all in one line", "a { b c } d", `["a"]{["b" "c"]}["d"]`, nil},
		{"a quoted one is none", "a '{' b", `["a" "{" "b"]`, nil},
		{"an empty block is a block", "a {\n}\n", `["a"]{}`, nil},
		{"a line is joined to one that ends in a backslash", "a \\\n b\nc", `["a" "b"]["c"]`, nil},
		{"carriage returns are blanks", "a b\r\nc\r\n", `["a" "b"]["c"]`, nil},
		{"a line for this node counts", "@alpha a\n@beta b\n@^alpha c\n@^beta d\n@alpha\te", `["a"]["d"]["e"]`, nil},
		{"a parameter is put in before a blank or the end, or in braces", "$A=1\na $A $A.b ${A}c", `["a" "1" "$A.b" "1c"]`, nil},
		{"one without a value stays", "a $B ${B}", `["a" "$B" "${B}"]`, nil},
		{"a value is as it is when it is used", "$A=x${B}\n$B=1\na $A\n$B=2\na $A", `["a" "x1"]["a" "x2"]`, nil},
		{"several lines of a value are taken in turn", "$A= \\\n$N=1 \\\nb $N \\\n$N=2 \\\nb $N\n$A\n", `["b" "1"]["b" "2"]`, nil},
		{"a condition may be a value", "$M=@alpha\n$M a\n$M=@beta\n$M b", `["a"]`, nil},
		{"the instance is this node", "a ${_INSTANCE}", `["a" "alpha"]`, nil},
		{"a sequence", "~SEQ(N, 8, 10) a$N ${N}", `["a8" "8"]["a9" "9"]["a10" "10"]`, nil},
		{"a sequence with a step, in hexadecimal", "~SEQx(N, 0x90, 0x10, 0xb0) ${N}:1", `["90:1"]["a0:1"]["b0:1"]`, nil},
		{"a sequence downwards from nowhere", "~SEQ(N, -3) ${N}", `["-1"]["-2"]["-3"]`, nil},
		{"a list", "~LST(N, a, b) ${N}", `["a"]["b"]`, nil},
		{"a list of pairs in a sequence", "~LST({N, M}, {1,2},{3,4}) ~SEQ(K, 2) ${N}${M}${K}", `["121"]["122"]["341"]["342"]`, nil},
		{"a sequence that goes nowhere", "~SEQ(N, 1, 0, 5) a", ``, []string{"~SEQ(N, 1, 0, 5) not understood"}},
		{"a sequence without its values", "~SEQ a", ``, []string{"~SEQ a without its values in parentheses"}},
		{"a brace that closes nothing", "a }\nb", `["a"]["b"]`, []string{"a } that closes nothing"}},
		{"a brace that is never closed", "a {\nb {\nc", `["a"]{["b"]{["c"]}}`, []string{"the file ends before a } that closes what was opened"}},
		{"a brace without a word", "{ a }", `["{"]{["a"]}`, []string{"a { without a word before it"}},
		{"a parameter of itself", "$A=${A}x\na $A", ``, []string{"parameters that never end"}},
		{"a file that is not there", "include no.conf\na", `["a"]`, []string{"include no.conf: no such file"}},
		{"a file that includes itself", "include k.conf\n", ``, []string{"files that include each other"}},
		{"files beside it", "include conf.d/*.conf\nz", `["x" "/etc/keepalived/conf.d"]["y"]["z"]`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := parsed(tt.text, "alpha", fstest.MapFS{
				"etc/keepalived/conf.d/1.conf": {Data: []byte("x ${_PWD}\n")}, "etc/keepalived/conf.d/2.conf": {Data: []byte("y")}, "etc/keepalived/conf.d/3": {Data: []byte("z")}})
			if got != tt.want {
				t.Errorf("read\n got %s\nwant %s", got, tt.want)
			}
			var texts []string
			for _, p := range problems {
				texts = append(texts, p.text)
			}
			if !slices.Equal(texts, tt.problems) {
				t.Errorf("problems\n got %q\nwant %q", texts, tt.problems)
			}
		})
	}
}

// TestMaliceTakesNoTime gives the reader what would grow without end.
func TestMaliceTakesNoTime(t *testing.T) {
	for name, text := range map[string]string{
		"a billion of nothing": "~SEQ(A,1,50000) ~SEQ(B,1,50000) @other x",
		"a billion lines":      "~SEQ(A,1,50000) ~SEQ(B,1,50000) x",
		"a billion laughs":     "$A=ha\n" + doubled() + "a $Z\n",
		"braces":               strings.Repeat("a {\n", 100_000),
		"a long line":          "a " + strings.Repeat("b ", 1<<18),
		"one of many":          strings.Repeat("a \\\n", 100_000),
	} {
		began := time.Now()
		parsed(text, "alpha", nil)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// doubled defines B as two A, C as two B and so on to Z.
func doubled() string {
	var b strings.Builder
	for c := 'B'; c <= 'Z'; c++ {
		fmt.Fprintf(&b, "$%c=${%c}${%c}\n", c, c-1, c-1)
	}
	return b.String()
}

func FuzzConvert(f *testing.F) {
	f.Add("vrrp_instance A {\n interface eth0\n virtual_ipaddress {\n 192.0.2.1/24 dev eth0 label eth0:1\n }\n unicast_peer { 192.0.2.2 }\n}\n")
	f.Add("$A= \\\nb ${C} \\\n}\n~SEQ(N,1,3) a$N {\n@alpha c '\"{' \\\n")
	f.Add("vrrp_sync_group G { A B }\nvrrp_script s { script \"ping -c1 192.0.2.9\" }\nvrrp_instance A { track_script { s } notify_master 'systemctl start x' }")
	f.Fuzz(func(t *testing.T, text string) {
		root := fstest.MapFS{"k.conf": {Data: []byte(text)}}
		plan, err := Convert(Options{Root: root, File: "/k.conf", Node: "alpha", Peer: "beta", To: "/etc/systole", Random: zeros{}})
		if err != nil || plan.Blocked() {
			return
		}
		runs(t, plan)
	})
}
