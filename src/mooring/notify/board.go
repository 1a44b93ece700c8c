package notify

import (
	"net/url"

	"mooring/model"
)

// board is the address at which people look at alerts, without the slash at its
// end; "" where nobody said.
type board string

// runbook is where the page about a kind of alert is: on the board or, where
// none is known, in the repository.
func (b board) runbook(kind model.StuckKind) string {
	if b == "" {
		return kind.Runbook()
	}
	return string(b) + "/console/runbooks/" + string(kind)
}

// page is where what is stuck is shown with its answers, "" where no board is
// known.
func (b board) page(stuck *model.Stuck) string {
	switch {
	case b == "":
		return ""
	case stuck.CellID != "":
		return string(b) + "/#/cell/" + url.PathEscape(stuck.CellID)
	case stuck.Plan != "":
		return string(b) + "/#/plan/" + url.PathEscape(stuck.Plan)
	}
	return string(b) + "/"
}
