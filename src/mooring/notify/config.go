package notify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"mooring/model"
)

// Config is who hears of what is stuck.
type Config struct {
	// Receivers by name.
	Receivers map[string]Receiver
	Routes    Routes
}

// file is how a Config is written.
type file struct {
	// Board is the address at which people look at alerts, and at their runbooks.
	Board     string         `json:"board"`
	Receivers []fileReceiver `json:"receivers"`
	Routes    []Route        `json:"routes"`
}

type fileReceiver struct {
	Name         string            `json:"name"`
	Alertmanager *fileAlertmanager `json:"alertmanager"`
	Webhook      *fileWebhook      `json:"webhook"`
	Log          *struct{}         `json:"log"`
}

type fileAlertmanager struct {
	URLs   []string       `json:"urls"`
	Resend model.Duration `json:"resend"`
}

type fileWebhook struct {
	URL        string `json:"url"`
	SecretFile string `json:"secret_file"`
}

// LogOnly sends everything to the log.
func LogOnly(logger *slog.Logger) Config {
	return Config{
		Receivers: map[string]Receiver{"log": logged{logger}},
		Routes:    Routes{{Receivers: []string{"log"}}},
	}
}

// Load reads a Config from a YAML file and the secrets from the files that it
// names. The error says all that is wrong with it.
func Load(path string, logger *slog.Logger) (Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read who is to be alerted: %w", err)
	}
	cfg, err := parse(content, logger)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

func parse(content []byte, logger *slog.Logger) (Config, error) {
	var in file
	err := yaml.NewDecoder(bytes.NewReader(content), yaml.DisallowUnknownField()).Decode(&in)
	if err != nil && !errors.Is(err, io.EOF) {
		return Config{}, err
	}
	cfg := Config{Receivers: map[string]Receiver{}, Routes: in.Routes}
	var problems []error
	for i := range in.Receivers {
		r := &in.Receivers[i]
		receiver, err := r.build(board(strings.TrimSuffix(in.Board, "/")), logger)
		if err == nil && cfg.Receivers[r.Name] != nil {
			err = errors.New("the name is there twice")
		}
		if err == nil && !slices.ContainsFunc(in.Routes, func(route Route) bool { return slices.Contains(route.Receivers, r.Name) }) {
			err = errors.New("no route leads to it; name it in one")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("receivers[%d] %q: %w", i, r.Name, err))
			continue
		}
		cfg.Receivers[r.Name] = receiver
	}
	for i, route := range in.Routes {
		for _, problem := range route.problems(in.Receivers) {
			problems = append(problems, fmt.Errorf("routes[%d]: %w", i, problem))
		}
	}
	return cfg, errors.Join(problems...)
}

// build makes the receiver that is described.
func (r *fileReceiver) build(board board, logger *slog.Logger) (Receiver, error) {
	if err := model.CheckWord("receiver", r.Name); err != nil {
		return nil, err
	}
	kinds := 0
	for _, given := range []bool{r.Alertmanager != nil, r.Webhook != nil, r.Log != nil} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return nil, errors.New("say what it is: exactly one of alertmanager, webhook and log")
	case r.Log != nil:
		return logged{logger}, nil
	case r.Webhook != nil:
		return r.Webhook.build(board)
	case len(r.Alertmanager.URLs) == 0:
		return nil, errors.New("alertmanager.urls is empty; name every member of the cluster")
	}
	for _, url := range r.Alertmanager.URLs {
		if err := checkURL(url); err != nil {
			return nil, fmt.Errorf("alertmanager.urls: %w", err)
		}
	}
	return newAlertmanager(r.Alertmanager.URLs, r.Alertmanager.Resend.D(), board), nil
}

func (w *fileWebhook) build(board board) (Receiver, error) {
	if err := checkURL(w.URL); err != nil {
		return nil, fmt.Errorf("webhook.url: %w", err)
	}
	hook := &webhook{url: w.URL, client: &http.Client{}, board: board}
	if w.SecretFile == "" {
		return hook, nil
	}
	secret, err := os.ReadFile(w.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("webhook.secret_file: %w", err)
	}
	if hook.secret = bytes.TrimSpace(secret); len(hook.secret) == 0 {
		return nil, fmt.Errorf("webhook.secret_file: %s is empty", w.SecretFile)
	}
	return hook, nil
}

// problems says what is wrong with a route.
func (r *Route) problems(receivers []fileReceiver) []error {
	var problems []error
	if len(r.Receivers) == 0 {
		problems = append(problems, errors.New("receivers is empty"))
	}
	for _, name := range r.Receivers {
		if !slices.ContainsFunc(receivers, func(receiver fileReceiver) bool { return receiver.Name == name }) {
			problems = append(problems, fmt.Errorf("there is no receiver %q", name))
		}
	}
	for _, severity := range r.Match.Severity {
		if !slices.Contains(model.Severities, severity) {
			problems = append(problems, fmt.Errorf("match.severity: %q is none; use %s", severity, oneOf(model.Severities)))
		}
	}
	for _, kind := range r.Match.Kind {
		if kinds := slices.Concat(model.StuckKinds, model.StateKinds); !slices.Contains(kinds, kind) {
			problems = append(problems, fmt.Errorf("match.kind: %q is none; use %s", kind, oneOf(kinds)))
		}
	}
	return problems
}

// oneOf lists words for an error.
func oneOf[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts[:len(texts)-1], ", ") + " or " + texts[len(texts)-1]
}
