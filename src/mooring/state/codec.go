package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"mooring/model"
)

// format is the number of the record format this version writes. While the
// control nodes are updated one after the other, an older version reads what a
// newer one writes, and again after a step back. So within a format only such
// fields and kinds of records are added as an older version may pass over, and
// drop when it writes the record again. For anything else, a field that gets
// another meaning or one that forbids something, the format is raised: then
// older versions refuse to decide on what they would misread.
const format = 1

// envelope is how a record is stored: its format first, so that a version that
// does not know it can say so instead of misreading the data.
type envelope struct {
	Format int             `json:"format"`
	Data   json.RawMessage `json:"data"`
}

// RecordError says that a stored record cannot be read. Where decisions rest on
// such records, the mirror stops until it was mended or removed: to skip one
// would be to decide on half a state. Others are passed over.
type RecordError struct {
	// Key as it is in etcd, prefix included.
	Key string
	Err error
	// seen is the etcd revision at which it could not be read, mod the one that
	// wrote it; 0 where that is unknown.
	seen, mod int64
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

// open reads the envelope of a stored record and checks what is in it.
func (env *envelope) open(value []byte) error {
	if err := json.Unmarshal(value, env); err != nil {
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
	return nil
}

// decode fills rec from its stored form. Fields that rec does not have are a
// newer version's, and passed over.
func decode(value []byte, rec model.Record) error {
	var env envelope
	if err := env.open(value); err != nil {
		return err
	}
	if err := json.Unmarshal(env.Data, rec); err != nil {
		return fmt.Errorf("the record is corrupt (%w); restore it from a backup or delete the key", err)
	}
	return nil
}
