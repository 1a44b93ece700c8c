package orchestrator

import (
	"fmt"
	"strings"

	"mooring/model"
)

// effect says what an answer would do to something stuck, and which data it
// would give up.
func (d *decision) effect(alert *model.Stuck, verb model.Verb) string {
	subject := "cell " + alert.CellID
	if alert.App != nil {
		subject = model.InstanceName(*alert.App, alert.Index)
	}
	loss := "no data is lost"
	if len(alert.Data) > 0 {
		loss = "the data of " + strings.Join(alert.Data, ", ") + " is lost for good"
	}
	roll := d.snap.Roll(alert.Plan, alert.CellID)
	bosh := ""
	if roll != nil && !roll.BackAt.IsZero() && alert.Kind == model.NotReturned {
		bosh = " BOSH, which waits at the cell's gate, goes on."
	}
	switch verb {
	case model.Wait:
		return d.effectOfWait(alert, subject)
	case model.Retry:
		return d.effectOfRetry(alert, subject) + bosh
	case model.Force:
		if alert.Kind == model.CellGone {
			return fmt.Sprintf("The host of cell %s is acted on although nobody can stop what may still run there; %s.", alert.CellID, loss)
		}
		return fmt.Sprintf("%s is stopped without its handler; %s.", subject, loss)
	case model.Skip:
		if alert.Phase.BeforeHost() || alert.Phase == "" {
			return fmt.Sprintf("Cell %s is left out of the plan. Its host stays as it is, and its instances go on serving.", orElse(alert.CellID, subject))
		}
		return fmt.Sprintf("The plan is done with cell %s as it is. Its instances run again where they can.", alert.CellID) + bosh
	case model.Lost:
		return fmt.Sprintf("Cell %s is given up for good, and its instances are placed anew on other cells; %s.", alert.CellID, loss) + bosh
	}
	return ""
}

func (d *decision) effectOfWait(alert *model.Stuck, subject string) string {
	switch {
	case alert.Kind.OfHandler():
		return fmt.Sprintf("The handler of %s is run again, with that much longer to get on and to end.", subject)
	case alert.Kind == model.InstanceNotStopped:
		return fmt.Sprintf("%s is asked to stop again, with that much longer to do it.", subject)
	case alert.Plan != "" && (alert.Kind == model.WaitingForBudget || alert.Kind == model.NoRoom):
		return fmt.Sprintf("Cell %s takes its turn again, and is flagged anew only after that much longer.", alert.CellID)
	}
	return "Nothing changes; it is flagged anew only after that much longer."
}

func (d *decision) effectOfRetry(alert *model.Stuck, subject string) string {
	switch {
	case alert.Kind.OfHandler():
		return fmt.Sprintf("The handler of %s is run again from the beginning.", subject)
	case alert.Kind == model.InstanceNotStopped:
		return fmt.Sprintf("%s is asked to stop again.", subject)
	case alert.Phase.BeforeHost():
		return fmt.Sprintf("Cell %s takes its turn again.", alert.CellID)
	}
	if roll := d.snap.Roll(alert.Plan, alert.CellID); roll != nil {
		return fmt.Sprintf("The %s of cell %s is begun anew.", roll.Action, alert.CellID)
	}
	return fmt.Sprintf("The action on cell %s is begun anew.", alert.CellID)
}
