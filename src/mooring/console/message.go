package console

import (
	"bytes"
	"encoding/json"
	"time"

	"mooring/model"
)

// encoded is a board cut into items that can be sent one by one. It is never
// changed once made, and shared by all streams.
type encoded struct {
	revision int64
	appCount int
	sections [len(sectionNames)]section
}

// sectionNames are the lists of a board, as messages call them.
var sectionNames = [...]string{"cells", "apps", "plans", "stuck"}

// section is one list: the JSON of each item by its key, in order.
type section struct {
	keys  []string
	items map[string]json.RawMessage
	// guarded are those items that are not the same for everybody.
	guarded map[string]guarded
}

// guarded is what an item is for those who may not read the logs of its app.
type guarded struct {
	app  model.Name
	item json.RawMessage
}

// shown gives an item as somebody may see it.
func (s *section) shown(key string, reads func(model.Name) bool) json.RawMessage {
	if g, found := s.guarded[key]; found && !reads(g.app) {
		return g.item
	}
	return s.items[key]
}

// encode cuts a board into items, and keeps those of the board before it that
// are the same.
func encode(board *Board, before *encoded) *encoded {
	e := &encoded{revision: board.Revision, appCount: board.AppCount}
	if before == nil {
		before = &encoded{}
	}
	e.sections = [...]section{
		cut(board.Cells, func(c *Cell) string { return c.ID }, before.sections[0]),
		cut(board.Apps, func(a *App) string { return a.Name }, before.sections[1]),
		cut(board.Plans, func(p *Plan) string { return p.Name }, before.sections[2]),
		cut(board.Stuck, func(s *Stuck) string { return s.ID }, before.sections[3]),
	}
	e.sections[3].guarded = guard(board.Stuck)
	return e
}

// guard returns what is stuck as it is for those who may not read what its
// instance writes and runs.
func guard(list []Stuck) map[string]guarded {
	all := map[string]guarded{}
	for i := range list {
		shown := list[i]
		shown.Stuck = *list[i].ShownTo(func(model.Name) bool { return false })
		content, err := json.Marshal(&shown)
		if err != nil {
			continue
		}
		g := guarded{item: content}
		if shown.App != nil {
			g.app = *shown.App
		}
		all[shown.ID] = g
	}
	return all
}

func cut[T any](list []T, key func(*T) string, before section) section {
	s := section{items: make(map[string]json.RawMessage, len(list))}
	for i := range list {
		// These are plain structs: there is nothing in them that JSON cannot say.
		content, err := json.Marshal(&list[i])
		if err != nil {
			continue
		}
		name := key(&list[i])
		if old := before.items[name]; bytes.Equal(old, content) {
			content = old
		}
		s.keys = append(s.keys, name)
		s.items[name] = content
	}
	return s
}

// message is what a stream sends: the whole board, or what changed in it since
// the message before.
type message struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	// Whole: forget what was shown before.
	Whole bool `json:"whole,omitempty"`
	// MayAct: answers and orders of this viewer will be taken.
	MayAct   bool                         `json:"may_act"`
	AppCount int                          `json:"app_count"`
	Put      map[string][]json.RawMessage `json:"put,omitempty"`
	Gone     map[string][]string          `json:"gone,omitempty"`
}

// changes gives what turns before into e, for somebody who may read the output
// of some apps; nil before is the whole board. The second result is false when
// they are the same.
func (e *encoded) changes(before *encoded, reads func(model.Name) bool) (*message, bool) {
	m := &message{Revision: e.revision, AppCount: e.appCount, Put: map[string][]json.RawMessage{}, Gone: map[string][]string{}}
	if before == nil {
		m.Whole, before = true, &encoded{appCount: e.appCount}
	}
	changed := m.Whole || before.appCount != e.appCount
	for i, name := range sectionNames {
		was, is := before.sections[i], e.sections[i]
		for _, key := range is.keys {
			if !bytes.Equal(was.items[key], is.items[key]) {
				m.Put[name] = append(m.Put[name], is.shown(key, reads))
			}
		}
		for _, key := range was.keys {
			if _, there := is.items[key]; !there {
				m.Gone[name] = append(m.Gone[name], key)
			}
		}
		changed = changed || len(m.Put[name]) > 0 || len(m.Gone[name]) > 0
	}
	return m, changed
}
