package dev

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"

	"mooring/container/process"
)

// onHost lists the processes that carry the mark of a run directory.
func onHost(runDir string) []int {
	mark := []byte(process.HostMark + "=" + runDir)
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
