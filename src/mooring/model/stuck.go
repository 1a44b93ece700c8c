package model

import (
	"strings"
	"time"
)

// StuckKind is a row of the stuck table.
type StuckKind string

// What can be stuck.
const (
	HandlerHung      StuckKind = "handler-hung"
	HandlerOverdue   StuckKind = "handler-overdue"
	HandlerFailed    StuckKind = "handler-failed"
	DrainImpossible  StuckKind = "drain-impossible"
	WaitingForBudget StuckKind = "waiting-for-budget"
	PolicyForbids    StuckKind = "policy-forbids"
	NotReturned      StuckKind = "cell-not-returned"
	NotSettled       StuckKind = "instance-not-settled"
	ActionFailed     StuckKind = "action-failed"
	CellGone         StuckKind = "cell-gone"
	NotStopped       StuckKind = "cell-not-stopped" // quiesced, and nobody acts on the host
	NoRoom           StuckKind = "no-room"          // what must move fits nowhere
	// InstanceNotStopped: it was asked to go, no handler is in the way, and it
	// does not stop or keeps its volumes.
	InstanceNotStopped StuckKind = "instance-not-stopped"
	// InstanceBlocked: it is to run, and its cell is kept from starting it.
	InstanceBlocked StuckKind = "instance-blocked"
	// VolumeUnknown: a cell holds volumes that the state knows nothing of.
	VolumeUnknown StuckKind = "volume-unknown"
)

// Verb is a person's answer to something stuck.
type Verb string

// The five answers.
const (
	Wait  Verb = "wait"  // try again and allow it For longer
	Retry Verb = "retry" // try again
	Force Verb = "force" // stop it without its handler
	Skip  Verb = "skip"  // leave this cell out of the plan
	Lost  Verb = "lost"  // the cell is gone for good, with its fixed volumes
)

// CloudOps own what no app's owner can do anything about.
const CloudOps = "cloud ops"

// Stuck is something that should have moved by now and has not, with the
// evidence. It is deleted when the thing moves again; events keep its story.
type Stuck struct {
	ID   string    `json:"id"`
	Kind StuckKind `json:"kind"`
	// What in one sentence; Advice says what to do about it.
	What   string `json:"what"`
	Advice string `json:"advice"`

	Plan    string `json:"plan,omitempty"`
	CellID  string `json:"cell_id,omitempty"`
	AZ      string `json:"az,omitempty"` // of the cell
	App     *Name  `json:"app,omitempty"`
	AppGUID string `json:"app_guid,omitempty"`
	Index   int    `json:"index"`
	Owner   string `json:"owner,omitempty"`
	Phase   Phase  `json:"phase,omitempty"`
	// Step is how far the disruption has come that is stuck; with an update or
	// a scale-down there is no Phase.
	Step Step `json:"step,omitempty"`

	// Since is when it last moved, FlaggedAt when the rule was met.
	Since     time.Time `json:"since"`
	FlaggedAt time.Time `json:"flagged_at"`
	// Progress and Message are the handler's last, Output its last lines.
	Progress float64  `json:"progress,omitempty"`
	Message  string   `json:"message,omitempty"`
	Output   []string `json:"output,omitempty"`
	Error    string   `json:"error,omitempty"`
	// Task is the last that BOSH said of the host.
	Task *HostTask `json:"task,omitempty"`
	// Handler is the handler that does not do its work, as it was asked, and
	// SpecVersion the version of the instance that it is part of. Where its
	// owner changes either, it is asked again without an answer.
	Handler     *Handler `json:"handler,omitempty"`
	SpecVersion int      `json:"spec_version,omitempty"`
	// Agent is the start of the cell's agent that did not stop an instance:
	// another one may.
	Agent string `json:"agent,omitempty"`
	// Blocks lists the cells that wait because of it.
	Blocks []string `json:"blocks,omitempty"`
	// Data names the volumes whose data would be lost by force or lost.
	Data []string `json:"data,omitempty"`
	// Answers that are open to a person.
	Answers []Verb `json:"answers,omitempty"`
	// Effects says what each of the Answers would do, in one sentence that
	// names the data it gives up.
	Effects map[Verb]string `json:"effects,omitempty"`
	// Answer is written by the API and carried out by the orchestrator.
	Answer *Answer `json:"answer,omitempty"`

	// RecoveredAt is since when it moves again, zero while it does not. What
	// comes and goes is kept open for a while, lest it be told of again and
	// again; Flaps counts how often it came back in that time.
	RecoveredAt time.Time `json:"recovered_at,omitzero"`
	Flaps       int       `json:"flaps,omitempty"`
}

// Recovered reports whether it moves again, and is kept open only to see
// whether that lasts.
func (s *Stuck) Recovered() bool { return !s.RecoveredAt.IsZero() }

// ShownTo returns it as somebody may see it: what the instance and its handler
// wrote, and how the handler is called, is for those who may read the logs of
// its app. It is not changed itself.
func (s *Stuck) ShownTo(reads func(app Name) bool) *Stuck {
	var app Name // of none, when it is no more
	if s.App != nil {
		app = *s.App
	}
	if len(s.Output) == 0 && s.Message == "" && s.Handler == nil || reads(app) {
		return s
	}
	shown := *s
	shown.Output, shown.Message, shown.Handler = HiddenOutput(s.Output), HiddenText(s.Message), s.Handler.Hidden()
	return &shown
}

// Hidden stands for what somebody may not read.
const Hidden = "(hidden)"

// HiddenText stands for a text that somebody may not read, "" for none.
func HiddenText(text string) string {
	if text == "" {
		return ""
	}
	return Hidden
}

// HiddenOutput stands for lines of output that somebody may not read.
func HiddenOutput(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	return []string{"(hidden: it takes the right to read the logs of the app)"}
}

// Answer is a person's decision about something stuck, with its reason.
type Answer struct {
	Verb   Verb   `json:"verb" enum:"wait,retry,force,skip,lost"`
	Reason string `json:"reason" minLength:"1"`
	By     string `json:"by,omitempty"`
	// For is how much longer, with wait.
	For Duration `json:"for,omitempty"`
	// Confirm repeats the names in Stuck.Data where data would be lost.
	Confirm []string  `json:"confirm,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Event is one line of what was decided and done. ID is its place in the
// stream: the state revision it was written at, then its place in the write.
type Event struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Kind  EventKind `json:"kind" example:"permit.granted"`
	Actor string    `json:"actor" example:"orchestrator"`
	// Text is one sentence for people; the rest says what it is about.
	Text    string `json:"text"`
	App     string `json:"app,omitempty"` // org/space/name
	AppGUID string `json:"app_guid,omitempty"`
	Index   *int   `json:"index,omitempty"`
	CellID  string `json:"cell_id,omitempty"`
	Plan    string `json:"plan,omitempty"`
	Reason  string `json:"reason,omitempty"` // as a person gave it
	// Stuck is what the event is about, as it was then, with the kinds
	// EventStuckOpened, EventStuckChanged and EventStuckClosed.
	Stuck *Stuck `json:"stuck,omitempty"`
	// Answer is a person's answer, or the one agreed beforehand, with
	// "stuck.answered" and with what became of it.
	Answer *Answer `json:"answer,omitempty"`
	// Entry is the line of a roll's timeline that the event is, and Cells are
	// those of a plan that begins, in its order: all that it takes to put the
	// timelines together again.
	Entry *Entry   `json:"entry,omitempty"`
	Cells []string `json:"cells,omitempty"`
	// Permit is the permit with all its times, with EventPermitReleased.
	Permit *Permit `json:"permit,omitempty"`
}

// IsOf reports whether the event is of a kind, such as "stuck.opened", or of a
// family of kinds, such as "stuck".
func (e *Event) IsOf(kind string) bool {
	rest, found := strings.CutPrefix(string(e.Kind), kind)
	return found && (rest == "" || rest[0] == '.')
}

// Printable returns it as it may be told to anybody: nothing in its texts acts
// on what shows them. It is not changed itself.
func (s *Stuck) Printable() *Stuck {
	told := *s
	for _, text := range []*string{&told.What, &told.Advice, &told.Owner, &told.Message, &told.Error} {
		*text = Printable(*text)
	}
	told.Output, told.Blocks, told.Data = printables(s.Output), printables(s.Blocks), printables(s.Data)
	if s.Task != nil {
		task := *s.Task
		task.Last = Printable(task.Last)
		told.Task = &task
	}
	if s.Answer != nil {
		answer := *s.Answer
		answer.By, answer.Reason, answer.Confirm = Printable(answer.By), Printable(answer.Reason), printables(answer.Confirm)
		told.Answer = &answer
	}
	if s.Handler != nil {
		handler := *s.Handler
		handler.Command, handler.HTTP, handler.Cancel = PrintableLines(handler.Command), Printable(handler.HTTP), PrintableLines(handler.Cancel)
		told.Handler = &handler
	}
	if s.Effects != nil {
		told.Effects = make(map[Verb]string, len(s.Effects))
		for verb, effect := range s.Effects {
			told.Effects[verb] = Printable(effect)
		}
	}
	return &told
}

func printables(texts []string) []string {
	if texts == nil {
		return nil
	}
	shown := make([]string, len(texts))
	for i, text := range texts {
		shown[i] = Printable(text)
	}
	return shown
}
