// Command aether-temporal is Temporal's server for one machine, for those who hold its credentials.
//
// It is what `temporal server start-dev` is, with the same server and web UI, and two doors: every
// gRPC port asks for a client certificate, and the web UI for a password. There is no HTTP API.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	uiversion "github.com/temporalio/ui-server/v2/server/version"
	"go.temporal.io/server/common/headers"
	// The time zones of schedules, where the machine has none.
	_ "time/tzdata"
)

// Version is set at link time: the build that the platform asks for by name.
var Version = "unset"

type options struct {
	port, uiPort, metricsPort int
	namespace                 string
	retention                 time.Duration
	database                  string
	synchronous               string
	credentials               string
	codecEndpoint             string
	logLevel                  string
	searchAttributes          map[string]string
	dynamic                   map[string]any
}

func main() {
	// What this process writes is for its own user only.
	syscall.Umask(0o077)
	chosen, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(chosen)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "aether-temporal: %v\n", err)
		os.Exit(1)
	}
}

func parse(words []string) (*options, error) {
	o := &options{searchAttributes: map[string]string{}, dynamic: map[string]any{}}
	flags := flag.NewFlagSet("aether-temporal", flag.ContinueOnError)
	version := flags.Bool("version", false, "print the versions and end")
	flags.IntVar(&o.port, "port", 0, "port of the gRPC frontend")
	flags.IntVar(&o.uiPort, "ui-port", 0, "port of the web UI and of /healthz; 0 for neither")
	flags.IntVar(&o.metricsPort, "metrics-port", 0, "port of Prometheus metrics; 0 for none")
	flags.StringVar(&o.namespace, "namespace", "", "namespace, made when it is missing")
	flags.DurationVar(&o.retention, "retention", 24*time.Hour, "how long a new namespace keeps what is closed")
	flags.StringVar(&o.database, "database", "", "SQLite file")
	flags.StringVar(&o.synchronous, "synchronous", "NORMAL", "SQLite's setting of this name")
	flags.StringVar(&o.credentials, "credentials", "", "directory of certificates, keys and the web UI's password")
	flags.StringVar(&o.codecEndpoint, "codec-endpoint", "", "where the web UI has payloads decrypted")
	flags.StringVar(&o.logLevel, "log-level", "warn", "debug, info, warn or error")
	flags.Func("search-attribute", "NAME=TYPE, repeated", func(word string) error {
		name, kind, found := strings.Cut(word, "=")
		if !found {
			return errors.New("want NAME=TYPE")
		}
		o.searchAttributes[name] = kind
		return nil
	})
	flags.Func("dynamic-config-value", "NAME=JSON, repeated", func(word string) error {
		return readDynamic(o.dynamic, word)
	})
	if err := flags.Parse(words); err != nil {
		return nil, err
	}
	if *version {
		fmt.Printf("aether-temporal version %s (Server %s, UI %s)\n",
			Version, headers.ServerVersion, uiversion.UIVersion)
		return nil, flag.ErrHelp
	}
	if o.port == 0 || o.namespace == "" || o.database == "" || o.credentials == "" {
		return nil, errors.New("--port, --namespace, --database and --credentials are needed")
	}
	return o, nil
}

// readDynamic adds one dynamic setting. The server wants int where JSON has a whole number.
func readDynamic(values map[string]any, word string) error {
	name, text, found := strings.Cut(word, "=")
	if !found {
		return errors.New("want NAME=JSON")
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if number, ok := value.(json.Number); ok {
		if whole, err := number.Int64(); err == nil {
			value = int(whole)
		} else if value, err = number.Float64(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	values[name] = value
	return nil
}

func run(o *options) error {
	access, err := readCredentials(o.credentials)
	if err != nil {
		return err
	}
	server, err := newServer(o, access)
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	failed := make(chan error, 1)
	if o.uiPort != 0 {
		gate, err := newGate(o, access)
		if err != nil {
			return err
		}
		go func() { failed <- gate.serve() }()
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	select {
	case <-stop:
		return nil
	case err := <-failed:
		return fmt.Errorf("web UI: %w", err)
	}
}
