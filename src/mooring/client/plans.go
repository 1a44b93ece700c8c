package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"mooring/model"
)

// PlanRequest starts or previews a plan.
type PlanRequest struct {
	model.PlanSpec
	By     string `json:"by,omitempty" doc:"Who asks"`
	Reason string `json:"reason,omitempty"`
}

// Preview is what a plan would do to the state as it is. It is computed by the
// same brain that executes the plan.
type Preview struct {
	// Order is the cells in the order in which they get their turn.
	Order []string `json:"order"`
	// Greedy: whoever fits passes those ahead of it, whatever they wait for.
	Greedy bool `json:"greedy,omitempty"`
	// Improvable: there was no time to find out whether another order is
	// faster. While the plan's first cells roll, it is looked for, and what is
	// found takes the place of this one for the cells that have not begun.
	Improvable bool `json:"improvable,omitempty"`
	// AtOnce is the most cells in roll at the same time.
	AtOnce int `json:"at_once"`
	// Expected is how long it takes one time in two, at most (the p50),
	// Shortest and Longest one time in ten (p10) and nine times in ten (p90).
	// The time for which a window is closed in between counts.
	Expected model.Duration `json:"expected"`
	Shortest model.Duration `json:"shortest"`
	Longest  model.Duration `json:"longest"`
	// Opens is when the plan's window opens, where it is closed now; what is
	// said of time begins then.
	Opens *time.Time `json:"opens,omitempty"`
	// Bound is the shortest that the policies allow in any order, where the
	// plan takes about what is expected, and Bottleneck which policy (or cell)
	// imposes it. A window makes it no longer.
	Bound      model.Duration `json:"bound"`
	Bottleneck string         `json:"bottleneck,omitempty"`
	// Exclusive names the cells that impose the bound together, nil when
	// something else does.
	Exclusive *Exclusive `json:"exclusive,omitempty"`
	// Raise is what a higher limit would buy; nil when no limit is the
	// bottleneck. Where several are, each by itself, Raises has them all and
	// Raise is the best.
	Raise  *Raise  `json:"raise,omitempty"`
	Raises []Raise `json:"raises,omitempty"`
	// Foresight says how often such ranges were right; nil before any came
	// true.
	Foresight *Foresight `json:"foresight,omitempty"`
	Timeline  []Slot     `json:"timeline,omitempty"`
	// Never lists the cells that can never roll.
	Never []Forbidden `json:"never,omitempty"`
	// DataAtRisk names the volumes whose data would be lost by force.
	DataAtRisk []string `json:"data_at_risk,omitempty"`
	Warnings   []string `json:"warnings,omitempty"`
}

// Raise is what it would buy if the limit of an app were one higher.
type Raise struct {
	App   model.Name `json:"app"`
	Limit string     `json:"limit" enum:"max_interrupted,max_draining,max_disrupted"`
	From  int        `json:"from"`
	To    int        `json:"to"`
	// Saved is how much sooner the plan would end, and Bound what it would
	// take in any order.
	Saved model.Duration `json:"saved"`
	Bound model.Duration `json:"bound"`
}

// Exclusive is cells of which no two may be in roll together, because any two
// exceed the limit of one of the apps.
type Exclusive struct {
	Cells []string     `json:"cells"`
	Apps  []model.Name `json:"apps"`
}

// Foresight is how often the truth fell where it was foreseen.
type Foresight struct {
	Rolls model.Tally `json:"rolls"`
	Plans model.Tally `json:"plans"`
}

// Slot is when a cell is expected to be in roll, counted from the start.
type Slot struct {
	CellID string `json:"cell_id"`
	// AZ and Domain are where the cell is; update domains count from 1.
	AZ     string         `json:"az"`
	Domain int            `json:"domain"`
	From   model.Duration `json:"from"`
	To     model.Duration `json:"to"`
}

// Forbidden is a cell that can never roll, and who forbids it.
type Forbidden struct {
	CellID   string `json:"cell_id"`
	Instance string `json:"instance"` // org/space/name/index
	Limit    string `json:"limit"`    // such as "max_interrupted: 0"
	Owner    string `json:"owner"`
	Text     string `json:"text"`
}

// PlanView is a plan with its rolls, in plan order.
type PlanView struct {
	model.Plan
	Rolls []model.Roll  `json:"rolls"`
	Stuck []model.Stuck `json:"stuck,omitempty"`
	// Waiting says for each cell that has a claim in line what it waits for.
	Waiting []Waiting `json:"waiting,omitempty"`
	// Counts of the rolls that are done, under way, not begun and ended otherwise.
	Done    int `json:"done"`
	Rolling int `json:"rolling"`
	Queued  int `json:"queued"`
	Dropped int `json:"dropped"`
	// Forecast is when the plan is expected to end; nil unless it was asked for
	// and the plan is under way.
	Forecast *Forecast `json:"forecast,omitempty"`
}

// Waiting is a claim that has not been granted, and why.
type Waiting struct {
	CellID string    `json:"cell_id"`
	Since  time.Time `json:"since"`
	Why    []string  `json:"why,omitempty"`
}

// Steer asks for a plan to be paused, resumed or aborted.
type Steer struct {
	Intent model.Intent `json:"intent" enum:"run,pause,abort"`
	Reason string       `json:"reason,omitempty"`
	By     string       `json:"by,omitempty"`
}

// Preview says what a plan would do. Nothing is changed.
func (c *Client) Preview(ctx context.Context, wanted PlanRequest) (*Preview, error) {
	return one[Preview](ctx, c, request{method: http.MethodPost, path: pathOf("preview"), body: wanted, again: true})
}

// StartPlan starts a plan. It is refused while an unfinished plan shares a
// cell with it, and when a plan of that name exists.
func (c *Client) StartPlan(ctx context.Context, wanted PlanRequest) (*PlanView, error) {
	return one[PlanView](ctx, c, request{method: http.MethodPost, path: pathOf("plans"), body: wanted})
}

// Plans lists all plans, the newest first.
func (c *Client) Plans(ctx context.Context) ([]PlanView, error) {
	return list[PlanView](ctx, c, pathOf("plans"), nil)
}

// Plan gives one plan.
func (c *Client) Plan(ctx context.Context, name string) (*PlanView, error) {
	return one[PlanView](ctx, c, request{method: http.MethodGet, path: pathOf("plans", name), again: true})
}

// PlanForecast gives one plan with when it is expected to end, which takes
// seconds for thousands of cells.
func (c *Client) PlanForecast(ctx context.Context, name string) (*PlanView, error) {
	return one[PlanView](ctx, c, request{method: http.MethodGet, path: pathOf("plans", name), query: url.Values{"forecast": {"true"}}, again: true})
}

// Pause lets no roll of the plan start. Cells being acted on finish, all others
// go back to serving.
func (c *Client) Pause(ctx context.Context, name, by, reason string) (*PlanView, error) {
	return c.steer(ctx, name, Steer{Intent: model.IntentPause, By: by, Reason: reason})
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, name, by, reason string) (*PlanView, error) {
	return c.steer(ctx, name, Steer{Intent: model.IntentRun, By: by, Reason: reason})
}

// Abort ends the plan: what can be undone is, and no cell stays cordoned.
func (c *Client) Abort(ctx context.Context, name, by, reason string) (*PlanView, error) {
	return c.steer(ctx, name, Steer{Intent: model.IntentAbort, By: by, Reason: reason})
}

func (c *Client) steer(ctx context.Context, name string, steer Steer) (*PlanView, error) {
	return one[PlanView](ctx, c, request{method: http.MethodPut, path: pathOf("plans", name, "intent"), body: steer, again: true})
}
