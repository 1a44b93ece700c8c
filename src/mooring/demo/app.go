package demo

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"mooring/kits/redis"
)

//go:embed hang.sh
var hangScript []byte

// files are what the demo writes for the commands it runs.
type files struct{ dir string }

// write makes the manifest, the plan and the handler that can hang. The
// manifest is the kit's own with a wrapped interrupt handler and times short
// enough to watch.
func (f files) write() error {
	script := filepath.Join(f.dir, "hang.sh")
	if err := os.WriteFile(script, hangScript, 0o755); err != nil {
		return fmt.Errorf("writing the handler that hangs: %w", err)
	}
	manifest, err := shortened(redis.Manifest(), fmt.Sprintf("%s %s", script, f.dir))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(f.dir, "app.yml"), manifest, 0o644); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	text := "name: " + plan + "\ncells: all\naction: recreate\n"
	if err := os.WriteFile(filepath.Join(f.dir, "plan.yml"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}

// shortened gives a manifest with another interrupt handler and shorter times.
func shortened(manifest []byte, handler string) ([]byte, error) {
	var content struct {
		Applications []map[string]any `yaml:"applications"`
	}
	if err := yaml.Unmarshal(manifest, &content); err != nil {
		return nil, fmt.Errorf("reading the kit's manifest: %w", err)
	}
	for _, application := range content.Applications {
		lifecycle, ok := application["lifecycle"].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("reading the kit's manifest: %v has no lifecycle", application["name"])
		}
		lifecycle["healthy_for"] = healthyFor.String()
		lifecycle["interrupt"] = map[string]any{"command": handler, "timeout": "60s", "progress_timeout": progressTimeout.String()}
	}
	return yaml.Marshal(content)
}

// hang makes the handler of an instance hang the next time it runs; mend lets
// it run again.
func (f files) hang(index int) error {
	if err := os.WriteFile(f.marker("hang", index), nil, 0o644); err != nil {
		return fmt.Errorf("making the handler hang: %w", err)
	}
	return nil
}

func (f files) mend(index int) error {
	if err := os.Remove(f.marker("hang", index)); err != nil {
		return fmt.Errorf("mending the handler: %w", err)
	}
	return nil
}

// hungSince gives when the handler last reported progress before it hung.
func (f files) hungSince(index int) (time.Time, error) {
	text, err := os.ReadFile(f.marker("hung", index))
	if err != nil {
		return time.Time{}, fmt.Errorf("the handler has not begun to hang: %w", err)
	}
	seconds, nanos, _ := strings.Cut(strings.TrimSpace(string(text)), ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading when the handler hung: %w", err)
	}
	n, err := strconv.ParseInt(nanos, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading when the handler hung: %w", err)
	}
	return time.Unix(s, n), nil
}

func (f files) marker(what string, index int) string {
	return filepath.Join(f.dir, fmt.Sprintf("%s-%d", what, index))
}
