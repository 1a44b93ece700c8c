package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"mooring/model"
)

// DefaultResend is how often an Alertmanager is told again of what is open.
const DefaultResend = time.Minute

// resendsToForget is for how many resends an Alertmanager keeps an alert open
// that it hears no more of: long enough for a control plane to be replaced.
const resendsToForget = 5

// alertmanager speaks the API v2 of Alertmanager. Members of a cluster do not
// tell each other of alerts, so each is told.
type alertmanager struct {
	urls   []string
	resend time.Duration
	board  board
	client *http.Client
	now    func() time.Time
}

func newAlertmanager(urls []string, resend time.Duration, board board) *alertmanager {
	if resend == 0 {
		resend = DefaultResend
	}
	return &alertmanager{urls: urls, resend: resend, board: board, client: &http.Client{}, now: time.Now}
}

// Renew implements Receiver: an Alertmanager resolves what it is not told
// again.
func (a *alertmanager) Renew() time.Duration { return a.resend }

// Send implements Receiver. One member that takes the notices is enough: the
// others hear of what is open with the next resend, and forget by themselves
// what is not.
func (a *alertmanager) Send(ctx context.Context, notices []Notice) error {
	alerts := make([]postableAlert, len(notices))
	for i := range notices {
		alerts[i] = a.alert(&notices[i])
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	failures := make([]error, len(a.urls))
	var posts sync.WaitGroup
	for i, url := range a.urls {
		posts.Go(func() {
			failures[i] = post(ctx, a.client, strings.TrimSuffix(url, "/")+"/api/v2/alerts", header, body)
		})
	}
	posts.Wait()
	for _, failure := range failures {
		if failure == nil {
			return nil
		}
	}
	return errors.Join(failures...)
}

// postableAlert is an alert as the API takes it.
type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// alert translates a notice. The labels are its identity, so they hold only
// what stays the same while it is open; all evidence is in annotations.
func (a *alertmanager) alert(n *Notice) postableAlert {
	stuck := n.Stuck
	alert := postableAlert{
		StartsAt: stuck.FlaggedAt,
		EndsAt:   a.now().Add(resendsToForget * a.resend),
		Labels: filled(
			"alertname", AlertName(stuck.Kind), "kind", string(stuck.Kind), "severity", string(stuck.Kind.Severity()),
			"id", stuck.ID, "plan", planOf(stuck), "cell", stuck.CellID, "az", n.AZ),
		Annotations: filled(
			"summary", stuck.What, "description", stuck.Advice, "owner", stuck.Owner,
			"phase", string(stuck.Phase), "step", string(stuck.Step), "since", stuck.Since.UTC().Format(time.RFC3339), "error", stuck.Error,
			"message", stuck.Message, "output", strings.Join(stuck.Output, "\n"),
			"plan", stuck.Plan, "blocks", strings.Join(stuck.Blocks, ", "), "data", strings.Join(stuck.Data, ", "),
			"answers", answers(stuck), "runbook_url", a.board.runbook(stuck.Kind)),
	}
	if stuck.App != nil {
		for key, value := range map[string]string{
			"org": stuck.App.Org, "space": stuck.App.Space, "app": stuck.App.Name, "index": strconv.Itoa(stuck.Index),
		} {
			alert.Labels[key] = value
		}
	}
	if stuck.Progress > 0 {
		alert.Annotations["progress"] = fmt.Sprintf("%.0f%%", 100*stuck.Progress)
	}
	if stuck.Task != nil {
		alert.Annotations["task"] = stuck.Task.Said(a.now())
	}
	alert.GeneratorURL = a.board.page(stuck)
	if n.Change == Closed {
		alert.EndsAt = n.At
		alert.Annotations["resolved"] = n.Text
	}
	return alert
}

// planOf is the plan as it belongs to what an alert is. A cell that is gone is
// so with or without one, and plans may come to wait for it meanwhile.
func planOf(stuck *model.Stuck) string {
	if stuck.Kind == model.CellGone {
		return ""
	}
	return stuck.Plan
}

// AlertName is the name of the alert about a kind of being stuck, such as
// MooringHandlerHung.
func AlertName(kind model.StuckKind) string {
	name := "Mooring"
	for part := range strings.SplitSeq(string(kind), "-") {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}

// answers gives the commands that are open to a person, each with what it would
// do where that is known.
func answers(stuck *model.Stuck) string {
	var commands []string
	for _, verb := range stuck.Answers {
		longer := ""
		if verb == model.Wait {
			longer = " --for TIME"
		}
		command := fmt.Sprintf("moor resolve %s %s%s --reason WHY", stuck.ID, verb, longer)
		if effect := stuck.Effects[verb]; effect != "" {
			command += " # " + effect
		}
		commands = append(commands, command)
	}
	return strings.Join(commands, "\n")
}

// filled makes a map of keys and values without the empty values, which
// Alertmanager does not keep.
func filled(pairs ...string) map[string]string {
	all := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			all[pairs[i]] = pairs[i+1]
		}
	}
	return all
}
