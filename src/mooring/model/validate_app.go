package model

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// MaxInstances bounds the instances of one app; indexes have six digits in
// keys.
const MaxInstances = 10000

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Validate says everything that is wrong with the app, as Problems. What only
// shows beside volume sets is checked by CheckMounts.
func (a *App) Validate() error {
	c := newCheck()
	a.checkName(c, "application")
	c.field("owner").text(a.Owner)
	switch {
	case a.Instances < 0:
		c.field("instances").wrong("is %d; it cannot be less than 0", a.Instances)
	case a.Instances > MaxInstances:
		c.field("instances").wrong("is %d; an application has at most %d", a.Instances, MaxInstances)
	}
	a.Spec.check(c)
	a.Policy.check(c.field("lifecycle"))
	return c.err()
}

// checkName notes what is wrong with the name; what is the noun for it.
func (n Name) checkName(c check, what string) {
	c.field("org").word("organisation", n.Org)
	c.field("space").word("space", n.Space)
	c.field("name").word(what, n.Name)
}

// Validate says everything that is wrong with the spec, as Problems.
func (s RunSpec) Validate() error {
	c := newCheck()
	s.check(c)
	return c.err()
}

func (s RunSpec) check(c check) {
	if strings.TrimSpace(s.Command) == "" {
		c.field("command").wrong("is missing; say what an instance runs")
	}
	c.field("command").command(s.Command)
	if s.Memory < 0 {
		c.field("memory").wrong("is less than nothing")
	}
	if s.Pool != "" {
		c.field("pool").word("pool", s.Pool)
	}
	checkEnv(c.field("env"), s.Env)
	checkPorts(c.field("ports"), s.Ports)
	s.Health.check(c.field("health"))
	checkMounts(c.field("mounts"), s.Mounts)
}

func checkEnv(c check, env map[string]string) {
	names := make([]string, 0, len(env))
	for name := range env {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		at := c.field(name)
		switch {
		case !envName.MatchString(name):
			at.wrong("is not the name of a variable: use letters, digits and '_'")
		case reserved(name):
			at.wrong("is set by the platform; choose another name")
		case strings.ContainsRune(env[name], 0):
			at.wrong("holds a zero byte, which no variable can")
		}
	}
}

// reserved reports whether an instance learns something from the platform
// under this name.
func reserved(name string) bool {
	for _, prefix := range []string{"PORT_", "MOORING_", "CF_INSTANCE_", "VCAP_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "PORT"
}

func checkPorts(c check, names []string) {
	for i, name := range names {
		c.item(i).word("port", name)
		if slices.Contains(names[:i], name) {
			c.item(i).wrong("%q is there twice", name)
		}
	}
}

func (h HealthCheck) check(c check) {
	switch h.Type {
	case "", HealthProcess, HealthPort, HealthHTTP, HealthCommand:
	default:
		c.field("type").wrong("is %q; use process, port, http or command", h.Type)
		return
	}
	c.field("path").text(h.Path)
	c.field("command").command(h.Command)
	if h.Path != "" && h.Type != HealthHTTP {
		c.field("path").wrong("goes with type http alone")
	} else if h.Path != "" && !strings.HasPrefix(h.Path, "/") {
		c.field("path").wrong("is %q; begin it with /", h.Path)
	}
	if h.Command != "" && h.Type != HealthCommand {
		c.field("command").wrong("goes with type command alone")
	}
	if h.Type == HealthCommand && strings.TrimSpace(h.Command) == "" {
		c.field("command").wrong("is missing; say what exits 0 while the instance is healthy")
	}
	for _, d := range []struct {
		name string
		d    Duration
	}{{"interval", h.Interval}, {"timeout", h.Timeout}, {"start_timeout", h.StartTimeout}} {
		if d.d < 0 {
			c.field(d.name).wrong("is less than no time")
		}
	}
}

func checkMounts(c check, mounts []Mount) {
	for i, mount := range mounts {
		at := c.item(i)
		at.field("volume").word("volume set", mount.VolumeSet)
		at.field("path").text(mount.Path)
		if !path.IsAbs(mount.Path) || path.Clean(mount.Path) != mount.Path || mount.Path == "/" {
			at.field("path").wrong("is %q; write an absolute path such as /data", mount.Path)
		}
		for _, other := range mounts[:i] {
			if other.VolumeSet == mount.VolumeSet {
				at.field("volume").wrong("%q is mounted twice", mount.VolumeSet)
			}
			if within(mount.Path, other.Path) || within(other.Path, mount.Path) {
				at.field("path").wrong("%q and %q lie inside each other", mount.Path, other.Path)
			}
		}
	}
}

// within reports whether a path is another or lies below it.
func within(inner, outer string) bool {
	return inner == outer || strings.HasPrefix(inner, strings.TrimSuffix(outer, "/")+"/")
}

// CheckMounts says everything that is wrong with what the app mounts, as
// Problems. sets are the volume sets that exist in its org and space. A set
// serves one app; a fixed one needs a drain handler, since its data leaves
// with its cell, unless the policy says that the data is disposable.
func (a *App) CheckMounts(sets []*VolumeSet) error {
	c := newCheck()
	for i, mount := range a.Spec.Mounts {
		at := c.field("mounts").item(i).field("volume")
		name := Name{a.Org, a.Space, mount.VolumeSet}
		found := slices.IndexFunc(sets, func(set *VolumeSet) bool { return set.Name == name })
		switch {
		case found < 0:
			at.wrong("there is no volume set %s; create it first with: moor create-volume-set %s", name, mount.VolumeSet)
			continue
		case sets[found].Deleting:
			at.wrong("volume set %s is being deleted; wait until it is gone, or mount another", name)
		case sets[found].AppGUID != "" && sets[found].AppGUID != a.GUID:
			at.wrong("volume set %s belongs to another application; a set serves one", name)
		}
		if !sets[found].Floating && a.Policy.Drain == nil && !a.Policy.DataDisposable {
			c.field("lifecycle").field("drain").wrong("is missing, and volume set %s is fixed: its data leaves with its cell; give a handler that hands it over, or write \"drain: none\" if the data is disposable", name)
		}
	}
	return c.err()
}
