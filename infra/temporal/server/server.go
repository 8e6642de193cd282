package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"
	// The driver's version is that of the server's module, not the newest.
	_ "modernc.org/sqlite"
)

const (
	loopback    = "127.0.0.1"
	clusterName = "active"
	store       = "sqlite"
)

// defaultDynamic is what the Temporal CLI sets for such a server.
var defaultDynamic = map[string]any{
	dynamicconfig.HistoryCacheHostLevelMaxSize.Key().String():                 8096,
	dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key().String(): 100,
	"system.forceSearchAttributesCacheRefreshOnRead":                          true,
	"system.enableNexus":         false,
	"frontend.persistenceMaxQPS": 10000,
	"history.persistenceMaxQPS":  45000,
}

func newServer(o *options, access *credentials) (temporal.Server, error) {
	settings, hosts, err := serverConfig(o)
	if err != nil {
		return nil, err
	}
	provider, err := access.provider()
	if err != nil {
		return nil, err
	}
	logger, err := newLogger(o.logLevel)
	if err != nil {
		return nil, err
	}
	dynamic := dynamicconfig.StaticClient{}
	for _, values := range []map[string]any{defaultDynamic, o.dynamic} {
		for name, value := range values {
			dynamic[dynamicconfig.Key(name)] = value
		}
	}
	return temporal.NewServer(
		temporal.WithConfig(settings),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithTLSConfigFactory(provider),
		temporal.WithLogger(logger),
		temporal.WithDynamicConfigClient(dynamic),
	)
}

func serverConfig(o *options) (*config.Config, map[primitives.ServiceName]static.Hosts, error) {
	database, err := prepareDatabase(o)
	if err != nil {
		return nil, nil, err
	}
	frontend := fmt.Sprintf("%s:%d", loopback, o.port)
	settings := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     store,
			VisibilityStore:  store,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{store: {SQL: database}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
				Enabled:                true,
				InitialFailoverVersion: 1,
				RPCAddress:             frontend,
				ClusterID:              uuid.NewString(),
			}},
		},
		Services:     map[string]config.Service{},
		PublicClient: config.PublicClient{HostPort: frontend},
	}
	settings.Global.Membership.MaxJoinDuration = 30 * time.Second
	settings.Global.Membership.BroadcastAddress = loopback
	if o.metricsPort != 0 {
		settings.Global.Metrics = &metrics.Config{Prometheus: &metrics.PrometheusConfig{
			ListenAddress: fmt.Sprintf("%s:%d", loopback, o.metricsPort),
			HandlerPath:   "/metrics",
		}}
	}
	settings.DCRedirectionPolicy.Policy = "noop"
	settings.Archival.History.State = "disabled"
	settings.Archival.Visibility.State = "disabled"
	settings.NamespaceDefaults.Archival.History.State = "disabled"
	settings.NamespaceDefaults.Archival.Visibility.State = "disabled"
	hosts, err := addServices(settings, o.port)
	return settings, hosts, err
}

// addServices gives each service its port. No service has an HTTP port.
func addServices(
	settings *config.Config, frontendPort int,
) (map[primitives.ServiceName]static.Hosts, error) {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for _, name := range []primitives.ServiceName{
		primitives.FrontendService, primitives.HistoryService,
		primitives.MatchingService, primitives.WorkerService,
	} {
		port := frontendPort
		if name != primitives.FrontendService {
			var err error
			if port, err = freePort(); err != nil {
				return nil, err
			}
		}
		var service config.Service
		service.RPC.GRPCPort, service.RPC.BindOnIP = port, loopback
		settings.Services[string(name)] = service
		hosts[name] = static.SingleLocalHost(fmt.Sprintf("%s:%d", loopback, port))
	}
	return hosts, nil
}

// freePort finds one and has the kernel keep it from others for the moment until it is used: a port
// whose last connection was closed by its own side is not given to anybody who asks for any port.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	caller, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return 0, err
	}
	defer caller.Close()
	accepted, err := listener.Accept()
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, accepted.Close()
}

func prepareDatabase(o *options) (*config.SQL, error) {
	database := &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: o.database,
		ConnectAttributes: map[string]string{
			"mode": "rwc", "journal_mode": "WAL", "synchronous": o.synchronous,
		},
	}
	if _, err := os.Stat(o.database); errors.Is(err, os.ErrNotExist) {
		if err := sqlite.SetupSchema(database); err != nil {
			return nil, fmt.Errorf("setting up %s: %w", o.database, err)
		}
	}
	attributes := map[string]enums.IndexedValueType{}
	for name, kind := range o.searchAttributes {
		value, err := enums.IndexedValueTypeFromString(kind)
		if err != nil {
			return nil, err
		}
		attributes[name] = value
	}
	namespace, err := sqlite.NewNamespaceConfig(clusterName, o.namespace, false, attributes)
	if err != nil {
		return nil, err
	}
	namespace.Detail.Config.Retention = durationpb.New(o.retention)
	return database, sqlite.CreateNamespaces(database, namespace)
}

// logger writes what the server says as JSON.
type logger struct {
	handler *slog.Logger
}

func newLogger(level string) (log.Logger, error) {
	var chosen slog.Level
	if err := chosen.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: chosen}
	return logger{slog.New(slog.NewJSONHandler(os.Stderr, options))}, nil
}

func (l logger) write(level slog.Level, message string, tags []tag.Tag) {
	if !l.handler.Enabled(context.Background(), level) {
		return
	}
	attributes := make([]slog.Attr, len(tags))
	for i, each := range tags {
		attributes[i] = slog.Any(each.Key(), each.Value())
	}
	l.handler.LogAttrs(context.Background(), level, message, attributes...)
}

func (l logger) Debug(message string, tags ...tag.Tag)  { l.write(slog.LevelDebug, message, tags) }
func (l logger) Info(message string, tags ...tag.Tag)   { l.write(slog.LevelInfo, message, tags) }
func (l logger) Warn(message string, tags ...tag.Tag)   { l.write(slog.LevelWarn, message, tags) }
func (l logger) Error(message string, tags ...tag.Tag)  { l.write(slog.LevelError, message, tags) }
func (l logger) DPanic(message string, tags ...tag.Tag) { l.write(slog.LevelError, message, tags) }
func (l logger) Panic(message string, tags ...tag.Tag)  { l.write(slog.LevelError, message, tags) }

// Fatal ends the process: a service that could not begin is not there, and the supervisor tries again.
func (l logger) Fatal(message string, tags ...tag.Tag) {
	l.write(slog.LevelError, message, tags)
	os.Exit(1)
}
