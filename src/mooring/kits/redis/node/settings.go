package node

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"mooring/kits/redis/cluster"
	"mooring/model"
)

// Settings say who the node is and where; Mooring gives all of them in the
// environment.
type Settings struct {
	Self cluster.Identity
	// Host, Port and Bus are where the node is reached by clients and by its
	// peers. The manifest asks for two ports, the second called "bus".
	Host      string
	Port, Bus int
	// Dir is the root of the node's volume.
	Dir string
	// API is where Mooring is asked about the app, showing Token; "" means that
	// it is not asked.
	API, Token string
	// Server is the redis-server to run, looked up in PATH.
	Server string
}

// FromEnvironment reads the settings from an environment in the form of
// os.Environ.
func FromEnvironment(environ []string) (Settings, error) {
	env := map[string]string{}
	var volumes []string
	for _, line := range environ {
		key, value, _ := strings.Cut(line, "=")
		env[key] = value
		if strings.HasPrefix(key, "MOORING_VOLUME_") {
			volumes = append(volumes, value)
		}
	}
	s := Settings{Host: env["CF_INSTANCE_IP"], API: env["MOORING_API"], Token: env["MOORING_TOKEN"], Server: "redis-server"}
	var faults []error
	number := func(key string) int {
		n, err := strconv.Atoi(env[key])
		if err != nil || n < 0 {
			faults = append(faults, fmt.Errorf("%s is %q, a number is needed", key, env[key]))
		}
		return n
	}
	s.Self.Index, s.Port, s.Bus = number("CF_INSTANCE_INDEX"), number("PORT"), number("PORT_BUS")
	app, err := model.ParseName(env["MOORING_APP"], model.Name{})
	if err != nil {
		faults = append(faults, fmt.Errorf("MOORING_APP: %w", err))
	}
	s.Self.App = app
	if net.ParseIP(s.Host) == nil {
		faults = append(faults, fmt.Errorf("CF_INSTANCE_IP is %q, an address is needed", s.Host))
	}
	switch len(volumes) {
	case 1:
		s.Dir = filepath.Clean(volumes[0])
	case 0:
		faults = append(faults, errors.New("no MOORING_VOLUME_... is set: the app must mount a volume set"))
	default:
		faults = append(faults, fmt.Errorf("%d volumes are mounted, the node keeps its data on one", len(volumes)))
	}
	if err := errors.Join(faults...); err != nil {
		return Settings{}, fmt.Errorf("reading what Mooring says about the instance: %w", err)
	}
	return s, nil
}

// Address is host:port for clients.
func (s Settings) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

func (s Settings) file(name string) string { return filepath.Join(s.Dir, name) }

// Files on the volume besides Redis' own.
const (
	runLock      = "run.lock"     // held by the launcher and its server
	movesLock    = "moves.lock"   // held by whoever hands over or moves slots
	joinedMark   = "joined"       // the node has had its place with this volume
	handoverMark = "handover"     // a handover was begun and has not ended
	drainedMark  = "drained.json" // slots at the beginning of a drain; done
)
