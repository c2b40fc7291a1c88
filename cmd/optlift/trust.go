package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// caVariable is where every AWS tool looks for a file of certificates
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html).
const caVariable = "AWS_CA_BUNDLE"

// trust makes the SDK and the registries that are not AWS's trust the certificates
// in a file, beside the machine's own: "" is AWS_CA_BUNDLE's, if there is one.
func trust(bundle string) error {
	bundle, pem, err := readBundle(bundle)
	if pem == nil || err != nil {
		return err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // Windows of old has none to give
	}
	pool.AppendCertsFromPEM(pem)
	if err := os.Setenv(caVariable, bundle); err != nil {
		return err
	}
	if t, ok := remote.DefaultTransport.(*http.Transport); ok {
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return nil
}

// readBundle reads the file that trust is told of, "" being AWS_CA_BUNDLE's, and
// refuses one without a certificate. pem is nil where there is no file to trust.
func readBundle(bundle string) (path string, pem []byte, err error) {
	if bundle == "" {
		bundle = os.Getenv(caVariable)
	}
	if bundle == "" {
		return "", nil, nil
	}
	if pem, err = os.ReadFile(bundle); err != nil {
		return "", nil, fmt.Errorf("read the certificates to trust: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return "", nil, fmt.Errorf("%s holds no certificate in PEM: name the file of your proxy's authority", bundle)
	}
	return bundle, pem, nil
}
