// Package scheduler closes the difference between what is desired of apps and
// volume sets and what cells report. It is the only writer of Instance and
// Volume records.
//
// Decide is pure: a snapshot and a time in, transactions out. Each is a step
// that stands by itself, decided as if all the others happened too, so that
// one that meets a conflict holds up nobody; what is still different after it
// is decided again on the next snapshot. Run is the loop around it.
//
// Volumes come first, since where they land they stay; instances go where
// their volumes are. A fixed volume that was mounted never changes cell: it
// ends after its drain has yielded, after the removal of its index, or with a
// cell that a person declared lost. An instance is placed on another cell only
// when the process on the old one is known to have stopped: it yielded, the
// cell's lease ran out so that its agent has fenced itself (floating volumes
// and none), or the cell is lost. Only an instance without volumes is started
// in two places, its replacement first, when its cell is evacuated.
package scheduler
