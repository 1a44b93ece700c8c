package release

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"mooring/director/fakedirector/deployment"
)

// top is the directory of the release.
const top = "../../.."

// jobs reads every job of the release, by name.
func jobs(t *testing.T) map[string]*deployment.Job {
	t.Helper()
	release, err := deployment.ReadRelease(top)
	if err != nil {
		t.Fatal(err)
	}
	return release.Jobs
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(readFile(t, path)), into, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// sources returns a job's templates by where they go on a VM, monit included.
func sources(j *deployment.Job) map[string]string {
	sources := map[string]string{"monit": j.Monit}
	for from, to := range j.Templates {
		sources[to] = j.Sources[from]
	}
	return sources
}

// shares returns what a link of a job shows of its properties.
func shares(j *deployment.Job, link string) []string {
	var shared []string
	for _, p := range j.Provides {
		if p.Name == link {
			shared = append(shared, p.Properties...)
		}
	}
	return shared
}

// isScript reports whether what is rendered to a path is run.
func isScript(path string) bool { return strings.HasPrefix(path, "bin/") }

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
