package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// teller prints the story with the time since its beginning, and remembers
// what belongs on the timeline.
type teller struct {
	out   io.Writer
	begun time.Time

	lock  sync.Mutex
	marks []mark
}

// mark is something that happened at one moment.
type mark struct {
	at   time.Time
	sign rune
	what string
}

func (t *teller) say(format string, args ...any) {
	t.lock.Lock()
	defer t.lock.Unlock()
	fmt.Fprintf(t.out, "%6.1fs  %s\n", time.Since(t.begun).Seconds(), fmt.Sprintf(format, args...))
}

// quote prints what a command printed.
func (t *teller) quote(text string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	for line := range strings.Lines(text) {
		fmt.Fprintf(t.out, "         | %s\n", strings.TrimRight(line, "\n"))
	}
}

// mark says something and puts it on the timeline.
func (t *teller) mark(sign rune, what string) {
	t.say("%s", what)
	t.lock.Lock()
	defer t.lock.Unlock()
	t.marks = append(t.marks, mark{at: time.Now(), sign: sign, what: what})
}
