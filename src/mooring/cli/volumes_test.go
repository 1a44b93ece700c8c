package cli_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

func noContent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func TestCreateVolumeSet(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("POST /v1/volume-sets", client.VolumeSetView{VolumeSet: model.VolumeSet{Name: db, Class: "persistent", Count: 6, Size: model.Gigabyte}})
	r := api.run(t, "create-volume-set", "db", "--class", "persistent", "--count", "6", "--size", "1G", "--reserve-memory", "512M")
	g.Expect(r).To(Equal(result{0, "acme/prod/db created: 6 persistent volumes of 1G; see moor volumes db\n", ""}))
	g.Expect(api.requests()).To(Equal([]string{
		`POST /v1/volume-sets {"org":"acme","space":"prod","name":"db","class":"persistent","count":6,"size":"1G","reserve_memory":"512M"}`}))

	r = api.run(t, "create-volume-set", "db", "--size", "7")
	g.Expect(r.status).To(Equal(2))
	g.Expect(r.err).To(ContainSubstring("--size: size \"7\" has no unit"))
}

func TestVolumeSets(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/volume-sets", []client.VolumeSetView{
		{VolumeSet: model.VolumeSet{Name: db, Class: "persistent", Survives: model.Recreate, Count: 6, Size: model.Gigabyte}, App: "acme/prod/db"},
		{VolumeSet: model.VolumeSet{Name: model.Name{Org: "acme", Space: "prod", Name: "old"}, Class: "shared", Floating: true, Survives: model.Retire, Size: model.Gigabyte, Deleting: true}},
	})
	g.Expect(api.run(t, "volume-sets").out).To(Equal(lines(
		"name            class        kind       survives   volumes   size   reserve_memory   app",
		"acme/prod/db    persistent   fixed      recreate   6         1G     0                acme/prod/db",
		"acme/prod/old   shared       floating   retire     0         1G     0                being deleted",
	)))
}

func TestVolumes(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	volumes := []client.VolumeView{
		{Volume: model.Volume{GUID: "v0", Index: 0, Class: "persistent", Size: model.Gigabyte, AZ: "z1", CellID: "cell-1"}, State: model.VolumeAttached, Used: model.Megabyte},
		{Volume: model.Volume{GUID: "v1", Index: 1, Class: "persistent", Size: model.Gigabyte, Unplaced: "no cell has 1G left"}},
		{Volume: model.Volume{GUID: "v2", Index: 2, Class: "persistent", Size: model.Gigabyte, AZ: "z1", CellID: "cell-1", GaveWay: "it shares its cell"}, State: model.VolumeAttached},
	}
	api.answers("GET /v1/volume-sets/acme/prod/db", client.VolumeSetView{Volumes: volumes})
	want := lines(
		"volume           class        size   used   az   cell     state      guid   details",
		"acme/prod/db/0   persistent   1G     1M     z1   cell-1   attached   v0     -",
		"acme/prod/db/1   persistent   1G     0      -    -        -          v1     placed nowhere: no cell has 1G left",
		"acme/prod/db/2   persistent   1G     0      z1   cell-1   attached   v2     it shares its cell",
	)
	g.Expect(api.run(t, "volumes", "db").out).To(Equal(want))
	for i := range volumes {
		volumes[i].Set = "acme/prod/db"
	}
	api.answers("GET /v1/volumes", volumes)
	g.Expect(api.run(t, "volumes").out).To(Equal(want))
}

func TestDeleteVolumeSetWantsItsName(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.mux.HandleFunc("DELETE /v1/volume-sets/acme/prod/db", noContent)
	for _, in := range []string{"", "y\n", "other\n"} {
		r := api.runWith(t, in, "delete-volume-set", "db")
		g.Expect(r.status).To(Equal(1))
		g.Expect(r.err).To(And(ContainSubstring("All data of acme/prod/db will be lost"), ContainSubstring("nothing was deleted")))
	}
	g.Expect(api.run(t, "delete-volume-set", "db", "--confirm", "other").status).To(Equal(1))
	g.Expect(api.requests()).To(BeEmpty())
	g.Expect(api.runWith(t, "db\n", "delete-volume-set", "db").status).To(Equal(0))
	g.Expect(api.run(t, "delete-volume-set", "db", "--confirm", "acme/prod/db").status).To(Equal(0))
	g.Expect(api.requests()).To(HaveLen(2))
}
