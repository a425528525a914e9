package agent_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/systole-ha/systole/"

// floors is the staircase of imports: a package may import only packages of
// floors below its own. A folder stands for the packages in it.
var floors = []struct {
	floor   int
	folders []string
}{
	{6, []string{"cmd"}},
	{5, []string{"agent"}},
	{4, []string{"agent/link", "agent/arbiter", "agent/control", "agent/watchdog", "agent/migrate"}},
	{3, []string{"agent/config", "agent/sim", "agent/replay", "agent/readiness", "agent/memory"}},
	{2, []string{"agent/core", "resources/filesystem"}},
	{1, []string{"agent/membership", "agent/takeover", "agent/permission", "agent/sequence", "exporters"}},
	{1, []string{"resources/delay", "resources/drbd", "resources/fence", "resources/ipaddr", "resources/mail", "resources/nstest", "resources/ocf", "resources/portblock", "resources/resourcetest", "resources/script", "resources/srcaddr", "resources/systemd"}},
	{0, []string{"agent/event", "agent/wire", "resources", "resources/mark", "resources/process"}},
}

// sees narrows what some folders may import of this module, to less than their
// floor allows.
var sees = map[string][]string{
	"exporters": {"agent/event", "exporters"},
	"resources": {"resources"},
}

// pure packages are handed the time and touch nothing.
var pure = []string{"agent/event", "agent/wire", "agent/membership", "agent/takeover", "agent/permission", "agent/sequence", "agent/core", "agent/sim", "agent/replay"}

// impure is what a pure package must not import, and clock what of package time
// it must not use.
var (
	impure = []string{"net", "net/http", "os", "os/exec", "os/signal", "syscall", "sync"}
	clock  = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
)

type goPackage struct {
	ImportPath string
	Dir        string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p goPackage
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func folder(importPath string) string { return strings.TrimPrefix(importPath, module) }

// floorOf finds the floor of the longest folder that the package is in; -1 for
// none.
func floorOf(pkg string) (floor int) {
	longest := ""
	floor = -1
	for _, f := range floors {
		for _, dir := range f.folders {
			if (pkg == dir || strings.HasPrefix(pkg, dir+"/")) && len(dir) > len(longest) {
				longest, floor = dir, f.floor
			}
		}
	}
	return floor
}

func TestImportsGoDownstairs(t *testing.T) {
	for _, p := range packages(t) {
		pkg := folder(p.ImportPath)
		if strings.HasPrefix(pkg, "test/") || !strings.Contains(p.ImportPath, module) {
			continue
		}
		floor := floorOf(pkg)
		if floor < 0 {
			if pkg != "dashboards" && pkg != "alerts" {
				t.Errorf("%s stands on no floor: add it to the list", pkg)
			}
			continue
		}
		for _, path := range p.Imports {
			other := folder(path)
			if !strings.HasPrefix(path, module) || sameHouse(pkg, other) {
				continue
			}
			if above := floorOf(other); above >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", pkg, floor, other, above)
			}
			for house, allowed := range sees {
				if strings.HasPrefix(pkg, house+"/") && !slices.ContainsFunc(allowed, func(a string) bool { return other == a || strings.HasPrefix(other, a+"/") }) {
					t.Errorf("%s imports %s, but %s sees only %v", pkg, other, house, allowed)
				}
			}
		}
	}
}

// sameHouse reports whether one package lies in the other's folder, or both
// are parts of one exporter or command.
func sameHouse(a, b string) bool {
	if a == b || strings.HasPrefix(a, b+"/") && floorOf(a) == floorOf(b) || strings.HasPrefix(b, a+"/") && floorOf(a) == floorOf(b) {
		return true
	}
	return strings.HasPrefix(a, "exporters/") && (strings.HasPrefix(b, "exporters/queue") || strings.HasPrefix(b, "exporters/internal/"))
}

func TestPurePackagesHaveNoClockAndTouchNothing(t *testing.T) {
	for _, p := range packages(t) {
		pkg := folder(p.ImportPath)
		if !slices.Contains(pure, pkg) {
			continue
		}
		for _, path := range p.Imports {
			if slices.Contains(impure, path) {
				t.Errorf("%s imports %s", pkg, path)
			}
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && !strings.HasPrefix(path, module) {
				t.Errorf("%s imports %s: the standard library is enough for it", pkg, path)
			}
		}
		for _, use := range clockUses(t, p.Dir) {
			t.Errorf("%s asks the clock: %s", pkg, use)
		}
	}
}

func clockUses(t *testing.T, dir string) (uses []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, s.Sel.Name) {
				uses = append(uses, set.Position(s.Pos()).String())
			}
			return true
		})
	}
	return uses
}

// TestNothingImportsTheCommands keeps cmd at the top.
func TestNothingImportsTheCommands(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			if strings.HasPrefix(path, module+"cmd/") && !strings.HasPrefix(p.ImportPath, module+"cmd/") {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
}

// TestNoFileIsTwoIdeas points at files that have grown past one idea.
func TestNoFileIsTwoIdeas(t *testing.T) {
	const most = 500 // lines
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		if lines := set.File(f.Pos()).LineCount(); lines > most {
			t.Errorf("%s has %d lines: look for two ideas in it", path, lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wall is what package time knows of the wall clock; Round(0), which leaves only
// that of an instant, is another.
var wall = []string{"Unix", "UnixMilli", "UnixMicro", "UnixNano", "UTC", "Local", "In", "Date", "Format", "MarshalText"}

// wallClocks are the files of pure packages that may: what people and the peer
// are told. A clock that is set by hours decides nothing.
var wallClocks = map[string]string{
	"agent/event":             "events are for people",
	"agent/sim":               "its clock has no other part",
	"agent/replay/capture.go": "that of a recording",
	"agent/core/message.go":   "ts and sywall, which Heartbeat and clock.skew want",
	"agent/core/receive.go":   "the offset of the peer's clock",
	"agent/takeover/peer.go":  "sysince: which of two owners has held a group longer",
	"agent/takeover/split.go": "the same",
}

// TestWallClockDecidesNothing finds uses of the wall clock in pure packages.
func TestWallClockDecidesNothing(t *testing.T) {
	for _, pkg := range pure {
		files, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(pkg, err)
		}
		for _, file := range files {
			name := strings.TrimPrefix(filepath.ToSlash(file), "../")
			if strings.HasSuffix(name, "_test.go") || wallClocks[pkg] != "" || wallClocks[name] != "" {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				s, ok := call.Fun.(*ast.SelectorExpr)
				if ok && (slices.Contains(wall, s.Sel.Name) || s.Sel.Name == "Round" && isZero(call.Args)) {
					t.Errorf("%s calls %s: no judgement may hang on the wall clock", name, s.Sel.Name)
				}
				return true
			})
		}
	}
}

func isZero(args []ast.Expr) bool {
	l, ok := args[0].(*ast.BasicLit)
	return ok && l.Value == "0"
}
