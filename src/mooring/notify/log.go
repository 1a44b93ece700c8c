package notify

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"mooring/model"
)

// logged writes notices to the log.
type logged struct{ logger *slog.Logger }

// Renew implements Receiver.
func (logged) Renew() time.Duration { return 0 }

// Send implements Receiver. It always succeeds.
func (l logged) Send(ctx context.Context, notices []Notice) error {
	for i := range notices {
		n := &notices[i]
		level := slog.LevelWarn
		switch {
		case n.Change == Closed || n.Stuck.Kind.Severity() == model.Info:
			level = slog.LevelInfo
		case n.Stuck.Kind.Severity() == model.Critical:
			level = slog.LevelError
		}
		attrs := []slog.Attr{
			slog.String("id", n.Stuck.ID), slog.String("kind", string(n.Stuck.Kind)),
			slog.String("severity", string(n.Stuck.Kind.Severity())), slog.String("owner", n.Stuck.Owner),
		}
		if n.Stuck.App != nil {
			attrs = append(attrs, slog.String("instance", model.InstanceName(*n.Stuck.App, n.Stuck.Index)))
		}
		for _, field := range [][2]string{
			{"cell", n.Stuck.CellID}, {"az", n.AZ}, {"plan", n.Stuck.Plan}, {"phase", string(n.Stuck.Phase)}, {"step", string(n.Stuck.Step)},
			{"error", n.Stuck.Error}, {"blocks", strings.Join(n.Stuck.Blocks, ",")}, {"data", strings.Join(n.Stuck.Data, ",")},
		} {
			if field[1] != "" {
				attrs = append(attrs, slog.String(field[0], field[1]))
			}
		}
		if !n.Stuck.Since.IsZero() {
			attrs = append(attrs, slog.Time("since", n.Stuck.Since.UTC()))
		}
		l.logger.LogAttrs(ctx, level, "stuck "+string(n.Change)+": "+n.Text, attrs...)
	}
	return nil
}
