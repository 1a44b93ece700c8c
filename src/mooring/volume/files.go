package volume

import (
	"encoding/json"
	"fmt"
	"os"

	"mooring/files"
)

// writeJSON replaces a file as a whole: after a crash at any moment it has
// either its old content or the new.
func writeJSON(path string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return files.Replace(path, append(content, '\n'), 0o600, files.Host)
}

// readJSON reads a file that must be there and whole.
func readJSON(path string, value any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	return nil
}
