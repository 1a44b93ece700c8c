package cell

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"mooring/container"
	"mooring/model"
)

// settings are what instances are told of their cell.
type settings struct {
	CellID  string
	Address string
	// API is where the instance asks about its app, showing Token.
	API, Token string
	// Path is PATH, unless the app sets its own.
	Path string
}

// specOf says how to start an instance. sources has the host directory of each
// of its mounts, in order.
func specOf(w model.InstanceWork, after model.StartedAfter, sources []string, s settings) (container.Spec, error) {
	spec := container.Spec{ID: w.GUID, Command: w.Spec.Command}
	for i, mount := range w.Mounts {
		spec.Mounts = append(spec.Mounts, container.Mount{Path: mount.Path, Source: sources[i]})
	}
	for _, port := range w.Ports {
		spec.Listen = append(spec.Listen, net.JoinHostPort(s.Address, strconv.Itoa(port)))
	}
	own, err := platformEnv(w, after, sources, s)
	if err != nil {
		return container.Spec{}, err
	}
	env := map[string]string{"PATH": s.Path}
	maps.Copy(env, w.Spec.Env)
	maps.Copy(env, own)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		spec.Env = append(spec.Env, name+"="+env[name])
	}
	return spec, nil
}

// platformEnv is the part of the environment that an app cannot change.
func platformEnv(w model.InstanceWork, after model.StartedAfter, sources []string, s settings) (map[string]string, error) {
	env := map[string]string{
		"CF_INSTANCE_INDEX":     strconv.Itoa(w.Index),
		"CF_INSTANCE_IP":        s.Address,
		"CF_INSTANCE_GUID":      w.GUID,
		"MOORING_STARTED_AFTER": string(after),
		"MOORING_API":           s.API,
		"MOORING_TOKEN":         s.Token,
		"MOORING_APP":           w.App.String(),
		"MOORING_INDEX":         strconv.Itoa(w.Index),
		"MOORING_CELL":          s.CellID,
	}
	for i, name := range w.Spec.PortNames() {
		if i < len(w.Ports) {
			env["PORT_"+variable(name)] = strconv.Itoa(w.Ports[i])
		}
	}
	first := 0
	if len(w.Ports) > 0 {
		first = w.Ports[0]
		env["PORT"] = strconv.Itoa(first)
		env["CF_INSTANCE_PORT"] = env["PORT"]
		env["CF_INSTANCE_ADDR"] = net.JoinHostPort(s.Address, env["PORT"])
	}
	for i, mount := range w.Mounts {
		env["MOORING_VOLUME_"+variable(mount.Set)] = sources[i]
	}
	vcap, err := json.Marshal(map[string]any{
		"application_id":    w.AppGUID,
		"application_name":  w.App.Name,
		"name":              w.App.Name,
		"organization_name": w.App.Org,
		"space_name":        w.App.Space,
		"instance_id":       w.GUID,
		"instance_index":    w.Index,
		"host":              s.Address,
		"port":              first,
		"limits":            map[string]int64{"mem": int64(w.Spec.Memory / model.Megabyte)},
	})
	if err != nil {
		return nil, fmt.Errorf("writing VCAP_APPLICATION: %w", err)
	}
	env["VCAP_APPLICATION"] = string(vcap)
	return env, nil
}

// variable makes a name part of a variable's: "redis-data" is REDIS_DATA.
func variable(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}
