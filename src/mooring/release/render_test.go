package release

import (
	"cmp"
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

// outcome is what became of a job's templates: texts by where they go on a VM,
// or the first error and all of them, which BOSH lists.
type outcome struct {
	files map[string]string
	err   error
	errs  []error
}

// renderAll renders all templates of several jobs in one go, for ruby takes
// its time to start.
func renderAll(t *testing.T, several ...placed) []outcome {
	t.Helper()
	var requests []request
	for _, p := range several {
		sources := p.sources(t)
		for _, path := range sorted(sources) {
			requests = append(requests, request{
				Name: path, Template: sources[path], Declared: p.declared(), Properties: p.Properties, Spec: p.On, Links: p.Links,
			})
		}
	}
	texts, errs := render(t, requests...)
	var outcomes []outcome
	for _, p := range several {
		out := outcome{files: make(map[string]string)}
		for range len(p.Templates) + 1 {
			out.files[requests[0].Name] = texts[0]
			if errs[0] != nil {
				out.err, out.errs = cmp.Or(out.err, errs[0]), append(out.errs, errs[0])
			}
			requests, texts, errs = requests[1:], texts[1:], errs[1:]
		}
		outcomes = append(outcomes, out)
	}
	return outcomes
}

// render renders all templates of the job by where they go on a VM.
func (p placed) render(t *testing.T) map[string]string {
	t.Helper()
	out := renderAll(t, p)[0]
	if out.err != nil {
		t.Fatalf("job %s: %v", p.Name, out.err)
	}
	return out.files
}
