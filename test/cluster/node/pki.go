package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// pkiConfig is written by pki.ts.
type pkiConfig struct {
	// Where NAME.crt and NAME.key go.
	Folder string `json:"folder"`
	// What the API server and the kubelet are reached at.
	Addresses []string `json:"addresses"`
	// Name of the file, common name and organization of each certificate beside the CA's.
	Subjects map[string]pkiSubject `json:"subjects"`
}

type pkiSubject struct {
	CommonName   string   `json:"commonName"`
	Organization []string `json:"organization"`
}

type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// runPki writes a CA, a certificate for each component, and the key that service account tokens are signed with.
func runPki(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config pkiConfig
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	template := x509.Certificate{
		Subject:               pkix.Name{CommonName: "embedded-cluster"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	ca, err := issue(config.Folder, "ca", template, nil)
	if err != nil {
		return err
	}
	for name, subject := range config.Subjects {
		template := x509.Certificate{
			Subject:     pkix.Name{CommonName: subject.CommonName, Organization: subject.Organization},
			KeyUsage:    x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
			DNSNames:    []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost", "node"},
		}
		for _, address := range config.Addresses {
			template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
		}
		if _, err := issue(config.Folder, name, template, ca); err != nil {
			return err
		}
	}
	_, err = newKey(config.Folder, "service-accounts")
	return err
}

// issue signs with the key of ca, or with its own when there is none.
func issue(folder, name string, template x509.Certificate, ca *authority) (*authority, error) {
	key, err := newKey(folder, name)
	if err != nil {
		return nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, err
	}
	// An hour back, because the clock of a virtual machine may be set back after its start.
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	signer := &authority{certificate: &template, key: key}
	if ca != nil {
		signer = ca
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, signer.certificate, &key.PublicKey, signer.key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{certificate: certificate, key: key}, writePem(folder, name+".crt", "CERTIFICATE", der, 0o644)
}

func newKey(folder, name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePem(folder, name+".key", "EC PRIVATE KEY", der, 0o600)
}

func writePem(folder, name, kind string, der []byte, mode os.FileMode) error {
	return os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
