package cli

import (
	"time"

	"github.com/goccy/go-yaml"
	"github.com/urfave/cli/v2"

	"mooring/access"
	"mooring/identity"
)

// tokenEntry is a token in the file that says who may do what.
type tokenEntry struct {
	Name    string     `json:"name"`
	SHA256  string     `json:"sha256"`
	Roles   []string   `json:"roles"`
	Expires *time.Time `json:"expires,omitempty"`
}

// newToken is a token with its entry.
type newToken struct {
	Token string     `json:"token"`
	Entry tokenEntry `json:"entry"`
}

func createTokenCommand() *cli.Command {
	return &cli.Command{
		Name: "create-token", Category: callers, ArgsUsage: "NAME", HideHelpCommand: true,
		Usage: "make a bearer token, and what lets it in",
		Description: `Prints a new token and the entry for the list of tokens in the API's --access
file. The entry holds only a hash; the token is for its holder and shown once.

Examples:
   moor create-token ci --role developer:acme/prod --expires 720h
   moor create-token board --role auditor --json`,
		Flags: []cli.Flag{jsonFlag,
			&cli.StringSliceFlag{Name: "role", Required: true, Usage: "`ROLE` such as operator, developer:ORG/SPACE or auditor; may be repeated"},
			&cli.DurationFlag{Name: "expires", Usage: "`TIME` after which it is no good any more", DefaultText: "never"},
		},
		Action: func(c *cli.Context) error {
			if err := checkArgs(c, []string{"NAME"}); err != nil {
				return err
			}
			entry := tokenEntry{Name: c.Args().First(), Roles: c.StringSlice("role")}
			if access.Reserved(entry.Name) {
				return usage(c, "%q is what the system itself signs with; choose another name", entry.Name)
			}
			for _, text := range entry.Roles {
				if _, err := access.ParseRole(text); err != nil {
					return usage(c, "--role: %v", err)
				}
			}
			switch lasts := c.Duration("expires"); {
			case lasts < 0:
				return usage(c, "--expires is %s; give a time such as 720h", lasts)
			case lasts > 0:
				end := time.Now().Add(lasts).UTC().Truncate(time.Second)
				entry.Expires = &end
			}
			var token string
			token, entry.SHA256 = identity.NewToken()
			s := &session{Context: c, out: c.App.Writer}
			if printed, err := s.json(newToken{token, entry}); printed || err != nil {
				return err
			}
			text, err := yaml.Marshal(map[string][]tokenEntry{"tokens": {entry}})
			if err != nil {
				return err
			}
			s.say("for its holder, shown once:\n   %s\n\nfor the API's --access file:", token)
			_, err = s.out.Write(text)
			return err
		},
	}
}
