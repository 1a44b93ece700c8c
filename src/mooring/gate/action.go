package gate

import (
	"errors"
	"fmt"

	"mooring/model"
)

// DeletesDeployment reports whether BOSH is about to delete the whole deployment
// of the host, as the environment of a pre-stop script has it.
func DeletesDeployment(getenv func(string) string) bool {
	return getenv("BOSH_DEPLOYMENT_NEXT_STATE") == "delete"
}

// ActionOf reads from the environment of a pre-stop script what BOSH is about
// to do to the host. getenv is os.Getenv. BOSH names the next state of the VM,
// of the instance and of the deployment, each "keep" or "delete": an instance
// that goes for good is a retire, a VM that goes alone a recreate, and
// anything else a restart.
func ActionOf(getenv func(string) string) (model.Action, error) {
	states := map[string]string{}
	given := 0
	for _, of := range []string{"VM", "INSTANCE", "DEPLOYMENT"} {
		name := "BOSH_" + of + "_NEXT_STATE"
		switch states[of] = getenv(name); states[of] {
		case "keep", "delete":
			given++
		case "":
		default:
			return "", fmt.Errorf("%s is %q; BOSH says keep or delete", name, states[of])
		}
	}
	switch {
	case given == 0:
		return "", errors.New("BOSH does not say what it is about to do (BOSH_VM_NEXT_STATE is not set); run this from pre-stop, or give --action")
	case states["INSTANCE"] == "delete" || states["DEPLOYMENT"] == "delete":
		return model.Retire, nil
	case states["VM"] == "delete":
		return model.Recreate, nil
	}
	return model.Restart, nil
}
