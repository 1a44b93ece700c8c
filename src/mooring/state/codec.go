package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"mooring/model"
)

// format is the number of the record format this version writes. It is raised
// when a stored record changes its meaning or its fields.
const format = 1

// envelope is how a record is stored: its format first, so that a version that
// does not know it can say so instead of misreading the data.
type envelope struct {
	Format int             `json:"format"`
	Data   json.RawMessage `json:"data"`
}

// RecordError says that a stored record cannot be read. The mirror stops at
// it: to skip a record would be to decide on half a state.
type RecordError struct {
	// Key as it is in etcd, prefix included.
	Key string
	Err error
}

// Error implements error.
func (e *RecordError) Error() string {
	return fmt.Sprintf("read record %s: %v", e.Key, e.Err)
}

// Unwrap implements errors.Unwrap.
func (e *RecordError) Unwrap() error { return e.Err }

// encode gives the stored form of a record.
func encode(rec model.Record) ([]byte, error) {
	data, err := json.Marshal(rec)
	if err == nil {
		data, err = json.Marshal(envelope{Format: format, Data: data})
	}
	if err != nil {
		return nil, fmt.Errorf("encode record %s: %w", rec.Key(), err)
	}
	return data, nil
}

// decode fills rec from its stored form. Fields that rec does not have are an
// error: they would be lost when the record is written again.
func decode(value []byte, rec model.Record) error {
	var env envelope
	if err := json.Unmarshal(value, &env); err != nil {
		return fmt.Errorf("the record is corrupt (%w); restore it from a backup or delete the key", err)
	}
	switch {
	case env.Format > format:
		return fmt.Errorf("it has format %d and this version knows formats up to %d; upgrade this node", env.Format, format)
	case env.Format < 1:
		return errors.New("the record is corrupt (it has no format); restore it from a backup or delete the key")
	case len(env.Data) == 0 || bytes.Equal(env.Data, []byte("null")):
		return errors.New("the record is corrupt (it has no data); restore it from a backup or delete the key")
	}
	strict := json.NewDecoder(bytes.NewReader(env.Data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(rec); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the record is corrupt or written by a newer version (%w); upgrade this node or restore the record from a backup", err)
	}
	return nil
}
