package model

import "slices"

// Empty reports whether the selector says nothing at all.
func (s Selector) Empty() bool {
	return !s.All && len(s.IDs) == 0 && s.Pool == "" && len(s.AZ) == 0
}

// Chooses reports whether the cell is among those chosen.
func (s Selector) Chooses(cell *Cell) bool {
	switch {
	case s.Empty():
		return false
	case len(s.IDs) > 0 && !slices.Contains(s.IDs, cell.ID):
		return false
	case s.Pool != "" && s.Pool != cell.Pool:
		return false
	case len(s.AZ) > 0 && !slices.Contains(s.AZ, cell.AZ):
		return false
	}
	return true
}
