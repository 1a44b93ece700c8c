package model

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// Size is an amount of memory or disk in bytes. Its text form is that of
// `cf push`: "256M", "1G" (binary multiples).
type Size int64

// Common sizes, in bytes.
const (
	Megabyte Size = 1 << 20
	Gigabyte Size = 1 << 30
)

// ParseSize reads a size such as "256M". It refuses negative and unit-less
// text: a bare "256" is more often a mistake than 256 bytes.
func ParseSize(text string) (Size, error) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "0" {
		return 0, nil
	}
	if _, err := strconv.ParseFloat(trimmed, 64); err == nil {
		return 0, fmt.Errorf("size %q has no unit; write %[1]sM or %[1]sG", trimmed)
	}
	n, err := units.RAMInBytes(trimmed)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("size %q is not an amount such as 256M or 1G", text)
	}
	return Size(n), nil
}

// String gives the shortest exact text: "256M", "1G", "1500K".
func (s Size) String() string {
	for _, unit := range []struct {
		bytes  Size
		suffix string
	}{{1 << 40, "T"}, {1 << 30, "G"}, {1 << 20, "M"}, {1 << 10, "K"}} {
		if s >= unit.bytes && s%unit.bytes == 0 {
			return strconv.FormatInt(int64(s/unit.bytes), 10) + unit.suffix
		}
	}
	if s == 0 {
		return "0"
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	parsed, err := ParseSize(string(text))
	if err == nil {
		*s = parsed
	}
	return err
}

// Duration is a time.Duration whose text form is Go's: "90s", "2h".
type Duration time.Duration

// D gives the standard library's view of d.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String is time.Duration's, without trailing zero units: "2h", not "2h0m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Negative durations are
// refused: nothing in Mooring can last less than no time.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("duration %q is not a time such as 90s, 5m or 2h", text)
	}
	*d = Duration(parsed)
	return nil
}

// Limit is how many instances of an app may be disrupted at once: a count, or
// a share of its desired instances ("25%"). The zero value is the count 0,
// which means "never".
type Limit struct {
	Count   int
	Percent int // 1..100 when the limit is a share; Count is then 0
}

// ParseLimit reads "1" or "25%".
func ParseLimit(text string) (Limit, error) {
	trimmed := strings.TrimSpace(text)
	if share, ok := strings.CutSuffix(trimmed, "%"); ok {
		n, err := strconv.Atoi(share)
		if err != nil || n < 0 || n > 100 {
			return Limit{}, fmt.Errorf("limit %q is not a share between 0%% and 100%%", text)
		}
		return Limit{Percent: n}, nil
	}
	n, err := strconv.Atoi(trimmed)
	if err != nil || n < 0 {
		return Limit{}, fmt.Errorf("limit %q is neither a count such as 1 nor a share such as 25%%", text)
	}
	return Limit{Count: n}, nil
}

// Of gives the effective number for an app of n desired instances. A share
// rounds down, but a non-zero one never below 1. A count is capped at n.
func (l Limit) Of(n int) int {
	if n <= 0 {
		return 0
	}
	if l.Percent > 0 {
		return max(1, n*l.Percent/100)
	}
	return min(l.Count, n)
}

// Never reports whether the limit forbids every disruption.
func (l Limit) Never() bool { return l.Count == 0 && l.Percent == 0 }

// String gives the text the developer wrote.
func (l Limit) String() string {
	if l.Percent > 0 {
		return strconv.Itoa(l.Percent) + "%"
	}
	return strconv.Itoa(l.Count)
}

// MarshalText implements encoding.TextMarshaler.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Limit) UnmarshalText(text []byte) error {
	parsed, err := ParseLimit(string(text))
	if err == nil {
		*l = parsed
	}
	return err
}

// UnmarshalJSON takes both the string "1" and the bare number 1, since people
// write the latter.
func (l *Limit) UnmarshalJSON(data []byte) error {
	var number json.Number
	if json.Unmarshal(data, &number) == nil && number != "" {
		return l.UnmarshalText([]byte(number))
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("limit %s is neither a count nor a share", data)
	}
	return l.UnmarshalText([]byte(text))
}
