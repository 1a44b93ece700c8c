package dev

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// HostEnv marks every process that runs on a cell with the cell's run
// directory, so that all of them can be found whatever became of their agent.
const HostEnv = "MOORING_HOST"

// onHost lists the processes that carry the mark of a run directory.
func onHost(runDir string) []int {
	mark := []byte(HostEnv + "=" + runDir)
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	var pids []int
	for _, path := range environs {
		env, err := os.ReadFile(path)
		if err != nil {
			continue // gone meanwhile, or another user's
		}
		for variable := range bytes.SplitSeq(env, []byte{0}) {
			if bytes.Equal(variable, mark) {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}

// powerOff kills what still runs on a host and returns when nothing does. A
// process may start another while it is looked for, so it looks until none is
// left, for at most stopPatience; it reports how many it had to kill.
func powerOff(runDir string) (killed int) {
	deadline := time.Now().Add(stopPatience)
	for time.Now().Before(deadline) {
		pids := onHost(runDir)
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed++
			}
		}
		time.Sleep(5 * time.Millisecond) // the kernel needs a moment to take them down
	}
	return killed
}
