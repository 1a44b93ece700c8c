package director

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// Info is what a Director says of itself to anybody.
type Info struct {
	Name    string `json:"name"`
	UUID    string `json:"uuid"`
	Version string `json:"version"` // "280.1.15 (00000000)"
	CPI     string `json:"cpi"`
	// Authentication says how to log in.
	Authentication struct {
		Type    string `json:"type"` // "basic" or "uaa"
		Options struct {
			URL string `json:"url"` // of the UAA
		} `json:"options"`
	} `json:"user_authentication"`
}

// Info gives what the Director says of itself. It needs no login.
func (c *Client) Info(ctx context.Context) (*Info, error) {
	a, err := c.patiently(ctx, call{method: http.MethodGet, path: "/info", open: true})
	if err != nil {
		return nil, err
	}
	info := &Info{}
	return info, decode("/info", a, info)
}

// SafeRestarts is the first version whose restart and start of a single
// instance keep all of its jobs.
const SafeRestarts = "280.1.15"

// CheckSafeRestarts refuses a Director whose non-converging actions may drop
// jobs, with the remedy.
func (i *Info) CheckSafeRestarts() error {
	number, _, _ := strings.Cut(i.Version, " ")
	if older(number, SafeRestarts) {
		return unfit{fmt.Errorf("the Director has version %s, whose restart of a single instance can silently drop jobs; upgrade it to %s, or roll the whole instance group", number, SafeRestarts)}
	}
	return nil
}

// older compares versions such as 280.1.15 by their numbers. What is no number
// counts as 0, so that a version nobody knows is not trusted.
func older(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range max(len(a), len(b)) {
		var x, y int
		if i < len(a) {
			_, _ = fmt.Sscan(a[i], &x)
		}
		if i < len(b) {
			_, _ = fmt.Sscan(b[i], &y)
		}
		if x != y {
			return x < y
		}
	}
	return false
}
