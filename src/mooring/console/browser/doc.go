// Package browser tests pages as people see them, in Chromium: the board, on a fleet of
// real processes, and on a large fleet made of paper. Without a chromium on
// PATH the tests are skipped. With MOORING_SCREENSHOTS=1 what they saw is kept
// under out/screenshots of the repository.
package browser
