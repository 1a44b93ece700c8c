package deployment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Release is a release as it was uploaded.
type Release struct {
	Name string
	// Version is what "latest" means. Each version has packages of its own.
	Version string
	Jobs    map[string]*Job
}

// Job is a job of a release.
type Job struct {
	Name        string
	Description string
	Templates   map[string]string // source -> where it goes on a VM
	Packages    []string
	Provides    []Provider
	Consumes    []Consumer
	Properties  map[string]Property
	Monit       string `yaml:"-"`
	// Sources are the texts of the templates, by source.
	Sources map[string]string `yaml:"-"`
	// Schema is properties_schema.json, where there is one.
	Schema []byte `yaml:"-"`
}

// Provider is a link that a job provides.
type Provider struct {
	Name       string
	Type       string
	Properties []string
}

// Consumer is a link that a job consumes.
type Consumer struct {
	Name     string
	Type     string
	Optional bool
}

// Property is one that a job declares.
type Property struct {
	Description string
	Default     any
	Example     any
}

// ReadRelease reads the source of a release: its name and its jobs.
func ReadRelease(dir string) (*Release, error) {
	final, err := os.ReadFile(filepath.Join(dir, "config", "final.yml"))
	if err != nil {
		return nil, fmt.Errorf("reading a release: %w", err)
	}
	var config struct {
		Name string
	}
	if err := yaml.Unmarshal(final, &config); err != nil {
		return nil, fmt.Errorf("reading the release in %s: %w", dir, err)
	}
	specs, err := filepath.Glob(filepath.Join(dir, "jobs", "*", "spec"))
	if err != nil || len(specs) == 0 {
		return nil, fmt.Errorf("reading the release in %s: it has no jobs: %w", dir, err)
	}
	release := &Release{Name: config.Name, Version: "1", Jobs: map[string]*Job{}}
	for _, spec := range specs {
		job, err := readJob(filepath.Dir(spec))
		if err != nil {
			return nil, fmt.Errorf("reading the release in %s: %w", dir, err)
		}
		release.Jobs[job.Name] = job
	}
	return release, nil
}

func readJob(dir string) (*Job, error) {
	read := func(path string) (string, error) {
		data, err := os.ReadFile(filepath.Join(dir, path))
		return string(data), err
	}
	spec, err := read("spec")
	if err != nil {
		return nil, err
	}
	job := &Job{Sources: map[string]string{}}
	if err := yaml.UnmarshalWithOptions([]byte(spec), job, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("job %s: %w", filepath.Base(dir), err)
	}
	if job.Name != filepath.Base(dir) {
		return nil, fmt.Errorf("job %s: its spec is that of %q", filepath.Base(dir), job.Name)
	}
	if job.Monit, err = read("monit"); err != nil {
		return nil, fmt.Errorf("job %s: %w", job.Name, err)
	}
	for source := range job.Templates {
		if job.Sources[source], err = read(filepath.Join("templates", source)); err != nil {
			return nil, fmt.Errorf("job %s: %w", job.Name, err)
		}
	}
	schema, err := read("properties_schema.json")
	if err == nil {
		job.Schema = []byte(schema)
	}
	return job, nil
}

// Errand reports whether the job can be run as an errand.
func (j *Job) Errand() bool {
	return slices.Contains(slices.Collect(maps.Values(j.Templates)), "bin/run")
}

// fingerprint stands for the job's tarball: it changes with what is in it.
func (j *Job) fingerprint() string {
	written, err := json.Marshal([]any{j.Templates, j.Packages, j.Provides, j.Consumes, j.Properties, j.Monit, j.Sources})
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(written)
	return hex.EncodeToString(sum[:])
}

// Bind copies the properties that the job declares out of those that a manifest
// gives, with defaults; what is not declared is left behind. Variables are
// replaced only afterwards, so that each has to stand for a whole property.
func (j *Job) Bind(properties map[string]any) (bound map[string]any, err error) {
	err = caught(func() { bound = j.bind(properties) })
	return bound, err
}

func (j *Job) bind(properties map[string]any) map[string]any {
	bound := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(j.Properties)) {
		value := declared(properties, name)
		if value == nil {
			value = j.Properties[name].Default
		}
		put(bound, name, copied(value))
	}
	return bound
}

// declared looks up a property by its name with dots.
func declared(properties map[string]any, name string) any {
	var at any = properties
	for key := range strings.SplitSeq(name, ".") {
		tree, isTree := at.(map[string]any)
		if !isTree {
			refuse("Property '%s' expects a hash, but received '%s'", name, class(at))
		}
		if at = tree[key]; at == nil {
			return nil
		}
	}
	return at
}
