package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// stat is what the kernel says of a process. PID and Start together name a
// process for good: numbers are used again, start times are not.
type stat struct {
	PID, Parent, Group, Session int
	State                       byte
	// Start is the time since boot at which the process started, in ticks.
	Start uint64
}

// dead reports whether the process has ended and only waits to be reaped.
func (s stat) dead() bool { return s.State == 'Z' || s.State == 'X' }

// errGone says that there is no such process.
var errGone = errors.New("process is gone")

// readStat reads /proc/PID/stat. errGone when there is no such process.
func readStat(pid int) (stat, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, errGone
	}
	return parseStat(pid, string(content))
}

// parseStat reads the fields after the command's name, which is in
// parentheses and may itself hold spaces and parentheses.
func parseStat(pid int, line string) (stat, error) {
	_, rest := line, ""
	if at := strings.LastIndexByte(line, ')'); at >= 0 {
		rest = line[at+1:]
	}
	fields := strings.Fields(rest)
	const stateAt, parentAt, groupAt, sessionAt, startAt = 0, 1, 2, 3, 19
	if len(fields) <= startAt {
		return stat{}, fmt.Errorf("reading /proc/%d/stat: %d fields after the name, too few", pid, len(fields))
	}
	found := stat{PID: pid, State: fields[stateAt][0]}
	for at, into := range map[int]*int{parentAt: &found.Parent, groupAt: &found.Group, sessionAt: &found.Session} {
		n, err := strconv.Atoi(fields[at])
		if err != nil {
			return stat{}, fmt.Errorf("reading /proc/%d/stat: %w", pid, err)
		}
		*into = n
	}
	start, err := strconv.ParseUint(fields[startAt], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("reading /proc/%d/stat: %w", pid, err)
	}
	found.Start = start
	return found, nil
}

// processes lists everything that runs now, dead ones left out, by PID.
func processes() ([]stat, error) {
	entries, err := fs.ReadDir(os.DirFS("/proc"), ".")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var all []stat
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// A process that ended between the listing and here is not one.
		if found, err := readStat(pid); err == nil && !found.dead() {
			all = append(all, found)
		}
	}
	return all, nil
}

// environ reads the environment a process was started with; nil when it may
// not be read. Programs that rewrite their title destroy it, so it is one way
// of finding a process among several, never the only one.
func environ(pid int) [][]byte {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return nil
	}
	return bytes.Split(content, []byte{0})
}

// carries reports whether the process was started with all of the variables,
// each KEY=VALUE.
func carries(pid int, variables ...string) bool {
	if len(variables) == 0 {
		return false
	}
	found := environ(pid)
	for _, variable := range variables {
		if !slices.ContainsFunc(found, func(v []byte) bool { return string(v) == variable }) {
			return false
		}
	}
	return true
}
