package model

import (
	"fmt"
	"strings"
)

// Record is one stored fact. Its key is its identity in state; records are
// values, so a snapshot's records must not be changed in place.
type Record interface {
	// Key is the record's place, such as "apps/GUID". It has no leading slash
	// and its first segment is the Table.
	Key() string
}

// Tables of records. Each first segment is the name of one table.
const (
	TableApps            = "apps"
	TableVolumeSets      = "volume-sets"
	TableInstances       = "instances"
	TableVolumes         = "volumes"
	TableCells           = "cells"
	TableCordons         = "cordons"
	TablePresence        = "presence"
	TableActualInstances = "actual-instances"
	TableActualVolumes   = "actual-volumes"
	TableLedgers         = "ledgers"
	TableClaims          = "claims"
	TablePlans           = "plans"
	TableRolls           = "rolls"
	TableStuck           = "stuck"
	TableEvents          = "events"
)

// Key implements Record.
func (a *App) Key() string { return TableApps + "/" + a.GUID }

// Key implements Record.
func (v *VolumeSet) Key() string { return TableVolumeSets + "/" + v.GUID }

// InstanceKey is the key of an app's instance.
func InstanceKey(appGUID string, index int) string {
	return fmt.Sprintf("%s/%s/%06d", TableInstances, appGUID, index)
}

// Key implements Record.
func (i *Instance) Key() string { return InstanceKey(i.AppGUID, i.Index) }

// Key implements Record.
func (v *Volume) Key() string { return TableVolumes + "/" + v.GUID }

// Key implements Record.
func (c *Cell) Key() string { return TableCells + "/" + c.ID }

// Key implements Record.
func (c *Cordon) Key() string { return TableCordons + "/" + c.CellID }

// Key implements Record.
func (p *Presence) Key() string { return TablePresence + "/" + p.CellID }

// ActualInstanceKey is the key of what a cell reports of an instance. All of
// an app's stand under one prefix: a grant compares them together.
func ActualInstanceKey(appGUID string, index int, cellID string) string {
	return fmt.Sprintf("%s/%s/%06d/%s", TableActualInstances, appGUID, index, cellID)
}

// strayKey begins the keys of strays, which stand apart from what is so of
// their apps.
const strayKey = TableActualInstances + "/stray:"

// Key implements Record.
func (a *ActualInstance) Key() string {
	if a.Stray {
		return fmt.Sprintf("%s%s/%s/%06d", strayKey, a.CellID, a.AppGUID, a.Index)
	}
	return ActualInstanceKey(a.AppGUID, a.Index, a.CellID)
}

// Key implements Record.
func (v *ActualVolume) Key() string { return TableActualVolumes + "/" + v.GUID + "/" + v.CellID }

// LedgerKey is the key of an app's ledger.
func LedgerKey(appGUID string) string { return TableLedgers + "/" + appGUID }

// Key implements Record.
func (l *Ledger) Key() string { return LedgerKey(l.AppGUID) }

// ClaimKey is the key of a holder's claim; a holder has one at a time.
func ClaimKey(holder string) string {
	return TableClaims + "/" + strings.ReplaceAll(holder, "/", ":")
}

// Key implements Record.
func (c *Claim) Key() string { return ClaimKey(c.Holder) }

// Key implements Record.
func (p *Plan) Key() string { return TablePlans + "/" + p.Name }

// RollKey is the key of a cell's roll in a plan.
func RollKey(plan, cellID string) string { return TableRolls + "/" + plan + "/" + cellID }

// Key implements Record.
func (r *Roll) Key() string { return RollKey(r.Plan, r.CellID) }

// Key implements Record.
func (s *Stuck) Key() string { return TableStuck + "/" + s.ID }

// Key implements Record.
func (e *Event) Key() string { return TableEvents + "/" + e.ID }
