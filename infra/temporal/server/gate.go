package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	uiapi "github.com/temporalio/ui-server/v2/server/api"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uiheaders "github.com/temporalio/ui-server/v2/server/headers"
	"github.com/temporalio/ui-server/v2/server/route"
	"github.com/temporalio/ui-server/v2/ui"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	grpccredentials "google.golang.org/grpc/credentials"
)

const (
	connections   = 128
	bodyBytes     = 4 << 20
	headerBytes   = 32 << 10
	healthSeconds = 2 * time.Second
)

// gate is the only way to the web UI: it lets in who has the password and comes from its own pages.
//
// The UI has no port of its own. It reads and changes nothing: a browser that carries the password
// must not be able to end a workflow, and what it could send is not encrypted and refused anyway.
type gate struct {
	address  string
	hosts    []string
	password [sha256.Size]byte
	pages    http.Handler
	frontend workflowservice.WorkflowServiceClient
	ask      *workflowservice.DescribeNamespaceRequest
}

func newGate(o *options, access *credentials) (*gate, error) {
	pages, err := newPages(o, access)
	if err != nil {
		return nil, err
	}
	connection, err := grpc.NewClient(
		fmt.Sprintf("%s:%d", loopback, o.port),
		grpc.WithTransportCredentials(grpccredentials.NewTLS(access.clientTLS())),
	)
	if err != nil {
		return nil, err
	}
	made := &gate{
		address:  fmt.Sprintf("%s:%d", loopback, o.uiPort),
		password: sha256.Sum256(access.password),
		pages:    pages,
		frontend: workflowservice.NewWorkflowServiceClient(connection),
		ask:      &workflowservice.DescribeNamespaceRequest{Namespace: o.namespace},
	}
	for _, name := range []string{loopback, "localhost"} {
		made.hosts = append(made.hosts, fmt.Sprintf("%s:%d", name, o.uiPort))
	}
	return made, nil
}

func (g *gate) serve() error {
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           g,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    headerBytes,
	}
	return server.Serve(netutil.LimitListener(listener, connections))
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	switch {
	// A page of another site whose name leads here (DNS rebinding) says that name.
	case !slices.Contains(g.hosts, r.Host):
		http.Error(w, "unknown host", http.StatusMisdirectedRequest)
	case !g.ownOrigin(r):
		http.Error(w, "foreign origin", http.StatusForbidden)
	case r.URL.Path == "/healthz" && r.Method == http.MethodGet:
		g.health(w, r)
	case !g.knows(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="Temporal: aether admin temporal-password", charset="UTF-8"`)
		http.Error(w, "the password is needed", http.StatusUnauthorized)
	default:
		r.Header.Del("Authorization")
		r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
		g.pages.ServeHTTP(w, r)
	}
}

// ownOrigin tells whether no other site's page sends this. Browsers say so where it matters; what is
// no browser says nothing, and has no password by itself.
func (g *gate) ownOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		parsed, err := url.Parse(origin)
		if err != nil || parsed.Scheme != "http" || parsed.Host != r.Host {
			return false
		}
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if site == "" || site == "same-origin" || site == "none" {
		return true
	}
	// Somebody followed a link to a page.
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

func (g *gate) knows(r *http.Request) bool {
	_, given, found := r.BasicAuth()
	if !found {
		given, found = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	digest := sha256.Sum256([]byte(given))
	return found && subtle.ConstantTimeCompare(digest[:], g.password[:]) == 1
}

// health says whether the frontend serves the namespace, and nothing else.
func (g *gate) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthSeconds)
	defer cancel()
	if _, err := g.frontend.DescribeNamespace(ctx, g.ask); err != nil {
		http.Error(w, "not serving its namespace yet", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// newPages is the UI's own server without its port (ui-server's NewServer makes it and keeps it).
func newPages(o *options, access *credentials) (http.Handler, error) {
	settings := &uiconfig.Config{
		TemporalGRPCAddress: fmt.Sprintf("%s:%d", loopback, o.port),
		EnableUI:            true,
		DefaultNamespace:    o.namespace,
		DisableWriteActions: true,
		Codec:               uiconfig.Codec{Endpoint: o.codecEndpoint, IncludeCredentials: true},
		CORS:                uiconfig.CORS{CookieInsecure: true},
		HideLogs:            true,
	}
	if err := setTLS(settings, o.credentials); err != nil {
		return nil, err
	}
	provider, err := uiconfig.NewConfigProviderWithRefresh(settings)
	if err != nil {
		return nil, err
	}
	found, err := ui.Assets()
	if err != nil {
		return nil, err
	}
	assets, err := fs.Sub(found, "local")
	if err != nil {
		return nil, err
	}
	pages := echo.New()
	pages.Use(middleware.Recover(), middleware.Gzip(), middleware.Secure())
	pages.Use(middleware.CSRFWithConfig(middleware.CSRFConfig{
		CookiePath: "/", CookieSameSite: http.SameSiteStrictMode,
	}))
	forward := []uiapi.Middleware{uiheaders.WithForwardHeaders([]string{"Caller-Type"})}
	if err := route.SetAPIRoutes(pages, provider, forward); err != nil {
		return nil, err
	}
	route.SetUIRoutes(pages, "", assets)
	route.SetRenderRoute(pages, "")
	if len(pages.Routes()) == 0 {
		return nil, errors.New("the web UI has no pages")
	}
	return pages, nil
}

func setTLS(settings *uiconfig.Config, directory string) error {
	settings.TLS = uiconfig.TLS{
		CaFile:                 directory + "/authority.pem",
		CertFile:               directory + "/client.pem",
		KeyFile:                directory + "/client.key",
		EnableHostVerification: true,
		ServerName:             loopback,
	}
	return nil
}
