//go:build tools

// Package etcd pins the server; its requirements clash with those of Kubernetes, hence a module of its own.
package etcd

import _ "go.etcd.io/etcd/server/v3"
