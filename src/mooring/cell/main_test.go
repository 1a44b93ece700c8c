package cell_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"testing"

	"mooring/cell"
	"mooring/client"
	"mooring/container/handler"
	"mooring/model"
)

// The test binary plays other programs when one of these is set.
const (
	serveEnv = "CELL_TEST_SERVE" // an app that serves http on PORT
	agentEnv = "CELL_TEST_AGENT" // an agent; the value is its agentConfig
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(serveEnv) != "":
		beApp()
	case os.Getenv(agentEnv) != "":
		beAgent(os.Getenv(agentEnv))
	default:
		os.Exit(m.Run())
	}
}

// beApp is an app with a health page and an http handler.
func beApp() {
	http.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("POST /interrupt", func(w http.ResponseWriter, r *http.Request) {
		var notice handler.Notice
		json.NewDecoder(r.Body).Decode(&notice)
		fmt.Fprintf(w, "told of an %s\n{\"progress\": 1}\n", notice.Kind)
	})
	http.ListenAndServe(os.Getenv("CF_INSTANCE_ADDR"), nil)
}

// agentConfig is what an agent in a process of its own is told.
type agentConfig struct{ Run, Volumes, Boot, API string }

func beAgent(text string) {
	var c agentConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	api, err := client.New(client.Config{Endpoints: []string{c.API}})
	if err != nil {
		panic(err)
	}
	fmt.Println(cell.New(cell.Config{
		Cell:   model.Cell{ID: "cell-1", AZ: "z1", Address: "127.0.0.1", Boot: c.Boot},
		RunDir: c.Run, Control: api, Volumes: newVolumes(c.Volumes), Logger: slog.New(slog.DiscardHandler),
	}).Run(context.Background()))
}

// freePort is one that nobody listens on now.
func freePort(t *testing.T) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
