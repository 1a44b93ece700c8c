package release

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// instance is one instance of an instance group, as templates see it in spec,
// and in a link those of others.
type instance struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	Index          int    `json:"index"`
	AZ             string `json:"az"`
	Address        string `json:"address"`
	IP             string `json:"ip"`
	Deployment     string `json:"deployment"`
	Bootstrap      bool   `json:"bootstrap"`
	PersistentDisk int    `json:"persistent_disk"`
}

// link is what a job consumes.
type link struct {
	Address    string         `json:"address"`
	Instances  []instance     `json:"instances"`
	Properties map[string]any `json:"properties"`
	// Declared is what the provider shares, nil for a link given by hand.
	Declared map[string]any `json:"declared"`
}

// request is one template to render.
type request struct {
	Name       string          `json:"name"`
	Template   string          `json:"template"`
	Declared   map[string]any  `json:"declared"`
	Properties map[string]any  `json:"properties"`
	Spec       instance        `json:"spec"`
	Links      map[string]link `json:"links"`
}

// render renders templates as the Director does.
func render(t *testing.T, requests ...request) (texts []string, errs []error) {
	t.Helper()
	ruby, err := exec.LookPath("ruby")
	if err != nil {
		t.Skip("ruby is not installed, so no template can be rendered; see scripts/install-dependencies")
	}
	input, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(ruby, "-W0", "render.rb")
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(input)), os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("render.rb: %v", err)
	}
	var answers []struct{ Text, Error string }
	if err := json.Unmarshal(output, &answers); err != nil {
		t.Fatal(err)
	}
	for _, answer := range answers {
		texts = append(texts, answer.Text)
		errs = append(errs, nil)
		if answer.Error != "" {
			errs[len(errs)-1] = errors.New(answer.Error)
		}
	}
	return texts, errs
}

// placed is a job on an instance, with all that its templates see.
type placed struct {
	job
	On         instance
	Properties map[string]any
	Links      map[string]link
}

// try renders all templates of the job; the first one that fails ends it.
func (p placed) try(t *testing.T) (map[string]string, error) {
	t.Helper()
	sources := p.sources(t)
	var requests []request
	paths := sorted(sources)
	for _, path := range paths {
		requests = append(requests, request{
			Name: path, Template: sources[path], Declared: p.declared(), Properties: p.Properties, Spec: p.On, Links: p.Links,
		})
	}
	texts, errs := render(t, requests...)
	rendered := make(map[string]string)
	for i, path := range paths {
		if errs[i] != nil {
			return nil, errs[i]
		}
		rendered[path] = texts[i]
	}
	return rendered, nil
}

// render renders all templates of the job by where they go on a VM.
func (p placed) render(t *testing.T) map[string]string {
	t.Helper()
	rendered, err := p.try(t)
	if err != nil {
		t.Fatalf("job %s: %v", p.Name, err)
	}
	return rendered
}
