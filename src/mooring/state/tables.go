package state

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-memdb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
)

// entry is one record in the mirror together with what etcd says of its key.
type entry struct {
	// key is the place in etcd without the prefix. It is rec.Key(), except for
	// events, whose IDs are only known once they are committed.
	key   string
	rec   model.Record
	mod   int64 // revision of the last write
	lease clientv3.LeaseID
}

// Names of the mirror's secondary indexes.
const (
	byCell  = "cell"
	bySet   = "set"
	byName  = "name"
	byOrder = "order" // claims in line, events as they were committed
	// byTrouble finds the few of many that somebody has to look at.
	byTrouble = "trouble"
)

// What stands in the index byTrouble.
const (
	blockedThere = "blocked"
	unknownHere  = "unknown"
)

// table says how one kind of record is kept in the mirror.
type table struct {
	blank   func() model.Record
	indexes map[string]values
	// optional: what cannot be read is passed over, since nothing is decided by
	// it. Without an event something is not told, without a delivery it is told
	// again, without durations estimates are made from fewer.
	optional bool
}

// passedOver returns the table as optional.
func passedOver(t table) table {
	t.optional = true
	return t
}

// values gives the values under which a record stands in an index.
type values func(model.Record) []string

// tableOf describes the table of the record type T.
func tableOf[T any, P interface {
	*T
	model.Record
}](indexes map[string]func(P) []string) table {
	t := table{blank: func() model.Record { return P(new(T)) }, indexes: map[string]values{}}
	for name, index := range indexes {
		t.indexes[name] = func(rec model.Record) []string { return index(rec.(P)) }
	}
	return t
}

// tables describes every table by its name, which is the first segment of its
// keys. What stands under another record's key (an app's instances) is found
// by key prefix and needs no index.
var tables = map[string]table{
	model.TableApps: tableOf(map[string]func(*model.App) []string{
		byName: func(a *model.App) []string { return []string{a.Name.String()} },
	}),
	model.TableVolumeSets: tableOf(map[string]func(*model.VolumeSet) []string{
		byName: func(v *model.VolumeSet) []string { return []string{v.Name.String()} },
	}),
	model.TableInstances: tableOf(map[string]func(*model.Instance) []string{
		byCell: instanceCells,
	}),
	model.TableVolumes: tableOf(map[string]func(*model.Volume) []string{
		bySet:  func(v *model.Volume) []string { return []string{fmt.Sprintf("%s/%06d", v.SetGUID, v.Index)} },
		byCell: func(v *model.Volume) []string { return some(v.CellID) },
	}),
	model.TableCells:    tableOf[model.Cell](nil),
	model.TableCordons:  tableOf[model.Cordon](nil),
	model.TablePresence: tableOf[model.Presence](nil),
	model.TableActualInstances: tableOf(map[string]func(*model.ActualInstance) []string{
		byCell: func(a *model.ActualInstance) []string { return []string{a.CellID} },
		byTrouble: func(a *model.ActualInstance) []string {
			if a.State == model.Blocked {
				return []string{blockedThere}
			}
			return nil
		},
	}),
	model.TableActualVolumes: tableOf(map[string]func(*model.ActualVolume) []string{
		byCell: func(v *model.ActualVolume) []string { return []string{v.CellID} },
		byTrouble: func(v *model.ActualVolume) []string {
			if v.Unknown {
				return []string{unknownHere}
			}
			return nil
		},
	}),
	model.TableLedgers: tableOf[model.Ledger](nil),
	model.TableClaims: tableOf(map[string]func(*model.Claim) []string{
		byOrder: func(c *model.Claim) []string { return []string{fmt.Sprintf("%020d", c.Since)} },
	}),
	model.TablePlans: tableOf[model.Plan](nil),
	model.TableRolls: tableOf(map[string]func(*model.Roll) []string{
		byCell: func(r *model.Roll) []string { return []string{r.CellID} },
	}),
	model.TableStuck:      tableOf[model.Stuck](nil),
	model.TableDeliveries: passedOver(tableOf[model.Delivery](nil)),
	model.TableDurations:  passedOver(tableOf[model.Durations](nil)),
	model.TableEvents: passedOver(tableOf(map[string]func(*model.Event) []string{
		byOrder: func(e *model.Event) []string { return []string{e.ID} },
	})),
}

// instanceCells gives where an instance is and where its replacement is.
func instanceCells(i *model.Instance) []string {
	cells := some(i.CellID)
	if i.Next != nil && i.Next.CellID != i.CellID {
		cells = append(cells, some(i.Next.CellID)...)
	}
	return cells
}

// some gives the value, or nothing when it is empty.
func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// tableName gives the table of a key.
func tableName(key string) string {
	name, _, _ := strings.Cut(key, "/")
	return name
}

// schema builds the mirror's schema from tables.
func schema() *memdb.DBSchema {
	out := &memdb.DBSchema{Tables: map[string]*memdb.TableSchema{}}
	for name, t := range tables {
		indexes := map[string]*memdb.IndexSchema{
			"id": {Name: "id", Unique: true, Indexer: keyIndex{}},
		}
		for index, values := range t.indexes {
			indexes[index] = &memdb.IndexSchema{Name: index, AllowMissing: true, Indexer: valueIndex{values}}
		}
		out.Tables[name] = &memdb.TableSchema{Name: name, Indexes: indexes}
	}
	return out
}

// keyIndex is the primary index: the key itself, also searched by prefix.
type keyIndex struct{}

// FromObject implements memdb.SingleIndexer.
func (keyIndex) FromObject(raw any) (bool, []byte, error) { return true, []byte(raw.(*entry).key), nil }

// FromArgs implements memdb.Indexer.
func (keyIndex) FromArgs(args ...any) ([]byte, error) { return []byte(args[0].(string)), nil }

// PrefixFromArgs implements memdb.PrefixIndexer.
func (keyIndex) PrefixFromArgs(args ...any) ([]byte, error) { return []byte(args[0].(string)), nil }

// valueIndex is a secondary index. The zero byte ends each value, so that one
// that begins another is not taken for it.
type valueIndex struct{ values values }

// FromObject implements memdb.MultiIndexer.
func (x valueIndex) FromObject(raw any) (bool, [][]byte, error) {
	found := x.values(raw.(*entry).rec)
	out := make([][]byte, len(found))
	for i, value := range found {
		out[i] = append([]byte(value), 0)
	}
	return len(out) > 0, out, nil
}

// FromArgs implements memdb.Indexer.
func (x valueIndex) FromArgs(args ...any) ([]byte, error) {
	return append([]byte(args[0].(string)), 0), nil
}

// PrefixFromArgs implements memdb.PrefixIndexer.
func (x valueIndex) PrefixFromArgs(args ...any) ([]byte, error) {
	return []byte(args[0].(string)), nil
}

// newEntry reads the stored form of a record: nil for a kind of record that
// only newer versions know. key has no prefix.
func newEntry(key string, value []byte) (*entry, error) {
	t, known := tables[tableName(key)]
	if !known {
		return nil, new(envelope).open(value)
	}
	rec := t.blank()
	if err := decode(value, rec); err != nil {
		return nil, err
	}
	if _, event := rec.(*model.Event); !event && rec.Key() != key {
		return nil, fmt.Errorf("the record is corrupt (its data is that of %s); restore it from a backup or delete the key", rec.Key())
	}
	return &entry{key: key, rec: rec}, nil
}
