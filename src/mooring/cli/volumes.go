package cli

import (
	"cmp"
	"fmt"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

func createVolumeSetCommand() *cli.Command {
	return command(storage, "create-volume-set", "SET", "create the volumes of an application, placed fault-tolerantly as one",
		`Classes in moor dev: persistent (fixed, survives recreate), ephemeral (fixed,
survives reboot), shared (floating). A push that mounts the set makes its count
the application's instances.

Examples:
   moor create-volume-set redis-data --class persistent --count 6 --size 1G
   moor create-volume-set files --class shared --count 2 --size 10G --reserve-memory 512M`,
		[]cli.Flag{
			&cli.StringFlag{Name: "class", Value: model.ClassPersistent, Usage: "`CLASS` of the volumes"},
			&cli.IntFlag{Name: "count", Value: 1, Usage: "`NUMBER` of volumes"},
			&cli.StringFlag{Name: "size", Value: "1G", Usage: "`SIZE` of each volume"},
			&cli.StringFlag{Name: "reserve-memory", Usage: "memory (`SIZE`) kept free beside each volume for what will run there"},
			&cli.StringFlag{Name: "pool", Usage: "placement `POOL`"},
			jsonFlag,
		}, createVolumeSet)
}

func createVolumeSet(s *session) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	wanted := client.VolumeSetRequest{Name: name, Class: s.String("class"), Count: s.Int("count"), Pool: s.String("pool")}
	for flag, size := range map[string]*model.Size{"size": &wanted.Size, "reserve-memory": &wanted.ReserveMemory} {
		if text := s.String(flag); text != "" {
			if err := size.UnmarshalText([]byte(text)); err != nil {
				return usage(s.Context, "--%s: %v", flag, err)
			}
		}
	}
	set, err := s.api.CreateVolumeSet(s.ctx(), wanted)
	if err != nil {
		return err
	}
	if printed, err := s.json(set); printed || err != nil {
		return err
	}
	s.say("%s created: %s of %s; see moor volumes %s", name, count(set.Count, set.Class+" volume"), set.Size, name.Name)
	return nil
}

func volumeSetsCommand() *cli.Command {
	return command(storage, "volume-sets", "", "list volume sets", `Examples:
   moor volume-sets`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			sets, err := s.api.VolumeSets(s.ctx())
			if err != nil {
				return err
			}
			if printed, err := s.json(sets); printed || err != nil {
				return err
			}
			t := newTable(s.out, "name", "class", "kind", "survives", "volumes", "size", "reserve_memory", "app")
			for _, set := range sets {
				kind := "fixed"
				if set.Floating {
					kind = "floating"
				}
				t.row(set.Name, set.Class, kind, string(set.Survives), set.Count, set.Size, set.ReserveMemory, cmp.Or(map[bool]string{true: "being deleted"}[set.Deleting], set.App))
			}
			return t.flush()
		})
}

func volumesCommand() *cli.Command {
	return command(storage, "volumes", "[SET]", "list volumes, of one set or of all", `Examples:
   moor volumes
   moor volumes redis-data --json`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			var volumes []client.VolumeView
			var err error
			if s.NArg() == 0 {
				volumes, err = s.api.Volumes(s.ctx())
			} else {
				volumes, err = s.volumesOf()
			}
			if err != nil {
				return err
			}
			if printed, err := s.json(volumes); printed || err != nil {
				return err
			}
			return showVolumes(s, volumes)
		})
}

func (s *session) volumesOf() ([]client.VolumeView, error) {
	name, err := s.name()
	if err != nil {
		return nil, err
	}
	set, err := s.api.VolumeSet(s.ctx(), name)
	if err != nil {
		return nil, err
	}
	for i := range set.Volumes {
		set.Volumes[i].Set = cmp.Or(set.Volumes[i].Set, name.String())
	}
	return set.Volumes, nil
}

func showVolumes(s *session, volumes []client.VolumeView) error {
	t := newTable(s.out, "volume", "class", "size", "used", "az", "cell", "state", "guid", "details")
	for _, v := range volumes {
		what := v.Error
		switch {
		case v.Ending:
			what = cmp.Or(what, "its data may go")
		case v.Unplaced != "":
			what = cmp.Or(what, "placed nowhere: "+v.Unplaced)
		case v.HeldBy != "" && v.HeldBy != v.CellID:
			what = cmp.Or(what, "still held by "+v.HeldBy)
		case v.GaveWay != "":
			what = cmp.Or(what, v.GaveWay)
		}
		t.row(fmt.Sprintf("%s/%d", v.Set, v.Index), v.Class, v.Size, v.Used, v.AZ, v.CellID, string(v.State), v.GUID, what)
	}
	return t.flush()
}

func deleteVolumeSetCommand() *cli.Command {
	return command(storage, "delete-volume-set", "SET", "delete a volume set with all its data",
		`Refused while an application mounts the set. The data is gone for good: the
name of the set has to be typed, or given with --confirm.

Examples:
   moor delete-volume-set redis-data
   moor delete-volume-set redis-data --confirm redis-data`,
		[]cli.Flag{&cli.StringFlag{Name: "confirm", Usage: "`SET` again, instead of typing it"}}, func(s *session) error {
			name, err := s.name()
			if err != nil {
				return err
			}
			confirmed := s.String("confirm")
			if confirmed == "" {
				confirmed = s.typed(fmt.Sprintf("All data of %s will be lost. Type its name to delete it:", name))
			}
			if again, err := model.ParseName(confirmed, s.here); err != nil || again != name {
				return fmt.Errorf("nothing was deleted: %q is not %s; type the name, or give it with --confirm", confirmed, name)
			}
			if err := s.api.DeleteVolumeSet(s.ctx(), name); err != nil {
				return err
			}
			s.say("%s is being deleted with its data", name)
			return nil
		})
}
