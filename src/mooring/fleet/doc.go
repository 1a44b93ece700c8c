// Package fleet is the brains on a described fleet, no cluster needed: it
// reads a fleet file, places what is not placed (Place) and rolls every cell
// in simulated time (Simulate). It is pure but for the reader and writer, and
// the clock, that it is given.
//
// A fleet file is one JSON object:
//
//	{"cells": [{"id", "az", "domain"?, "column"?, "memory_mb"?, "disk_mb"?}],
//	 "apps": [{"name", "instances", "max_interrupted", "kind": "fixed|floating|none",
//	           "memory_mb"?, "disk_mb"?, "move_s"?, "cells": [id per index]?}],
//	 "rolls": {"<cell>": seconds}, "estimates": {"<cell>": seconds}?,
//	 "max_in_flight"?, "canaries"?, "az_serial"?, "move_s"?,
//	 "failures": [{"cell", "at_s", "for_s"}]?}
//
// rolls are the true durations; planning only looks at estimates. A cell that
// rolls leaves out is not rolled. Limits are a count or a share ("10%"). A
// domain is a number or a text, and is written back as it was given. An app of
// kind floating or none spends budget only for the time of a move (move_s, 30
// unless given). Of k such instances on a cell, with a limit of L, min(k, L)
// move at a time: the roll spends as many for ceil(k/L) moves from its start,
// and never for longer than it takes itself. So only a limit of 0 keeps their
// cell from ever rolling. Instances of kind fixed are down with their cell, all
// together: more of them than the limit keep it from ever rolling. null is the
// same as left out. A key that is nearly one of these is refused as misspelt;
// any other is a note of somebody else's, and is passed over with a warning.
package fleet
