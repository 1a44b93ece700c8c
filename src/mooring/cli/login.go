package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"mooring/client"
)

func loginCommand() *cli.Command {
	return command(callers, "login", "", "say who calls, and keep it",
		`With a bearer token (one that cloud operations gave out, or one of the UAA) or
with a client certificate. A token that is not given is asked for. It is kept
in ~/.moor/config, readable to you alone; a certificate and its key stay in
their files.

Examples:
   moor login
   moor login --token "$(uaac context | awk '/access_token/ {print $2}')"
   moor login --client-cert olga.pem --client-key olga.key`,
		[]cli.Flag{jsonFlag,
			&cli.StringFlag{Name: "client-cert", Usage: "`FILE` with the own certificate towards the API"},
			&cli.StringFlag{Name: "client-key", Usage: "`FILE` with the key of --client-cert"},
		}, login)
}

func login(s *session) error {
	to := s.to
	to.Token, to.Cert, to.Key = "", "", ""
	switch cert, key := s.String("client-cert"), s.String("client-key"); {
	case (cert == "") != (key == ""):
		return usage(s.Context, "--client-cert and --client-key go together: give both")
	case cert != "":
		var errCert, errKey error
		to.Cert, errCert = filepath.Abs(cert)
		to.Key, errKey = filepath.Abs(key)
		if err := errors.Join(errCert, errKey); err != nil {
			return err
		}
	default:
		if to.Token = s.String("token"); to.Token == "" {
			to.Token = s.secret("Token:")
		}
		to.Token = bare(to.Token)
		if to.Token == "" {
			return usage(s.Context, "no token was given; give one with --token, or --client-cert and --client-key")
		}
	}
	api, err := to.connect()
	if err != nil {
		return err
	}
	who, err := api.Whoami(s.ctx())
	if err != nil {
		return fmt.Errorf("%s does not let you in: %w", to.API, err)
	}
	if err := to.save(); err != nil {
		return err
	}
	s.to = to
	return s.showTarget(who)
}

// bare is a token without what cf oauth-token puts before it.
func bare(token string) string {
	token = strings.TrimSpace(token)
	if scheme, rest, found := strings.Cut(token, " "); found && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(rest)
	}
	return token
}

// secret asks for a text that nobody is to see on the screen.
func (s *session) secret(question string) string {
	file, ok := s.App.Reader.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return s.typed(question)
	}
	fmt.Fprint(s.err, question+" ")
	defer fmt.Fprintln(s.err)
	typed, err := term.ReadPassword(int(file.Fd()))
	if err != nil {
		return ""
	}
	return string(typed)
}

func logoutCommand() *cli.Command {
	return command(callers, "logout", "", "forget who calls", `Examples:
   moor logout`,
		nil, func(s *session) error {
			stored, err := loadTarget()
			if err != nil {
				return err
			}
			stored.Token, stored.Cert, stored.Key = "", "", ""
			if err := stored.save(); err != nil {
				return err
			}
			s.say("logged out")
			return nil
		})
}

func whoamiCommand() *cli.Command {
	return command(callers, "whoami", "", "show how the API knows you, and your roles", `Examples:
   moor whoami
   moor whoami --json`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			who, err := s.api.Whoami(s.ctx())
			if err != nil {
				return err
			}
			if printed, err := s.json(who); printed || err != nil {
				return err
			}
			return facts(s.out, "name", who.Name, "known by", who.How, "roles", cmp.Or(strings.Join(who.Roles, ", "), "none: ask cloud operations for one"))
		})
}

// whoText is a caller in one line.
func whoText(who *client.Who) string {
	return fmt.Sprintf("%s (%s)", who.Name, cmp.Or(strings.Join(who.Roles, ", "), "no role"))
}
