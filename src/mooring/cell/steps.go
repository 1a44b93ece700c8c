package cell

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"mooring/container"
	"mooring/model"
	"mooring/volume"
)

// opTimeout bounds one attach and start, or one call that makes or gives up a
// volume; a detach writes all of a volume's data to disk.
const opTimeout = 2 * time.Minute

// nothing is the effect of a step that only changes the memory.
func nothing() {}

// act changes the memory as a step asks and gives the effect that follows.
func (d *driver) act(ctx context.Context, next step, w *want, now time.Time) (effect func()) {
	switch next {
	case start:
		return d.start(ctx, w)
	case stop:
		d.Next = model.AfterInterrupt
		return func() { d.stop(ctx, d.agent.cfg.StopGrace) }
	case kill, oversleep:
		if next == kill {
			d.Next = model.AfterInterrupt
		}
		return func() { d.stop(ctx, 0) }
	case detach:
		return func() { d.detach(ctx) }
	case acceptTask:
		d.accept(w, now)
		return nothing
	case runHandler:
		d.Disruption.State = model.TaskRunning
		task := *w.Task
		if task.Handler.Cancel != "" {
			d.Undo = &task
		}
		return func() { d.handle(ctx, task) }
	case runCancel:
		d.Disruption.Cancel, d.Disruption.CancelError = model.CancelRunning, ""
		task := *d.Undo
		return func() { d.undo(ctx, task) }
	case cancelHandler:
		return d.handler.end
	case cancelTask:
		d.Disruption.State = model.TaskCancelled
		return nothing
	case stopForTask:
		d.Next = model.AfterInterrupt
		d.Undo = nil // the next process begins anew
		d.Disruption.State, d.Disruption.Grace = model.TaskStopping, model.Duration(d.agent.cfg.StopGrace)
		return func() { d.stop(ctx, d.agent.cfg.StopGrace) }
	case yield:
		d.Crashed, d.Streak, d.Next = false, 0, model.AfterInterrupt
		d.Disruption.State, d.Disruption.Error = model.TaskYielded, ""
		return func() { d.tries, d.nextTry, d.problem = 0, time.Time{}, "" }
	case failTask:
		d.Disruption.State, d.Disruption.FlaggedAt = model.TaskFailed, now
		d.Disruption.Error = "the instance's process is down, so nobody can hand its data over: " + d.whyDown()
		return nothing
	case renew:
		old := d.Work.GUID
		d.memory = memory{}
		return func() {
			d.tries, d.nextTry, d.problem = 0, time.Time{}, ""
			if err := d.agent.runtime.Remove(old); err != nil {
				d.log.Error("cannot remove an earlier instance", "error", err)
			}
		}
	}
	panic(fmt.Sprintf("step %d cannot be taken", next))
}

// whyDown says why no process runs, for people.
func (d *driver) whyDown() string {
	switch {
	case d.problem != "":
		return d.problem
	case d.LastExit != "":
		return d.LastExit
	}
	return "it has not been started"
}

// start attaches the volumes and starts the process.
func (d *driver) start(ctx context.Context, w *want) (effect func()) {
	if d.Work.SpecVersion != w.SpecVersion {
		d.Crashed, d.Streak = false, 0
	}
	after := d.Next
	if after == "" {
		after = w.StartedAfter
	}
	// What is over is not reported of the next process.
	d.Disruption = ongoing(d.Disruption, w.Task)
	d.Work, d.Floats, d.Up, d.StartedAfter = w.InstanceWork, w.Floats, true, after
	d.Work.Task, d.Undo, d.Token = nil, nil, rand.Text()
	d.claim(mounted(w))
	token := d.Token
	return func() {
		d.busy, d.overslept = true, false
		d.agent.passes.give(token, w.App)
		limited, cancel := context.WithTimeout(ctx, opTimeout)
		d.giveUp = cancel
		go func() {
			defer cancel()
			instance, err := d.launch(limited, w, after, token)
			d.post(func() { d.launched(ctx, instance, err) })
		}()
	}
}

// mounted lists the volumes that an instance is to have.
func mounted(w *want) []string {
	volumes := make([]string, len(w.Mounts))
	for i, mount := range w.Mounts {
		volumes[i] = mount.VolumeGUID
	}
	return volumes
}

// ongoing keeps the report of a task that is still wanted.
func ongoing(d *model.ActualDisruption, task *model.Task) *model.ActualDisruption {
	if d != nil && task != nil && task.PermitID == d.PermitID {
		return d
	}
	return nil
}

func (d *driver) launch(ctx context.Context, w *want, after model.StartedAfter, token string) (container.Instance, error) {
	if err := d.agent.claims.free(ctx, mounted(w)); err != nil {
		return nil, err
	}
	sources := make([]string, len(w.Mounts))
	for i, mount := range w.Mounts {
		placed, found := w.volume(mount.VolumeGUID)
		if !found {
			return nil, fmt.Errorf("volume %s of set %s is not placed on this cell", mount.VolumeGUID, mount.Set)
		}
		if err := d.agent.cfg.Volumes.Ensure(ctx, placed); err != nil {
			return nil, fmt.Errorf("making volume %s of set %s: %w", mount.VolumeGUID, mount.Set, err)
		}
		path, err := d.agent.cfg.Volumes.Attach(ctx, placed)
		if err != nil {
			return nil, fmt.Errorf("attaching volume %s of set %s: %w", mount.VolumeGUID, mount.Set, err)
		}
		sources[i] = path
	}
	spec, err := specOf(w.InstanceWork, after, sources, d.agent.settings(token))
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("starting it: %w", err)
	}
	return d.agent.runtime.Start(ctx, spec)
}

// launched takes the result of a start.
func (d *driver) launched(ctx context.Context, instance container.Instance, err error) {
	d.busy, d.giveUp = false, nil
	if err != nil {
		d.Up = false
		d.agent.passes.revoke(d.Token)
		d.retryLater(err)
		return
	}
	if d.Crashed {
		d.Restarts++
	}
	d.Crashed, d.Next, d.Output = false, model.AfterCrash, nil
	d.tries, d.nextTry, d.problem = 0, time.Time{}, ""
	d.follow(ctx, instance)
}

// follow looks after a process from now on.
func (d *driver) follow(ctx context.Context, instance container.Instance) {
	now := time.Now()
	d.instance, d.upSince, d.probeAt, d.probing = instance, now, now, false
	d.alive, d.died = context.WithCancel(ctx)
	d.vitals = newVitals(d.Work.Spec.Health.WithDefaults(), d.Work.HealthyFor.D(), now)
	go func() {
		<-instance.Done()
		d.post(func() { d.exited(instance) })
	}()
	d.log.Info("instance runs", "pid", instance.PID(), "started_after", d.StartedAfter)
}

// stop ends the process, in the background.
func (d *driver) stop(ctx context.Context, grace time.Duration) {
	d.stopping, d.killing = true, grace == 0
	instance := d.instance
	go func() {
		if err := instance.Stop(ctx, grace); err != nil {
			d.log.Error("cannot stop an instance", "error", err)
			time.Sleep(firstRetry)
			d.post(func() { d.stopping, d.killing, d.problem = false, false, err.Error() })
		}
	}()
}

// exited takes note of the end of a process, and of whose doing it was.
func (d *driver) exited(instance container.Instance) {
	exit := instance.Exit().String()
	asked := d.stopping && !d.overslept
	if d.overslept {
		exit = fmt.Sprintf("killed: not healthy within %s: %v", d.Work.Spec.Health.WithDefaults().StartTimeout, d.vitals.problem)
	}
	d.log.Info("instance ended", "exit", exit, "asked", asked)
	d.died()
	d.agent.passes.revoke(d.Token)
	quiet := time.Since(d.upSince) >= quietTime
	d.instance, d.vitals, d.stopping, d.killing, d.overslept = nil, nil, false, false, false
	d.Up, d.LastExit = false, exit
	d.nextTry = time.Time{}
	if asked {
		d.Crashed, d.Streak = false, 0
		return
	}
	if quiet {
		d.Streak = 0
	}
	d.crash(time.Now())
}

// crash takes note that the process ended by itself.
func (d *driver) crash(now time.Time) {
	d.Crashed, d.Next = true, model.AfterCrash
	d.Streak++
	d.nextTry = now.Add(restartPause(d.Streak))
	d.Output = d.agent.tail(d.Work.GUID)
}

// detach gives up the volumes, in the background.
func (d *driver) detach(ctx context.Context) {
	d.busy = true
	volumes := d.Attached
	go func() {
		ctx, cancel := context.WithTimeout(ctx, opTimeout)
		defer cancel()
		var failed error
		for _, guid := range volumes {
			// What was taken from this cell is not held by it.
			if err := d.agent.cfg.Volumes.Detach(ctx, guid); err != nil && !errors.Is(err, volume.ErrFenced) {
				failed = errors.Join(failed, fmt.Errorf("detaching volume %s: %w", guid, err))
			}
		}
		d.post(func() {
			d.busy = false
			if d.away++; !errors.Is(failed, volume.ErrAway) {
				d.away = 0
			}
			if failed != nil {
				d.retryLater(failed)
				return
			}
			d.tries, d.nextTry, d.problem = 0, time.Time{}, ""
			d.claim(nil)
			d.agent.keeper.wake()
		})
	}()
}

// retryLater notes why something could not be done, and when to try again.
func (d *driver) retryLater(err error) {
	d.tries++
	d.nextTry = time.Now().Add(retryPause(d.tries))
	if d.problem != err.Error() {
		d.log.Warn("instance is blocked", "error", err)
	}
	d.problem = err.Error()
}
