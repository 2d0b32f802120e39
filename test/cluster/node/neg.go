package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"time"
)

// lagAnnotation on a LoadBalancer Service holds a duration such as "5s": then not kube-proxy but a proxy of its own stands
// at its address, which behaves as the load balancer of a GKE Ingress does with the endpoints of a network endpoint
// group (kubernetes/ingress-gce#638). It takes a new endpoint only when that has been ready for this long, as if it had to be
// programmed and to pass its health checks, and drops one that is no longer ready at once. When it has none, it answers
// with 502. What the Service says of ports when its address comes is what counts.
const lagAnnotation = "harness.test/neg-lag"

type endpointSlice struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Endpoints []struct {
		Addresses  []string `json:"addresses"`
		Conditions struct {
			Ready *bool `json:"ready"`
		} `json:"conditions"`
	} `json:"endpoints"`
	Ports []struct {
		Name string `json:"name"`
		Port int    `json:"port"`
	} `json:"ports"`
}

// endpointGroup is what the balancer knows of the endpoints of a Service.
type endpointGroup struct {
	lag    time.Duration
	mutex  sync.Mutex
	slices map[string]endpointSlice
	// since when each endpoint has been ready, by the name of its port and then by its address with the port.
	since map[string]map[string]time.Time
}

func newEndpointGroup(lag time.Duration) *endpointGroup {
	return &endpointGroup{lag: lag, slices: map[string]endpointSlice{}, since: map[string]map[string]time.Time{}}
}

// update takes note of one slice as it is now; of one that was deleted when it has no endpoints.
func (g *endpointGroup) update(now time.Time, changed ...endpointSlice) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for _, slice := range changed {
		g.slices[slice.Metadata.Name] = slice
	}
	old := g.since
	g.since = map[string]map[string]time.Time{}
	for _, slice := range g.slices {
		for _, port := range slice.Ports {
			if g.since[port.Name] == nil {
				g.since[port.Name] = map[string]time.Time{}
			}
			for _, endpoint := range slice.Endpoints {
				if (endpoint.Conditions.Ready != nil && !*endpoint.Conditions.Ready) || len(endpoint.Addresses) == 0 {
					continue
				}
				address := net.JoinHostPort(endpoint.Addresses[0], fmt.Sprint(port.Port))
				since, known := old[port.Name][address]
				if !known {
					since = now
				}
				g.since[port.Name][address] = since
			}
		}
	}
}

// pick chooses one of the endpoints that have been there for long enough; an empty text when there is none.
func (g *endpointGroup) pick(now time.Time, port string) string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var usable []string
	for address, since := range g.since[port] {
		if now.Sub(since) >= g.lag {
			usable = append(usable, address)
		}
	}
	if len(usable) == 0 {
		return ""
	}
	return usable[rand.IntN(len(usable))]
}

// startLagging puts the proxy at the address of a Service and returns what ends it.
func (lb *loadBalancer) startLagging(s service, address string) (context.CancelFunc, error) {
	lag, err := time.ParseDuration(s.Metadata.Annotations[lagAnnotation])
	if err != nil {
		return nil, err
	}
	if output, err := exec.Command("ip", "address", "replace", address+"/32", "dev", "lo").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ip address replace: %w: %s", err, output)
	}
	ctx, cancel := context.WithCancel(context.Background())
	group := newEndpointGroup(lag)
	var servers []*http.Server
	for _, port := range s.Spec.Ports {
		server := &http.Server{Addr: net.JoinHostPort(address, fmt.Sprint(port.Port)), Handler: group.proxy(port.Name)}
		listener, err := net.Listen("tcp", server.Addr)
		if err != nil {
			cancel()
			return nil, err
		}
		servers = append(servers, server)
		go func() { _ = server.Serve(listener) }()
	}
	context.AfterFunc(ctx, func() {
		for _, server := range servers {
			_ = server.Close()
		}
		_ = exec.Command("ip", "address", "delete", address+"/32", "dev", "lo").Run()
	})
	go lb.followEndpoints(ctx, s, group)
	return cancel, nil
}

// proxy passes requests on, each on a connection of its own. The texts of its errors are those of Google's logs.
func (g *endpointGroup) proxy(port string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(&url.URL{Scheme: "http", Host: g.pick(time.Now(), port)})
		},
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		},
		ErrorHandler: func(w http.ResponseWriter, outgoing *http.Request, err error) {
			why := "failed_to_pick_backend"
			if outgoing.URL.Host != "" {
				why = "backend_connection_closed_before_data_sent_to_client: " + err.Error()
			}
			http.Error(w, why, http.StatusBadGateway)
		},
	}
}

// followEndpoints keeps the group as the EndpointSlices of the Service are, until the context ends.
func (lb *loadBalancer) followEndpoints(ctx context.Context, s service, group *endpointGroup) {
	path := fmt.Sprintf("%s/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices?labelSelector=%s", lb.config.Server,
		s.Metadata.Namespace, url.QueryEscape("kubernetes.io/service-name="+s.Metadata.Name))
	for ctx.Err() == nil {
		if err := lb.watchEndpoints(ctx, path, group); err != nil && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "endpoints of %s/%s: %v\n", s.Metadata.Namespace, s.Metadata.Name, err)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func (lb *loadBalancer) watchEndpoints(ctx context.Context, path string, group *endpointGroup) error {
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []endpointSlice `json:"items"`
	}
	body, err := lb.getIn(ctx, path)
	if err != nil {
		return err
	}
	err = json.NewDecoder(body).Decode(&list)
	_ = body.Close()
	if err != nil {
		return err
	}
	group.update(time.Now(), list.Items...)
	stream, err := lb.getIn(ctx, path+"&watch=true&timeoutSeconds=300&resourceVersion="+list.Metadata.ResourceVersion)
	if err != nil {
		return err
	}
	defer stream.Close()
	return eachEvent(stream, func(event string, slice endpointSlice) {
		if event == "DELETED" {
			slice.Endpoints = nil
		}
		group.update(time.Now(), slice)
	})
}
