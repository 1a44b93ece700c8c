package state

import "mooring/model"

// Cells lists every cell that ever registered.
func (s *Snapshot) Cells() []*model.Cell { return under[model.Cell](s, model.TableCells+"/") }

// Cell finds a cell.
func (s *Snapshot) Cell(id string) *model.Cell {
	return one[model.Cell](s, model.TableCells+"/"+id)
}

// Cordon finds the cordon of a cell.
func (s *Snapshot) Cordon(cellID string) *model.Cordon {
	return one[model.Cordon](s, model.TableCordons+"/"+cellID)
}

// Cordons lists every cordon by cell.
func (s *Snapshot) Cordons() []*model.Cordon {
	return under[model.Cordon](s, model.TableCordons+"/")
}

// Presence finds the presence of a cell's agent.
func (s *Snapshot) Presence(cellID string) *model.Presence {
	return one[model.Presence](s, model.TablePresence+"/"+cellID)
}

// Present reports whether a cell may be counted on: it registered, its agent
// renews its lease, and nobody declared it lost.
func (s *Snapshot) Present(cellID string) bool {
	if s.Presence(cellID) == nil {
		return false
	}
	cell := s.Cell(cellID)
	return cell != nil && !cell.Lost
}

// ActualInstancesOf lists what cells report of an app, by index and cell.
func (s *Snapshot) ActualInstancesOf(appGUID string) []*model.ActualInstance {
	return under[model.ActualInstance](s, model.TableActualInstances+"/"+appGUID+"/")
}

// ActualInstancesOn lists what a cell reports of its instances.
func (s *Snapshot) ActualInstancesOn(cellID string) []*model.ActualInstance {
	return all[model.ActualInstance](s, model.TableActualInstances, byCell, cellID)
}

// ActualInstance finds what a cell reports of one instance.
func (s *Snapshot) ActualInstance(appGUID string, index int, cellID string) *model.ActualInstance {
	return one[model.ActualInstance](s, model.ActualInstanceKey(appGUID, index, cellID))
}

// BlockedInstances lists what cells report as blocked, by app, index and cell.
func (s *Snapshot) BlockedInstances() []*model.ActualInstance {
	return all[model.ActualInstance](s, model.TableActualInstances, byTrouble, blockedThere)
}

// UnknownVolumes lists what cells hold of volumes that the state did not know
// when they reported them.
func (s *Snapshot) UnknownVolumes() []*model.ActualVolume {
	return all[model.ActualVolume](s, model.TableActualVolumes, byTrouble, unknownHere)
}

// ActualVolumesOf lists what cells report of a volume, by cell.
func (s *Snapshot) ActualVolumesOf(volumeGUID string) []*model.ActualVolume {
	return under[model.ActualVolume](s, model.TableActualVolumes+"/"+volumeGUID+"/")
}

// ActualVolumesOn lists what a cell reports of its volumes.
func (s *Snapshot) ActualVolumesOn(cellID string) []*model.ActualVolume {
	return all[model.ActualVolume](s, model.TableActualVolumes, byCell, cellID)
}
