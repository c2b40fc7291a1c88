package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdTLSFront puts a server with a certificate that nobody knows in front of the
// account and its registry: tlsfront CA.pem sets TLS_URL and TLS_HOST.
func cmdTLSFront(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tlsfront CA.pem")
	}
	behind, err := url.Parse(ts.Getenv("AWS_ENDPOINT_URL"))
	ts.Check(err)
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
	}})
	ts.Defer(front.Close)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o644))
	ts.Setenv("TLS_URL", front.URL)
	ts.Setenv("TLS_HOST", strings.TrimPrefix(front.URL, "https://"))
}

// cmdProxy starts an HTTP proxy that connects nobody and notes who asked for what:
// proxy FILE sets PROXY_URL.
func cmdProxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proxy FILE")
	}
	file := ts.MkAbs(args[0])
	var mu sync.Mutex
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, _ = f.WriteString(r.Method + " " + r.Host + "\n")
			_ = f.Close()
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	ts.Defer(proxy.Close)
	ts.Setenv("PROXY_URL", proxy.URL)
}
