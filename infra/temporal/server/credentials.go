package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/server/common/rpc/encryption"
)

const minimumPasswordBytes = 16

// credentials are who we are, whom we let in, and the web UI's password.
type credentials struct {
	server, client tls.Certificate
	authority      *x509.CertPool
	password       []byte
}

// readCredentials reads what the platform has made. Files that others may read are refused.
func readCredentials(directory string) (*credentials, error) {
	found := &credentials{authority: x509.NewCertPool()}
	for _, name := range []string{"server.key", "client.key", "ui-password"} {
		info, err := os.Stat(filepath.Join(directory, name))
		if err != nil {
			return nil, err
		}
		if info.Mode().Perm()&0o077 != 0 {
			return nil, fmt.Errorf("%s may be read by others: chmod 600", filepath.Join(directory, name))
		}
	}
	authority, err := os.ReadFile(filepath.Join(directory, "authority.pem"))
	if err != nil {
		return nil, err
	}
	if !found.authority.AppendCertsFromPEM(authority) {
		return nil, errors.New("authority.pem holds no certificate")
	}
	for name, target := range map[string]*tls.Certificate{"server": &found.server, "client": &found.client} {
		*target, err = tls.LoadX509KeyPair(
			filepath.Join(directory, name+".pem"), filepath.Join(directory, name+".key"))
		if err != nil {
			return nil, err
		}
	}
	password, err := os.ReadFile(filepath.Join(directory, "ui-password"))
	if err != nil {
		return nil, err
	}
	if found.password = bytes.TrimSpace(password); len(found.password) < minimumPasswordBytes {
		return nil, errors.New("ui-password is too short")
	}
	return found, nil
}

// clientTLS is how this process itself speaks to its frontend.
func (c *credentials) clientTLS() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{c.client},
		RootCAs:      c.authority,
		MinVersion:   tls.VersionTLS13,
	}
}

// provider asks a certificate of everyone who connects, at the frontend and between the services.
//
// What the services use among themselves is made now and never leaves this process.
func (c *credentials) provider() (encryption.TLSConfigProvider, error) {
	inner, pool, err := ephemeral()
	if err != nil {
		return nil, err
	}
	return &encryption.FixedTLSConfigProvider{
		FrontendServerConfig:  guarded(c.server, c.authority),
		FrontendClientConfig:  c.clientTLS(),
		InternodeServerConfig: guarded(*inner, pool),
		InternodeClientConfig: &tls.Config{
			Certificates: []tls.Certificate{*inner},
			RootCAs:      pool,
			MinVersion:   tls.VersionTLS13,
		},
	}, nil
}

func guarded(own tls.Certificate, authority *x509.CertPool) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{own},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    authority,
		MinVersion:   tls.VersionTLS13,
	}
}

func ephemeral() (*tls.Certificate, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "aether-temporal services"},
		NotBefore:    now.AddDate(-1, 0, 0),
		NotAfter:     now.AddDate(100, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	leaf, err := x509.ParseCertificate(encoded)
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: key, Leaf: leaf}, pool, nil
}
