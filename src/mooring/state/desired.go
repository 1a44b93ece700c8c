package state

import "mooring/model"

// Apps lists every app.
func (s *Snapshot) Apps() []*model.App { return under[model.App](s, model.TableApps+"/") }

// App finds an app by GUID.
func (s *Snapshot) App(guid string) *model.App {
	return one[model.App](s, model.TableApps+"/"+guid)
}

// AppNamed finds an app by org, space and name.
func (s *Snapshot) AppNamed(name model.Name) *model.App {
	return named[model.App](s, model.TableApps, name)
}

// VolumeSets lists every volume set.
func (s *Snapshot) VolumeSets() []*model.VolumeSet {
	return under[model.VolumeSet](s, model.TableVolumeSets+"/")
}

// VolumeSet finds a volume set by GUID.
func (s *Snapshot) VolumeSet(guid string) *model.VolumeSet {
	return one[model.VolumeSet](s, model.TableVolumeSets+"/"+guid)
}

// VolumeSetNamed finds a volume set by org, space and name.
func (s *Snapshot) VolumeSetNamed(name model.Name) *model.VolumeSet {
	return named[model.VolumeSet](s, model.TableVolumeSets, name)
}

// Volumes lists every volume.
func (s *Snapshot) Volumes() []*model.Volume { return under[model.Volume](s, model.TableVolumes+"/") }

// Volume finds a volume by GUID.
func (s *Snapshot) Volume(guid string) *model.Volume {
	return one[model.Volume](s, model.TableVolumes+"/"+guid)
}

// VolumesOf lists the volumes of a set by index. An index has several while
// an ending one is followed by its successor.
func (s *Snapshot) VolumesOf(setGUID string) []*model.Volume {
	return all[model.Volume](s, model.TableVolumes, bySet+"_prefix", setGUID+"/")
}

// VolumesOn lists the volumes whose CellID is the cell.
func (s *Snapshot) VolumesOn(cellID string) []*model.Volume {
	return all[model.Volume](s, model.TableVolumes, byCell, cellID)
}

// Instances lists the instances of every app.
func (s *Snapshot) Instances() []*model.Instance {
	return under[model.Instance](s, model.TableInstances+"/")
}

// InstancesOf lists an app's instances by index.
func (s *Snapshot) InstancesOf(appGUID string) []*model.Instance {
	return under[model.Instance](s, model.TableInstances+"/"+appGUID+"/")
}

// InstancesOn lists the instances that are placed on a cell or whose Next is.
func (s *Snapshot) InstancesOn(cellID string) []*model.Instance {
	return all[model.Instance](s, model.TableInstances, byCell, cellID)
}

// Instance finds one instance of an app.
func (s *Snapshot) Instance(appGUID string, index int) *model.Instance {
	return one[model.Instance](s, model.InstanceKey(appGUID, index))
}

// named finds a record by the name index.
func named[T any](s *Snapshot, table string, name model.Name) *T {
	if e := first(s.txn, table, byName, name.String()); e != nil {
		return any(e.rec).(*T)
	}
	return nil
}
