package model

import (
	"encoding/json"
	"time"
)

// TableDurations holds what was measured.
const TableDurations = "durations"

// Hosts is the subject of durations that are nobody's in particular: those of
// actions on hosts.
const Hosts = "hosts"

// Durations is what was measured of one subject: an app, by its GUID, or all
// Hosts. It outlives the rolls that it was learned from. The orchestrator
// writes it.
type Durations struct {
	Subject string `json:"subject"`
	// Samples holds the newest of each step, the oldest first.
	Samples map[string][]Sample `json:"samples,omitempty"`
	// Rolls and Plans say how often foresight was right. Hosts only.
	Rolls Tally `json:"rolls,omitzero"`
	Plans Tally `json:"plans,omitzero"`
}

// Sample is one duration that was measured. As JSON it is the two numbers in a
// list, since there are many.
type Sample struct {
	// At is when it ended, in seconds since 1970.
	At int64
	// Millis is how long it took.
	Millis int64
}

// MarshalJSON implements json.Marshaler.
func (s Sample) MarshalJSON() ([]byte, error) { return json.Marshal([2]int64{s.At, s.Millis}) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Sample) UnmarshalJSON(data []byte) error {
	var numbers [2]int64
	if err := json.Unmarshal(data, &numbers); err != nil {
		return err
	}
	s.At, s.Millis = numbers[0], numbers[1]
	return nil
}

// Took is how long it took.
func (s Sample) Took() time.Duration { return time.Duration(s.Millis) * time.Millisecond }

// Foreseen is how long something was expected to take when it began.
type Foreseen struct {
	// Half and Most are the p50 and the p90: one in two is done by the first,
	// nine in ten by the second.
	Half Duration `json:"p50"`
	Most Duration `json:"p90"`
}

// Tally counts how often the truth fell where it was foreseen.
type Tally struct {
	// Early is how many were done by their p50, Within how many between their
	// p50 and their p90, Late how many took longer.
	Early  int `json:"early"`
	Within int `json:"within"`
	Late   int `json:"late"`
}

// Key implements Record.
func (d *Durations) Key() string { return TableDurations + "/" + d.Subject }
