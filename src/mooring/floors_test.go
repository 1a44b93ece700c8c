package mooring

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// floors holds the packages of the module from the ground up. A name stands for
// the packages below it too, unless they are named themselves.
var floors = []struct {
	name     string
	packages string
	pure     bool // no files, no network, no processes
}{
	{"the words", "model", true},
	{"brains", "access chart estimate lifecycle manifest placement runbook sequence", true},
	{"brains on a described fleet", "fleet", true},
	{"what hands hold", "boot files", false},
	{"hands", "client container director host identity notify state volume", false},
	{"readers of the state", "explain gate kits", false},
	{"daemons", "alerting cell orchestrator scheduler", false},
	{"faces", "api cli console dev", false},
	{"what tries the whole", "bench demo e2e release", false},
	{"executables", "cmd", false},
}

// floorOf gives the floor of a package and the name that it goes by there.
func floorOf(pkg string) (floor int, name string) {
	for ; ; pkg = pkg[:strings.LastIndexByte(pkg, '/')] {
		for i := range floors {
			if slices.Contains(strings.Fields(floors[i].packages), pkg) {
				return i, pkg
			}
		}
		if !strings.Contains(pkg, "/") {
			return -1, pkg
		}
	}
}

// impure are packages that reach outside of the process.
var impure = []string{"net/http", "os", "os/exec", "syscall"}

func TestImportsOnlyRunDown(t *testing.T) {
	for pkg, imports := range importsOf(t) {
		floor, name := floorOf(pkg)
		if floor < 0 {
			t.Errorf("%s is on no floor; name it in floors_test.go, and in the README", pkg)
			continue
		}
		for imported := range imports {
			if floors[floor].pure && slices.Contains(impure, imported) {
				t.Errorf("%s imports %s, but %s are pure; pass in what it needs", pkg, imported, floors[floor].name)
			}
			imported, ours := strings.CutPrefix(imported, "mooring/")
			if !ours {
				continue
			}
			under, other := floorOf(imported)
			if other != name && under >= floor {
				t.Errorf("%s (%s) imports %s (%s); move what both need to a floor below both",
					pkg, floors[floor].name, imported, floors[under].name)
			}
			if strings.HasSuffix(imported, "test") && !strings.HasSuffix(pkg, "test") {
				t.Errorf("%s imports %s, which is for tests", pkg, imported)
			}
		}
	}
}

// importsOf reads what each package of the module imports, its tests left out:
// they may reach for any floor.
func importsOf(t *testing.T) map[string]map[string]bool {
	g, all := NewWithT(t), map[string]map[string]bool{}
	g.Expect(filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		pkg := filepath.Dir(path)
		if err != nil || pkg == "." || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if all[pkg] == nil {
			all[pkg] = map[string]bool{}
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all[pkg][imported] = true
		}
		return nil
	})).To(Succeed())
	g.Expect(all).To(HaveKey("model"))
	return all
}
