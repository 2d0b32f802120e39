package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// lbConfig is written by node.ts.
type lbConfig struct {
	Server string `json:"server"`
	CA     string `json:"ca"`
	Cert   string `json:"cert"`
	Key    string `json:"key"`
	// Addresses are Prefix + number, from First to Last.
	Prefix string `json:"prefix"`
	First  int    `json:"first"`
	Last   int    `json:"last"`
	// How long a Service waits for its address; a Service overrides it with the annotation below.
	Delay string `json:"delay"`
}

// delayAnnotation holds a duration such as "5s", or "never".
const delayAnnotation = "harness.test/load-balancer-delay"

type service struct {
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		UID         string            `json:"uid"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Type  string `json:"type"`
		Ports []struct {
			Name string `json:"name"`
			Port int    `json:"port"`
		} `json:"ports"`
	} `json:"spec"`
	Status struct {
		LoadBalancer struct {
			Ingress []struct {
				IP string `json:"ip"`
			} `json:"ingress"`
		} `json:"loadBalancer"`
	} `json:"status"`
}

type loadBalancer struct {
	config lbConfig
	client *http.Client
	mutex  sync.Mutex
	// Address by the UID of its Service; entries of deleted Services are removed.
	taken map[string]string
	// What ends the proxies of Services with a lag, by their UIDs.
	lagging map[string]context.CancelFunc
}

func runLoadBalancer(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lb := &loadBalancer{taken: map[string]string{}, lagging: map[string]context.CancelFunc{}}
	if err := json.Unmarshal(text, &lb.config); err != nil {
		return err
	}
	if lb.client, err = mutualTLS(lb.config); err != nil {
		return err
	}
	for {
		if err := lb.watch(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

func mutualTLS(config lbConfig) (*http.Client, error) {
	certificate, err := tls.LoadX509KeyPair(config.Cert, config.Key)
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(config.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: pool}}
	return &http.Client{Transport: transport}, nil
}

// watch handles all Services that are there and then each change, until the server ends the stream.
func (lb *loadBalancer) watch() error {
	services := lb.config.Server + "/api/v1/services"
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []service `json:"items"`
	}
	body, err := lb.get(services)
	if err != nil {
		return err
	}
	err = json.NewDecoder(body).Decode(&list)
	_ = body.Close()
	if err != nil {
		return err
	}
	lb.forgetOthers(list.Items)
	for _, s := range list.Items {
		lb.handle("ADDED", s)
	}
	stream, err := lb.get(services + "?watch=true&timeoutSeconds=300&resourceVersion=" + list.Metadata.ResourceVersion)
	if err != nil {
		return err
	}
	defer stream.Close()
	return eachEvent(stream, lb.handle)
}

// eachEvent hands over what a watch tells, until it ends or says that it has fallen behind.
func eachEvent[T any](stream io.Reader, take func(event string, object T)) error {
	decoder := json.NewDecoder(stream)
	for {
		var event struct {
			Type   string `json:"type"`
			Object T      `json:"object"`
		}
		if err := decoder.Decode(&event); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if event.Type == "ERROR" {
			return nil
		}
		take(event.Type, event.Object)
	}
}

func (lb *loadBalancer) get(url string) (io.ReadCloser, error) {
	return lb.getIn(context.Background(), url)
}

func (lb *loadBalancer) getIn(ctx context.Context, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := lb.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return response.Body, nil
}

// forgetOthers frees the addresses of Services that were deleted while nobody watched.
func (lb *loadBalancer) forgetOthers(services []service) {
	lb.mutex.Lock()
	defer lb.mutex.Unlock()
	there := map[string]bool{}
	for _, s := range services {
		there[s.Metadata.UID] = true
	}
	for uid := range lb.taken {
		if !there[uid] {
			lb.forget(uid)
		}
	}
}

func (lb *loadBalancer) handle(event string, s service) {
	lb.mutex.Lock()
	defer lb.mutex.Unlock()
	if event == "DELETED" || s.Spec.Type != "LoadBalancer" {
		lb.forget(s.Metadata.UID)
		return
	}
	if len(s.Status.LoadBalancer.Ingress) > 0 {
		lb.taken[s.Metadata.UID] = s.Status.LoadBalancer.Ingress[0].IP
		lb.lag(s)
		return
	}
	if _, known := lb.taken[s.Metadata.UID]; known {
		return
	}
	wanted := lb.config.Delay
	if override, given := s.Metadata.Annotations[delayAnnotation]; given {
		wanted = override
	}
	if wanted == "never" {
		return
	}
	delay, err := time.ParseDuration(wanted)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s/%s: %v\n", s.Metadata.Namespace, s.Metadata.Name, err)
		return
	}
	address := lb.free()
	lb.taken[s.Metadata.UID] = address
	time.AfterFunc(delay, func() { lb.assign(s, address) })
}

// lag sees to it that the proxy of a Service with the annotation runs.
func (lb *loadBalancer) lag(s service) {
	if _, wanted := s.Metadata.Annotations[lagAnnotation]; !wanted || lb.lagging[s.Metadata.UID] != nil {
		return
	}
	stop, err := lb.startLagging(s, lb.taken[s.Metadata.UID])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s/%s: %v\n", s.Metadata.Namespace, s.Metadata.Name, err)
		return
	}
	lb.lagging[s.Metadata.UID] = stop
}

func (lb *loadBalancer) forget(uid string) {
	delete(lb.taken, uid)
	if stop := lb.lagging[uid]; stop != nil {
		stop()
		delete(lb.lagging, uid)
	}
}

func (lb *loadBalancer) free() string {
	used := map[string]bool{}
	for _, address := range lb.taken {
		used[address] = true
	}
	for number := lb.config.First; number <= lb.config.Last; number++ {
		if address := fmt.Sprintf("%s%d", lb.config.Prefix, number); !used[address] {
			return address
		}
	}
	return ""
}

func (lb *loadBalancer) assign(s service, address string) {
	mode := "VIP"
	if _, lags := s.Metadata.Annotations[lagAnnotation]; lags {
		// Leaves the address to the proxy: kube-proxy makes no rules for it.
		mode = "Proxy"
	}
	body := fmt.Sprintf(`{"status":{"loadBalancer":{"ingress":[{"ip":%q,"ipMode":%q}]}}}`, address, mode)
	url := fmt.Sprintf("%s/api/v1/namespaces/%s/services/%s/status", lb.config.Server, s.Metadata.Namespace, s.Metadata.Name)
	request, err := http.NewRequest(http.MethodPatch, url, bytes.NewBufferString(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/merge-patch+json")
	response, err := lb.client.Do(request)
	if err == nil {
		defer response.Body.Close()
		if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNotFound {
			return
		}
		err = fmt.Errorf("%s", response.Status)
	}
	fmt.Fprintf(os.Stderr, "address for %s/%s: %v\n", s.Metadata.Namespace, s.Metadata.Name, err)
	// The next change of the Service tries again.
	lb.mutex.Lock()
	delete(lb.taken, s.Metadata.UID)
	lb.mutex.Unlock()
}
