package devtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// executable is the moor under test, built once for the test binary.
var executable string

// Main builds moor, runs the tests and exits; call it from TestMain.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "moor-test")
	if err != nil {
		panic(err)
	}
	executable = filepath.Join(dir, "moor")
	build := exec.Command("go", "build", "-o", executable, "mooring/cmd/moor")
	build.Stderr = os.Stderr
	status := 1
	if build.Run() == nil {
		status = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// Moor gives the path of the executable under test.
func Moor() string {
	if executable == "" {
		panic("the package's TestMain has to call devtest.Main")
	}
	return executable
}
