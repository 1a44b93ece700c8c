package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/files"
)

// target is which API is called, and as whom. It is kept in the home directory
// between commands.
type target struct {
	API string `json:"api"`
	// CA is PEM, not a file: the file may have gone since.
	CA    string `json:"ca,omitempty"`
	Org   string `json:"org,omitempty"`
	Space string `json:"space,omitempty"`
	Token string `json:"token,omitempty"`
	// Cert and Key are files.
	Cert string `json:"client_cert,omitempty"`
	Key  string `json:"client_key,omitempty"`
}

// targetFile is where the target is kept. MOORING_HOME is for those who have
// several, as CF_HOME is.
func targetFile() (string, error) {
	home := os.Getenv("MOORING_HOME")
	if home == "" {
		var err error
		if home, err = os.UserHomeDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(home, ".moor", "config"), nil
}

// loadTarget gives what was kept; nothing when there is no home to keep it in.
func loadTarget() (target, error) {
	var t target
	file, err := targetFile()
	if err != nil {
		return t, nil
	}
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return t, nil
	}
	if err == nil {
		err = yaml.UnmarshalWithOptions(content, &t, yaml.Strict())
	}
	if err != nil {
		return target{}, fmt.Errorf("read %s: %w; remove it and run moor target again", file, err)
	}
	return t, nil
}

// save keeps the target, readable to its owner alone.
func (t *target) save() error {
	file, err := targetFile()
	if err != nil {
		return fmt.Errorf("keep the target: %w; set MOORING_HOME to a directory", err)
	}
	content, err := yaml.Marshal(t)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep the target: %w", err)
	}
	// It holds a token, which is shown once: it is not to be lost with the host.
	if err := files.Replace(file, content, 0o600, files.Host); err != nil {
		return fmt.Errorf("keep the target: %w", err)
	}
	return nil
}

func targetCommand() *cli.Command {
	return &cli.Command{
		Name: "target", Category: callers, ArgsUsage: "[URL]", HideHelpCommand: true,
		Usage: "show or set which API is called, and the org and space of names",
		Description: `Kept in ~/.moor/config, or below $MOORING_HOME. Flags and variables such as
MOORING_API go before it. Another API forgets who was logged in.

Examples:
   moor target https://mooring.example.com:7770 --ca ca.pem
   moor target --org acme --space prod
   moor target`,
		Flags: []cli.Flag{jsonFlag, &cli.StringFlag{Name: "ca", Usage: "`FILE` with the certificates that the API is trusted by"}},
		Action: func(c *cli.Context) error {
			if err := checkArgs(c, []string{"[URL]"}); err != nil {
				return err
			}
			for from, to := range map[string]string{"api": c.Args().First(), "api-ca": c.String("ca")} {
				if to == "" {
					continue
				}
				if err := c.Set(from, to); err != nil {
					return usage(c, "%v", err)
				}
			}
			s, err := newSession(c)
			if err != nil {
				return err
			}
			// One that does not know us yet is the right one all the same.
			who, err := s.api.Whoami(s.ctx())
			if err != nil && !client.NotLoggedIn(err) {
				return err
			}
			if c.NArg() > 0 || c.IsSet("ca") || c.IsSet("org") || c.IsSet("space") {
				if err := s.to.save(); err != nil {
					return err
				}
			}
			return s.showTarget(who)
		},
	}
}

// showTarget prints which API is called, and as whom; who is nil when that is
// not known.
func (s *session) showTarget(who *client.Who) error {
	if printed, err := s.json(struct {
		API   string      `json:"api"`
		Org   string      `json:"org"`
		Space string      `json:"space"`
		Who   *client.Who `json:"who,omitempty"`
	}{s.to.API, s.to.Org, s.to.Space, who}); printed || err != nil {
		return err
	}
	name := "nobody; log in with: moor login"
	if who != nil {
		name = whoText(who)
	}
	return facts(s.out, "api", s.to.API, "org", s.to.Org, "space", s.to.Space, "as", name)
}
