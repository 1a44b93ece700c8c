package state

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"mooring/model"
)

// A record is refused, or is one that can stand in the mirror, and is the same
// once it has been written and read again.
func FuzzDecode(f *testing.F) {
	names := slices.Sorted(maps.Keys(tables))
	for i, name := range names {
		seed, err := encode(tables[name].blank())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, seed)
	}
	for _, seed := range []string{``, `{}`, `null`, `{"format":1}`, `{"format":1,"data":null}`, `{"format":2,"data":{}}`, `{"format":-1,"data":{}}`, `{"format":1,"data":[]}`, `{"format":1,"data":{"format":1`} {
		f.Add(0, []byte(seed))
	}
	app, err := encode(&model.App{GUID: "g", Name: model.Name{Org: "o", Space: "s", Name: "n"}, Instances: 3, Spec: model.RunSpec{Command: "x", Env: map[string]string{"A": "b"}},
		Policy: model.Policy{MaxInterrupted: model.Limit{Percent: 25}, Interrupt: &model.Handler{Command: "y", Cancel: "z"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(slices.Index(names, model.TableApps), app)
	f.Fuzz(func(t *testing.T, table int, content []byte) {
		of := tables[names[uint(table)%uint(len(names))]]
		record := of.blank()
		if decode(content, record) != nil {
			return
		}
		_ = record.Key()
		for _, index := range of.indexes {
			index(record)
		}
		written, err := encode(record)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again := of.blank()
		if err := decode(written, again); err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, written)
		}
		if twice, err := encode(again); err != nil || !bytes.Equal(written, twice) {
			t.Fatalf("it changed on its way: %v\n%s\n%s", err, written, twice)
		}
	})
}
