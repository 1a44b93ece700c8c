package deployment

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Update is how a group is updated: what it says itself, over what the
// deployment says.
type Update struct {
	Canaries, MaxInFlight string // as written: a number or a percentage
	CanaryWatch           Watch
	UpdateWatch           Watch
	Serial                bool
	// ParallelFirstDeploy is whether the first deploy of all does not go AZ by AZ.
	ParallelFirstDeploy bool
}

// Watch is when an instance is first asked whether it runs, and until when.
type Watch struct{ Min, Max time.Duration }

// updateOf reads an update block; over is that of the deployment, nil when this
// is it.
func updateOf(g given, over *Update) Update {
	u := Update{Serial: true}
	if over != nil {
		u = *over
	}
	required := func(name string, was string) string {
		if over == nil {
			return g.string(name)
		}
		return g.stringOr(name, was)
	}
	u.Canaries = required("canaries", u.Canaries)
	u.MaxInFlight = required("max_in_flight", u.MaxInFlight)
	for name, watch := range map[string]*Watch{"canary_watch_time": &u.CanaryWatch, "update_watch_time": &u.UpdateWatch} {
		if written := required(name, ""); written != "" {
			*watch = watchOf(written)
		}
	}
	if strategy := g.stringOr("vm_strategy", "delete-create"); strategy != "delete-create" {
		if strategy != "create-swap-delete" {
			refuse("Invalid vm_strategy '%s', valid strategies are: create-swap-delete, delete-create", strategy)
		}
		g.without("update", "vm_strategy")
	}
	// The Director finds out only when it updates.
	share(u.Canaries, 1)
	share(u.MaxInFlight, 1)
	u.Serial = g.boolOr("serial", u.Serial)
	if strategy := g.stringOr("initial_deploy_az_update_strategy", map[bool]string{true: "parallel", false: "serial"}[u.ParallelFirstDeploy]); strategy == "parallel" || strategy == "serial" {
		u.ParallelFirstDeploy = strategy == "parallel"
	} else {
		refuse("Invalid initial_deploy_az_update_strategy '%s', valid strategies are: 'parallel, serial'", strategy)
	}
	return u
}

var watchTime = regexp.MustCompile(`^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$`)

// watchOf reads a watch time in milliseconds: one, or a range.
func watchOf(written string) Watch {
	match := watchTime.FindStringSubmatch(written)
	if match == nil {
		refuse("Watch time should be an integer or a range of two integers")
	}
	milliseconds := func(digits string) time.Duration {
		number, _ := strconv.Atoi(digits)
		return time.Duration(number) * time.Millisecond
	}
	watch := Watch{Min: milliseconds(match[1]), Max: milliseconds(match[1])}
	if match[2] != "" {
		watch.Max = milliseconds(match[2])
	}
	if watch.Min > watch.Max {
		refuse("Min watch time cannot be greater than max watch time")
	}
	return watch
}

// CanariesOf is how many of so many instances go first.
func (u Update) CanariesOf(instances int) int { return min(share(u.Canaries, instances), instances) }

// MaxInFlightOf is how many of so many instances are updated at a time.
func (u Update) MaxInFlightOf(instances int) int { return max(share(u.MaxInFlight, instances), 1) }

// share is a number as written, or a percentage of instances, rounded down.
func share(written string, instances int) int {
	digits, isPercentage := strings.CutSuffix(written, "%")
	number, err := strconv.Atoi(digits)
	if err != nil {
		refuse("cannot be calculated")
	}
	if isPercentage {
		return min(number*instances/100, instances)
	}
	return number
}
