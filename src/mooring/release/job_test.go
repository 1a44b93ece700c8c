package release

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// top is the directory of the release.
const top = "../../.."

// job is a job of the release as its spec has it.
type job struct {
	Name       string                  `yaml:"name"`
	Templates  map[string]string       `yaml:"templates"`
	Packages   []string                `yaml:"packages"`
	Provides   []provided              `yaml:"provides"`
	Consumes   []consumed              `yaml:"consumes"`
	Properties map[string]propertySpec `yaml:"properties"`
}

type provided struct {
	Name       string   `yaml:"name"`
	Type       string   `yaml:"type"`
	Properties []string `yaml:"properties"`
}

type consumed struct {
	Name     string `yaml:"name"`
	Type     string `yaml:"type"`
	Optional bool   `yaml:"optional"`
}

type propertySpec struct {
	Description string `yaml:"description"`
	Default     any    `yaml:"default"`
	Example     any    `yaml:"example"`
}

// jobs reads every job of the release, by name.
func jobs(t *testing.T) map[string]job {
	t.Helper()
	specs, err := filepath.Glob(filepath.Join(top, "jobs", "*", "spec"))
	if err != nil || len(specs) == 0 {
		t.Fatalf("no jobs found: %v", err)
	}
	all := make(map[string]job)
	for _, path := range specs {
		var j job
		readYAML(t, path, &j)
		all[filepath.Base(filepath.Dir(path))] = j
	}
	return all
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

// sources gives the job's templates by where they go on a VM, monit included.
func (j job) sources(t *testing.T) map[string]string {
	t.Helper()
	sources := map[string]string{"monit": readFile(t, filepath.Join(top, "jobs", j.Name, "monit"))}
	for from, to := range j.Templates {
		sources[to] = readFile(t, filepath.Join(top, "jobs", j.Name, "templates", from))
	}
	return sources
}

// declared gives the properties' defaults by name; nil is none.
func (j job) declared() map[string]any {
	declared := make(map[string]any)
	for name, property := range j.Properties {
		declared[name] = property.Default
	}
	return declared
}

// shares gives what a link of this job shows of its properties.
func (j job) shares(link string) map[string]any {
	shared := make(map[string]any)
	for _, p := range j.Provides {
		for _, name := range p.Properties {
			if p.Name == link {
				shared[name] = j.Properties[name].Default
			}
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
