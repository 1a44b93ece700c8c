// Package volume is the volume manager: the component beside each cell that
// hides where data lies behind the few facts a scheduler cares about: what a
// class survives, how much of it there is, and who holds a volume now.
//
// The manager runs as its own process (Serve) and keeps everything it must
// remember in files, so it can be killed at any moment: who has a volume
// attached is the same after it starts again. A cell's agent speaks to it over
// a unix socket (Dial).
//
// A class is a directory. A volume is a directory in it, named by its GUID:
//
//	ROOT/GUID/meta.json    what the volume is
//	ROOT/GUID/holder.json  who holds it: cell, boot, epoch
//	ROOT/GUID/data/        the data; what Attach returns
//
// The root of a floating class is one that every cell of the AZ can reach.
// Holders are changed under a lock on the root and replaced atomically, so two
// managers on one root cannot both believe that they hold a volume.
package volume
