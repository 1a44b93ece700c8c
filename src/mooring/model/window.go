package model

import (
	"fmt"
	"strings"
	"time"
)

// Window is a recurring stretch of local time, such as "Sat 02:00-06:00
// Europe/London". The zero value is always open.
type Window struct {
	// Days are the days on which it opens; none means every day.
	Days []time.Weekday
	// From and Until are minutes after local midnight. A window whose end is
	// not after its beginning ends on the next day.
	From, Until int
	Zone        *time.Location
}

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// ParseWindow reads "[DAY[,DAY...]] HH:MM-HH:MM ZONE", where DAY is one of Mon
// to Sun and ZONE is UTC or a name such as Europe/London. The empty text is
// the window that is always open.
func ParseWindow(text string) (Window, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return Window{}, nil
	}
	wrong := func(why string) (Window, error) {
		return Window{}, fmt.Errorf("window %q: %s; write it as \"Sat 02:00-06:00 Europe/London\" or \"02:00-06:00 UTC\"", text, why)
	}
	var w Window
	if len(fields) == 3 {
		for _, name := range strings.Split(fields[0], ",") {
			day, known := weekdays[strings.ToLower(name)]
			if !known {
				return wrong(fmt.Sprintf("%q is not a day", name))
			}
			w.Days = append(w.Days, day)
		}
		fields = fields[1:]
	}
	if len(fields) != 2 {
		return wrong("it needs times and a time zone")
	}
	from, until, _ := strings.Cut(fields[0], "-")
	begin, err := time.Parse("15:04", from)
	if err != nil {
		return wrong(fmt.Sprintf("%q is not a time", from))
	}
	end, err := time.Parse("15:04", until)
	if err != nil {
		return wrong(fmt.Sprintf("%q is not a time", until))
	}
	if w.Zone, err = time.LoadLocation(fields[1]); err != nil || fields[1] == "Local" {
		return wrong(fmt.Sprintf("%q is not a time zone", fields[1]))
	}
	w.From, w.Until = begin.Hour()*60+begin.Minute(), end.Hour()*60+end.Minute()
	return w, nil
}

// Open reports whether the window is open at a moment and, while it is not,
// when it opens next.
func (w Window) Open(now time.Time) (open bool, next time.Time) {
	if w.Zone == nil {
		return true, time.Time{}
	}
	if begin, _ := w.stretch(now); now.Before(begin) {
		return false, begin
	}
	return true, time.Time{}
}

// Closes gives when a window that is open at a moment closes; zero when it does
// not within a week.
func (w Window) Closes(now time.Time) time.Time {
	if w.Zone == nil {
		return time.Time{}
	}
	_, end := w.stretch(now)
	for range 7 { // it may open again as it closes
		open, _ := w.Open(end)
		if !open {
			return end
		}
		_, end = w.stretch(end)
	}
	return time.Time{}
}

// stretch gives when the window opened that is open at a moment, or will open
// next, and when it closes then.
func (w Window) stretch(now time.Time) (begin, end time.Time) {
	local := now.In(w.Zone)
	// Yesterday's window may reach into today; a week holds every day once.
	for day := -1; day <= 7; day++ {
		if begin = w.at(local, day, w.From); !w.on(begin.Weekday()) {
			continue
		}
		end = w.at(local, day, w.Until)
		if w.Until <= w.From {
			end = w.at(local, day+1, w.Until)
		}
		if now.Before(end) {
			break
		}
	}
	return begin, end
}

func (w Window) at(local time.Time, day, minute int) time.Time {
	return time.Date(local.Year(), local.Month(), local.Day()+day, minute/60, minute%60, 0, 0, w.Zone)
}

func (w Window) on(day time.Weekday) bool {
	for _, d := range w.Days {
		if d == day {
			return true
		}
	}
	return len(w.Days) == 0
}
