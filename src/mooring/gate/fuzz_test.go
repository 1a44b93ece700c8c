package gate

import (
	"encoding/json"
	"testing"
)

// What lies in a gate's directory opens the gate or does not; nothing makes
// those fall over who look.
func FuzzParseOverride(f *testing.F) {
	for _, seed := range []string{
		`{"reason":"INC-1","by":"olga","at":"2026-11-21T12:00:00Z"}`, `{"reason":"","at":"2026-11-21T12:00:00+23:59","used":{"action":"reboot","waited":"x"}}`,
		``, `{}`, `null`, `[]`, `{"at":"0001-01-01T00:00:00Z"}`, `{"at":"9999-12-31T23:59:59Z"}`, `{"at":1}`, `{"used":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		o := parseOverride(content)
		if o == nil {
			return
		}
		if o.At.IsZero() {
			t.Fatal("an opening of no time")
		}
		if _, err := json.Marshal(o.report()); err != nil {
			t.Fatalf("it cannot be told of: %v", err)
		}
	})
}
