package cli_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

func cellOne() client.CellView {
	return client.CellView{
		Cell:    model.Cell{ID: "cell-1", AZ: "z1", Pool: "default", Domain: 2, Address: "127.83.0.1", Memory: 4 * model.Gigabyte, Boot: "b1", RegisteredAt: time.Now().Add(-3 * time.Hour)},
		Present: true, Plan: "kernel", Phase: model.Settling,
		Cordon:        &model.Cordon{Holder: "roll:kernel/cell-1", Since: time.Now().Add(-time.Hour)},
		InstanceCount: 1, VolumeCount: 1, MemoryReserved: model.Gigabyte,
		Disk: []client.ClassView{{Name: "persistent", Capacity: 10 * model.Gigabyte, Reserved: model.Gigabyte}},
	}
}

func TestCells(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/cells", []client.CellView{
		cellOne(),
		{Cell: model.Cell{ID: "cell-2", AZ: "z2", Pool: "default", Domain: 1, Memory: model.Gigabyte}},
		{Cell: model.Cell{ID: "cell-3", AZ: "z2", Pool: "default", Domain: 1, Memory: model.Gigabyte, Lost: true}},
	})
	g.Expect(api.run(t, "cells").out).To(Equal(lines(
		"cell     az   pool      domain   state               roll              instances   volumes   memory   disk",
		"cell-1   z1   default   2        present, cordoned   kernel settling   1           1         1G/4G    persistent 1G/10G",
		"cell-2   z2   default   1        absent              -                 0           0         0/1G     -",
		"cell-3   z2   default   1        lost                -                 0           0         0/1G     -",
	)))
}

func TestCell(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	cell := cellOne()
	cell.Instances = []client.CellInstance{{App: "acme/prod/db", InstanceView: client.InstanceView{Index: 3, CellID: "cell-1", Present: true, Standing: "down", State: model.Crashed, SpecVersion: 1, Actual: &model.ActualInstance{State: model.Crashed, LastExit: "exit status 3"}}}}
	api.answers("GET /v1/cells/cell-1", cell)
	g.Expect(api.run(t, "cell", "cell-1").out).To(Equal(lines(
		"cell:        cell-1",
		"state:       present, cordoned",
		"roll:        kernel settling",
		"cordoned:    by roll:kernel/cell-1 for 1h",
		"az:          z1",
		"pool:        default",
		"domain:      2",
		"column:      0",
		"address:     127.83.0.1",
		"memory:      1G of 4G reserved",
		"disk:        persistent 1G/10G",
		"boot:        b1",
		"registered:  3h ago",
		"",
		"instance         standing   state     address   version   details",
		"acme/prod/db/3   down       crashed   -         1         last exit status 3",
		"",
		"volume   class   size   used   az   cell   state   guid   details",
	)))
}
