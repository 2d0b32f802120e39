package main

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTheServerSpeaksTLSWhereBothFilesAreMounted(t *testing.T) {
	model := httptest.NewTLSServer(nil)
	defer model.Close()
	certificate := model.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	s := settings{role: "ctwoc", port: freePort(t), tlsPort: freePort(t)}
	s.tlsCert = pemFile(t, "CERTIFICATE", certificate.Certificate[0])
	s.tlsKey = pemFile(t, "PRIVATE KEY", key)

	stop := make(chan os.Signal, 1)
	ended := make(chan error, 1)
	go func() { ended <- serve(s, stop) }()
	waitFor(t, "the plain port answers", func() bool { return ask(s.port, "/readyz") == "ok\n" })
	response, err := model.Client().Get("https://127.0.0.1:" + s.tlsPort + "/version")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("got %s", response.Status)
	}
	stop <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAMissingFileMeansNoTLSButABrokenOneIsAnError(t *testing.T) {
	s := settings{port: "0", tlsPort: "0", tlsCert: "/no/such/file", tlsKey: "/no/such/file"}
	listeners, err := listen(s)
	if err != nil || len(listeners) != 1 {
		t.Errorf("got %d listeners, %v", len(listeners), err)
	}
	s.tlsCert = pemFile(t, "CERTIFICATE", []byte("broken"))
	s.tlsKey = s.tlsCert
	if _, err := listen(s); err == nil || !strings.Contains(err.Error(), "TLS_CERT") {
		t.Errorf("got %v", err)
	}
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
