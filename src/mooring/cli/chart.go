package cli

import (
	"errors"
	"fmt"
	"os"

	"mooring/chart"
)

// WriteChart writes the page of a plan into a file, which it replaces.
func WriteChart(path string, plan *chart.Plan) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the timeline: %w", err)
	}
	return errors.Join(chart.Write(file, plan), file.Close())
}
