package model

import (
	"fmt"
	"slices"
	"strings"
)

// DefaultPool is the placement pool of cells and apps that name none.
const DefaultPool = "default"

// Pooled gives the name of a placement pool, which is the default one when
// none is named.
func Pooled(name string) string {
	if name == "" {
		return DefaultPool
	}
	return name
}

// Choose gives the cells that the selector chooses, in their order. Cells that
// were declared lost are no part of any plan. A selector that names a cell
// which is not there, or chooses none at all, is an error that says so.
func (s Selector) Choose(cells []*Cell) ([]*Cell, error) {
	var chosen []*Cell
	known := map[string]*Cell{}
	for _, cell := range cells {
		known[cell.ID] = cell
		if s.chooses(cell) {
			chosen = append(chosen, cell)
		}
	}
	var unknown []string
	for _, id := range s.IDs {
		switch cell := known[id]; {
		case cell == nil:
			unknown = append(unknown, id)
		case cell.Lost:
			return nil, fmt.Errorf("cell %s was declared lost; leave it out", id)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("there is no cell %s; see the cells with: moor cells", strings.Join(unknown, ", "))
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no cell is chosen by %s; see the cells with: moor cells", s)
	}
	return chosen, nil
}

func (s Selector) chooses(cell *Cell) bool {
	return !cell.Lost &&
		(len(s.IDs) == 0 || slices.Contains(s.IDs, cell.ID)) &&
		(s.Pool == "" || Pooled(cell.Pool) == Pooled(s.Pool)) &&
		(len(s.AZ) == 0 || slices.Contains(s.AZ, cell.AZ))
}

// String says what is chosen, such as "pool gold, AZ z1 or z2".
func (s Selector) String() string {
	var parts []string
	if len(s.IDs) > 0 {
		parts = append(parts, "cells "+strings.Join(s.IDs, ", "))
	}
	if s.Pool != "" {
		parts = append(parts, "pool "+s.Pool)
	}
	if len(s.AZ) > 0 {
		parts = append(parts, "AZ "+strings.Join(s.AZ, " or "))
	}
	if len(parts) == 0 {
		return "all cells"
	}
	return strings.Join(parts, ", ")
}
