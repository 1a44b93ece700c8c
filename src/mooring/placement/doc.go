// Package placement chooses where volumes and instances go. It is pure: an
// Index is filled with the cells and with what is on them, and asked.
//
// Hard constraints are never broken: the cell takes new work (present, not
// cordoned, not lost), is in the pool, offers the volume class, and has the
// memory and the disk. Soft ones order what is left, the first that differs
// deciding:
//
//  1. fewest members of the group (a volume set, or an app without volumes) on
//     the cell, so that no two share one while another cell can take it;
//  2. fewest of them in the AZ;
//  3. for fixed volumes, where they land they stay: the home of their set, a run
//     of cells that sets of its size keep to, so that a plan rolls what is in one
//     home without waiting for another (see home);
//  4. outside it, fewest in the update domain of that AZ, then in the domains of
//     that number in all AZs, since plans roll domain by domain;
//  5. least load: the share of the cell's memory that is taken, then the number
//     of things on it. A cell that runs nothing has the least load there is.
//
// A result says which of 1, 2 and 4 had to give way, a refusal which hard
// constraint failed on how many cells.
package placement
