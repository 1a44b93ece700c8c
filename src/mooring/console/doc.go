// Package console is the board that operators leave open all day: one page
// that shows every cell, what is on it and how far its roll has come, the
// plans with the time they end, and above all what is stuck, with the evidence
// and the answers that are open.
//
// The page is embedded, needs no build and loads nothing from elsewhere. It is
// fed by one stream of server-sent events: the whole board first, then what
// changed. Details of one cell, app or plan, and answers, go through the API
// like everybody else's.
package console
