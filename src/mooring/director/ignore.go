package director

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// SetIgnored has BOSH ignore an instance from now on, or no longer: it does not act
// on one, and passes over it when it plans what to do to its group. It takes
// effect at once, whoever holds the deployment, for what is planned later.
func (c *Client) SetIgnored(ctx context.Context, deployment, group, id string, ignored bool) error {
	body, err := json.Marshal(map[string]bool{"ignore": ignored})
	if err != nil {
		return err
	}
	_, err = c.patiently(ctx, call{
		method: http.MethodPut, path: path("deployments", deployment, "instance_groups", group, id, "ignore"),
		header: map[string]string{"Content-Type": "application/json"}, body: body,
	})
	return err
}

// IgnoredIn lists the instances of a group that BOSH ignores. The Director looks
// that up in a task, which waits for a worker, though for no lock. say is told
// why nobody hears of it.
func (c *Client) IgnoredIn(ctx context.Context, deployment, group string, say func(why string)) ([]string, error) {
	a, err := c.patiently(ctx, call{method: http.MethodGet, path: path("deployments", deployment, "instances"), query: url.Values{"format": {"full"}}})
	if err != nil {
		return nil, err
	}
	task, err := taskIn(a)
	if err != nil {
		return nil, err
	}
	if _, err := c.Follow(ctx, task, nil, nil, func(why string) {
		if why != "" {
			say(why)
		}
	}); err != nil {
		return nil, fmt.Errorf("looking up which instances of %s are ignored: %w", deployment, err)
	}
	a, err = c.patiently(ctx, call{method: http.MethodGet, path: path("tasks", strconv.Itoa(task), "output"), query: url.Values{"type": {"result"}}})
	if err != nil {
		return nil, err
	}
	var ids []string
	for line := range bytes.Lines(a.body) {
		var instance struct {
			ID      string `json:"id"`
			Group   string `json:"job_name"`
			Ignored bool   `json:"ignore"`
		}
		if err := json.Unmarshal(line, &instance); err != nil {
			return nil, fmt.Errorf("reading which instances of %s are ignored: %w", deployment, err)
		}
		if instance.Group == group && instance.Ignored {
			ids = append(ids, instance.ID)
		}
	}
	return ids, nil
}

// passOver has BOSH ignore the instances that a task about to start is to pass
// over, but those that somebody else has it ignore. What it is about to have
// ignored it says beforehand, so that whoever comes after it can undo that.
func (h *Hands) passOver(ctx context.Context, deployment, group string, watch Observer) (undo func(), err error) {
	undo = func() {}
	which, ours := watch.Passes()
	if len(which)+len(ours) == 0 {
		return undo, nil
	}
	// In somebody else's task they would be missing.
	if err := h.Client.checkFree(ctx, deployment); err != nil {
		return undo, err
	}
	ignored, err := h.Client.IgnoredIn(ctx, deployment, group, watch.Waits)
	if err != nil {
		return undo, err
	}
	wanted := slices.DeleteFunc(slices.Clone(which), func(id string) bool {
		return slices.Contains(ignored, id) && !slices.Contains(ours, id)
	})
	if err := watch.Ignores(append(slices.Clone(ours), wanted...)); err != nil {
		return undo, err
	}
	undo = func() {
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), answerPatience)
		defer done()
		if h.Unignore(ctx, deployment, group, wanted, nil) == nil {
			_ = watch.Ignores(nil) // what is still on record is undone later
		}
	}
	if err := h.Unignore(ctx, deployment, group, slices.DeleteFunc(ours, func(id string) bool { return slices.Contains(wanted, id) }), nil); err != nil {
		return undo, err
	}
	for _, id := range wanted {
		// BOSH may have no such instance any more.
		if err := h.Client.SetIgnored(ctx, deployment, group, id, true); err != nil && !NotFound(err) {
			return undo, err
		}
	}
	return undo, nil
}

// Unignore has BOSH ignore instances no longer, and goes on until it answers.
// say, unless nil, is told why that takes a while. An instance that is not
// there any more is not ignored either.
func (h *Hands) Unignore(ctx context.Context, deployment, group string, ids []string, say func(waits string)) error {
	for _, id := range ids {
		for {
			err := h.Client.SetIgnored(ctx, deployment, group, id, false)
			if err == nil || NotFound(err) {
				break
			}
			if say != nil {
				say(err.Error())
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(3 * h.Client.poll):
			}
		}
	}
	return nil
}
