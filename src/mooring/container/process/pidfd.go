package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"mooring/container"
)

// handle is a hold on one process that stays valid when its number is given
// to another one.
type handle struct{ file *os.File }

// open takes hold of the process that has this number and start time. errGone
// when it is not there any more.
func open(pid int, start uint64) (*handle, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("taking hold of process %d: %w", pid, err)
	}
	held := &handle{file: os.NewFile(uintptr(fd), fmt.Sprintf("pidfd:%d", pid))}
	// Only now is it sure that the start time read is that of what is held.
	found, err := readStat(pid)
	if err != nil || found.Start != start {
		held.close()
		return nil, errGone
	}
	return held, nil
}

func (h *handle) close() { h.file.Close() }

// signal sends a signal. errGone when the process has ended.
func (h *handle) signal(sig unix.Signal) error {
	conn, err := h.file.SyscallConn()
	if err != nil {
		return errGone
	}
	var sent error
	if err := conn.Control(func(fd uintptr) { sent = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); err != nil {
		return errGone
	}
	if errors.Is(sent, unix.ESRCH) {
		return errGone
	}
	return sent
}

// wait returns nil when the process has ended (it may not be reaped yet), or
// the context's error. It takes no thread: the pidfd becomes readable.
func (h *handle) wait(ctx context.Context) error {
	conn, err := h.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("waiting for a process: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = h.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		// An earlier wait may have left its deadline behind.
		_ = h.file.SetReadDeadline(time.Time{})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := conn.Read(func(fd uintptr) bool {
			poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(poll, 0)
			return err == nil && n > 0
		})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// exit asks the kernel how a process ended that is not our child. Kernels
// before 6.15 do not tell.
func (h *handle) exit() container.Exit {
	// The answer is there once the parent has reaped the process, which init
	// does at once.
	for range 20 {
		info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
		asked := errors.New("not asked")
		if conn, err := h.file.SyscallConn(); err == nil {
			_ = conn.Control(func(fd uintptr) { asked = unix.IoctlPidfdInfo(int(fd), &info) })
		}
		if asked == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0 {
			return exitOf(unix.WaitStatus(info.Exit_code))
		}
		if asked != nil && !errors.Is(asked, unix.ESRCH) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return container.Exit{}
}

func exitOf(status unix.WaitStatus) container.Exit {
	if status.Signaled() {
		return container.Exit{Known: true, Signal: status.Signal()}
	}
	return container.Exit{Known: true, Status: status.ExitStatus()}
}
