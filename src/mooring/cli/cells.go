package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"mooring/client"
)

func cellsCommand() *cli.Command {
	return command(hosts, "cells", "", "list cells", `Examples:
   moor cells
   moor cells --json`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			cells, err := s.api.Cells(s.ctx())
			if err != nil {
				return err
			}
			if printed, err := s.json(cells); printed || err != nil {
				return err
			}
			t := newTable(s.out, "cell", "az", "pool", "domain", "state", "roll", "instances", "volumes", "memory", "disk")
			for _, cell := range cells {
				t.row(cell.ID, cell.AZ, cell.Pool, cell.Domain, cellState(&cell), rollText(&cell), cell.InstanceCount, cell.VolumeCount,
					fmt.Sprintf("%s/%s", cell.MemoryReserved, cell.Memory), diskText(cell.Disk))
			}
			return t.flush()
		})
}

// cellState says whether a cell is there and takes work.
func cellState(cell *client.CellView) string {
	state := "present"
	switch {
	case cell.Lost:
		state = "lost"
	case !cell.Present:
		state = "absent"
	}
	if cell.Cordon != nil {
		state += ", cordoned"
	}
	return state
}

func rollText(cell *client.CellView) string {
	if cell.Plan == "" {
		return ""
	}
	return cell.Plan + " " + string(cell.Phase)
}

func diskText(disk []client.ClassView) string {
	var parts []string
	for _, class := range disk {
		parts = append(parts, fmt.Sprintf("%s %s/%s", class.Name, class.Reserved, class.Capacity))
	}
	return strings.Join(parts, ", ")
}

func cellCommand() *cli.Command {
	return command(hosts, "cell", "CELL", "show a cell, its instances and its volumes", `Examples:
   moor cell cell-3`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			cell, err := s.api.Cell(s.ctx(), s.Args().First())
			if err != nil {
				return err
			}
			if printed, err := s.json(cell); printed || err != nil {
				return err
			}
			return s.showCell(cell)
		})
}

func (s *session) showCell(cell *client.CellView) error {
	cordon := ""
	if cell.Cordon != nil {
		cordon = fmt.Sprintf("by %s for %s", cell.Cordon.Holder, ago(cell.Cordon.Since, s.now()))
	}
	err := facts(s.out,
		"cell", cell.ID,
		"state", cellState(cell),
		"roll", rollText(cell),
		"cordoned", cordon,
		"az", cell.AZ,
		"pool", cell.Pool,
		"domain", cell.Domain,
		"column", cell.Column,
		"address", cell.Address,
		"memory", fmt.Sprintf("%s of %s reserved", cell.MemoryReserved, cell.Memory),
		"disk", diskText(cell.Disk),
		"boot", cell.Boot,
		"refused", cell.Refused,
		"registered", ago(cell.RegisteredAt, s.now())+" ago",
	)
	if err != nil {
		return err
	}
	s.say("")
	t := newTable(s.out, "instance", "standing", "state", "address", "version", "details")
	for _, i := range cell.Instances {
		t.row(fmt.Sprintf("%s/%d", i.App, i.Index), i.Standing, string(i.State), address(i.InstanceView), i.SpecVersion, details(i.InstanceView))
	}
	if err := t.flush(); err != nil {
		return err
	}
	s.say("")
	return showVolumes(s, cell.Volumes)
}
