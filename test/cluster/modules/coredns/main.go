// Command coredns is the name server of the cluster: CoreDNS with the plugins that the Corefile of node.ts uses, and no other.
// The stock command takes the SDKs of three clouds along, which take five times as long to build as all the rest.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	// A query passes the plugins in this order.
	dnsserver.Directives = []string{"bind", "template", "kubernetes"}
	coremain.Run()
}
