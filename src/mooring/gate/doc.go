// Package gate is what BOSH meets on a cell before it stops it and after it
// has started it again. Leave blocks until the cell is quiesced under the
// lifecycle policies, Return until it has settled; both outlast the control
// plane and say, in one line every time it changes, what they wait for and who
// can help. Open lets a person overrule them on the cell itself, with a reason
// that is kept. Last is for control nodes, which are to go after the cells.
package gate
