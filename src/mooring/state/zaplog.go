package state

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapLogger lets etcd, which logs through zap, log through slog from a level
// on. etcd says much at lower levels that nobody here can act on.
func zapLogger(to *slog.Logger, from slog.Leveler) *zap.Logger {
	return zap.New(slogCore{to: to.Handler(), from: from})
}

// chatter is what etcd warns of although it is as it should be for one member
// on the loopback, or on its first start.
var chatter = map[string]bool{
	"Running http and grpc server on single port. This is not recommended for production.": true,
	"simple token is not cryptographically signed":                                         true,
	"Failed to detect schema version":                                                      true,
	"failed to update storage version":                                                     true,
}

// slogCore is a zapcore.Core that hands everything to a slog.Handler.
type slogCore struct {
	to   slog.Handler
	from slog.Leveler
}

// Enabled implements zapcore.LevelEnabler.
func (c slogCore) Enabled(level zapcore.Level) bool {
	l := slogLevel(level)
	return l >= c.from.Level() && c.to.Enabled(context.Background(), l)
}

// With implements zapcore.Core.
func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	c.to = c.to.WithAttrs(attrs(fields))
	return c
}

// Check implements zapcore.Core.
func (c slogCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) && !chatter[entry.Message] {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c slogCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	record := slog.NewRecord(entry.Time, slogLevel(entry.Level), "etcd: "+entry.Message, 0)
	record.AddAttrs(attrs(fields)...)
	return c.to.Handle(context.Background(), record)
}

// Sync implements zapcore.Core.
func (c slogCore) Sync() error { return nil }

func slogLevel(level zapcore.Level) slog.Level {
	switch {
	case level >= zapcore.ErrorLevel:
		return slog.LevelError
	case level == zapcore.WarnLevel:
		return slog.LevelWarn
	case level == zapcore.InfoLevel:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

func attrs(fields []zapcore.Field) []slog.Attr {
	values := zapcore.NewMapObjectEncoder()
	out := make([]slog.Attr, 0, len(fields))
	for _, field := range fields {
		field.AddTo(values)
		out = append(out, slog.Any(field.Key, values.Fields[field.Key]))
	}
	return out
}
