package tarball

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// top is the directory of the release.
const top = "../../../.."

// run runs a command to its end, which must be a good one.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, output)
	}
	return string(output)
}

// listing gives the files in an archive.
func listing(t *testing.T, archive string) map[string]bool {
	t.Helper()
	files := make(map[string]bool)
	for name := range strings.Lines(run(t, exec.Command("tar", "-tzf", archive))) {
		name = strings.TrimPrefix(strings.TrimSpace(name), "./")
		if name != "" && !strings.HasSuffix(name, "/") {
			files[name] = true
		}
	}
	return files
}

// specs gives the paths of the specs of jobs, or of packages.
func specs(t *testing.T, of string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(top, of, "*", "spec"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s found: %v", of, err)
	}
	return paths
}

// goVersion is the version of Go that the release compiles with.
func goVersion(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(top, "src", "mooring", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^go (.*)$`).FindStringSubmatch(string(data))[1]
}

// toolchainBlob is where the Go toolchain is under blobs.
func toolchainBlob(t *testing.T) string {
	t.Helper()
	return "golang/go" + goVersion(t) + ".linux-amd64.tar"
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
