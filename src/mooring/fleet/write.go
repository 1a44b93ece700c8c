package fleet

import (
	"encoding/json"
	"io"
)

// encode writes a value as one line.
func encode(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// quote gives a string as JSON.
func quote(s string) []byte {
	quoted, _ := json.Marshal(s) // strings always can be
	return quoted
}
