package state

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"

	"go.uber.org/zap/zapcore"
)

// trap catches what etcd does when it finds its data unusable: it logs and
// panics or exits, on any goroutine. While etcd starts, that goroutine ends
// and the start fails with an error that says what to do. Once etcd serves, a
// panic is a panic: a part of it that goes on alone could do harm.
type trap struct {
	disarmed atomic.Bool
	sprung   chan error
}

// ErrDiskFull says that what is wrong is no more than that: the data is good.
var ErrDiskFull = errors.New("the disk is full: free space")

// saysDiskFull reports whether that is what etcd says, in an error or a text.
func saysDiskFull(text string) bool { return strings.Contains(text, syscall.ENOSPC.Error()) }

func newTrap() *trap { return &trap{sprung: make(chan error, 1)} }

func (t *trap) disarm() { t.disarmed.Store(true) }

// OnWrite implements zapcore.CheckWriteHook.
func (t *trap) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	why := entry.Message
	for _, attr := range attrs(fields) {
		why += " " + attr.String()
	}
	diskFull := saysDiskFull(why)
	if t.disarmed.Load() {
		if diskFull {
			why = ErrDiskFull.Error() + " (" + why + ")"
		}
		panic("etcd: " + why)
	}
	err := fmt.Errorf("the data is unusable (%s); restore the directory from a backup, or remove it to begin with an empty state", why)
	if diskFull {
		err = fmt.Errorf("%w (%s)", ErrDiskFull, why)
	}
	select {
	case t.sprung <- err:
	default: // the first reason is the cause of the others
	}
	runtime.Goexit()
}
