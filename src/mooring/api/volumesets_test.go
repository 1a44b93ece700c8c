package api

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

func TestAVolumeSetTakesWhatItsClassSays(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	set, err := f.CreateVolumeSet(t.Context(), client.VolumeSetRequest{
		Name: named("data"), Class: model.ClassPersistent, Count: 3, Size: 2 * model.Gigabyte, ReserveMemory: 256 * model.Megabyte,
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(set.VolumeSet).To(And(
		HaveField("GUID", Not(BeEmpty())), HaveField("Survives", model.Recreate), HaveField("Floating", false),
		HaveField("Count", 3), HaveField("Size", 2*model.Gigabyte), HaveField("ReserveMemory", 256*model.Megabyte),
	))
	floating, err := f.CreateVolumeSet(t.Context(), client.VolumeSetRequest{Name: named("shared"), Class: model.ClassShared, Count: 2, Size: model.Gigabyte})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(floating.Floating).To(BeTrue())

	g.Expect(f.VolumeSets(t.Context())).To(HaveExactElements(HaveField("VolumeSet.Name.Name", "data"), HaveField("VolumeSet.Name.Name", "shared")))
	g.Expect(f.Events(t.Context(), client.EventQuery{})).To(ContainElement(HaveField("Kind", model.EventVolumeSetCreated)))
	_, err = f.VolumeSet(t.Context(), named("nothing"))
	g.Expect(client.NotFound(err)).To(BeTrue())
}

func TestVolumeSetsThatCannotBeAreRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	set := client.VolumeSetRequest{Name: named("data"), Class: model.ClassPersistent, Count: 2, Size: model.Gigabyte}
	_, err := f.CreateVolumeSet(t.Context(), set)
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "there are: none"), "no cell has registered")

	f.withCells(t, 2)
	for text, spoil := range map[string]func(*client.VolumeSetRequest){
		"larger than any cell of pool default can take: class persistent has at most 10G":    func(s *client.VolumeSetRequest) { s.Size = 11 * model.Gigabyte },
		"class persistent has room for 2":                                                    func(s *client.VolumeSetRequest) { s.Size, s.Count = 10*model.Gigabyte, 3 },
		"class shared has room for 8":                                                        func(s *client.VolumeSetRequest) { s.Class, s.Count = model.ClassShared, 9 },
		`"golden" is not offered by any cell of pool default; there are: persistent, shared`: func(s *client.VolumeSetRequest) { s.Class = "golden" },
		"pool gold":         func(s *client.VolumeSetRequest) { s.Pool = "gold" },
		"is not a name":     func(s *client.VolumeSetRequest) { s.Name = named("Data!") },
		"each volume holds": func(s *client.VolumeSetRequest) { s.Size = 0 },
		"count":             func(s *client.VolumeSetRequest) { s.Count = -1 },
	} {
		spoiled := set
		spoil(&spoiled)
		_, err := f.CreateVolumeSet(t.Context(), spoiled)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, text))
	}
	g.Expect(f.VolumeSets(t.Context())).To(BeEmpty(), "what is refused changes nothing")

	_, err = f.CreateVolumeSet(t.Context(), set)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.CreateVolumeSet(t.Context(), set)
	g.Expect(err).To(refusal(http.StatusConflict, "exists"))
}

func TestAMountedVolumeSetIsNotDeleted(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1).withSet(t, "data", 2)
	_, err := f.Push(t.Context(), aPush("data", 2))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.DeleteVolumeSet(t.Context(), named("data"))).To(refusal(http.StatusConflict, "mounted by app acme/prod/data"))

	g.Expect(f.DeleteApp(t.Context(), named("data"))).To(Succeed())
	g.Expect(f.DeleteVolumeSet(t.Context(), named("data"))).To(refusal(http.StatusConflict, "mounted by"), "its instances may still run")

	tx := f.store.Snapshot().Txn()
	tx.Delete(f.store.Snapshot().AppNamed(named("data")))
	_, err = f.store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.DeleteVolumeSet(t.Context(), named("data"))).To(Succeed())
	g.Expect(f.DeleteVolumeSet(t.Context(), named("data"))).To(Succeed(), "twice is no error")
	g.Expect(f.VolumeSet(t.Context(), named("data"))).To(HaveField("Deleting", true))
	_, err = f.CreateVolumeSet(t.Context(), client.VolumeSetRequest{Name: named("data"), Class: model.ClassPersistent, Count: 2, Size: model.Gigabyte})
	g.Expect(err).To(refusal(http.StatusConflict, "being deleted"))
}

func TestAVolumeShowsWhereItIsToBeAndWhatIsThere(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2).withSet(t, "data", 1)
	set := f.store.Snapshot().VolumeSetNamed(named("data"))
	f.put(t,
		&model.Volume{GUID: "v", SetGUID: set.GUID, Index: 0, Class: set.Class, Size: set.Size, AZ: "z1", CellID: "c1"},
		&model.ActualVolume{GUID: "v", CellID: "c2", State: model.VolumeAttached, Used: model.Megabyte},
		&model.ActualVolume{GUID: "v", CellID: "c1", State: model.VolumeReady},
	)
	held := And(HaveField("Set", "acme/prod/data"), HaveField("CellID", "c1"), HaveField("HeldBy", "c2"), HaveField("State", model.VolumeAttached), HaveField("Used", model.Megabyte))
	g.Expect(f.Volumes(t.Context())).To(ConsistOf(held))
	g.Expect(f.VolumeSet(t.Context(), named("data"))).To(HaveField("Volumes", ConsistOf(held)))
	g.Expect(f.Cell(t.Context(), "c1")).To(And(
		HaveField("VolumeCount", 1), HaveField("Volumes", ConsistOf(held)),
		HaveField("Disk", ContainElement(client.ClassView{Name: "persistent", Capacity: 10 * model.Gigabyte, Reserved: model.Gigabyte})),
	))
}
