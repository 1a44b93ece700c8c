package fleets

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write writes the fleets that Plan would measure, nothing of them placed, into
// a directory, and their paths to w.
func Write(cfg Config, dir string, w io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, family := range cfg.families() {
		for seed := 1; seed <= cfg.Seeds; seed++ {
			text, err := json.Marshal(family.Fleet(uint64(seed)))
			if err != nil {
				return err
			}
			// As in dense-70-a-cell-1000-cells-off-20-seed-1.json.
			path := filepath.Join(dir, fmt.Sprintf("%s-%d-a-cell-%d-cells-%s-seed-%d.json", family.Name, family.PerCell, family.Cells, known(family.Error), seed))
			if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
				return err
			}
			fmt.Fprintln(w, path)
		}
	}
	return nil
}

// known names the error of a family's estimates in the name of a file.
func known(off float64) string {
	if off > 0 {
		return fmt.Sprintf("off-%.0f", off*100)
	}
	return estimates(off)
}
