package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// nodeConfig is written by node.ts.
type nodeConfig struct {
	// Commands that prepare the node (mounts, addresses, routes), run one after the other.
	Setup [][]string `json:"setup"`
	Parts []part     `json:"parts"`
	// Where the control socket is made and the logs of the parts go.
	Socket string `json:"socket"`
	Logs   string `json:"logs"`
}

func runInit(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config nodeConfig
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	if err := waitForLink("eth0", 10*time.Second); err != nil {
		return err
	}
	for _, argv := range config.Setup {
		if output, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, output)
		}
	}
	s := newSupervisor(config.Parts, config.Logs)
	s.startAll()
	go reap(s)
	return serveControl(config.Socket, s)
}

// waitForLink waits until the machine has moved its end of the link into this network namespace.
func waitForLink(name string, limit time.Duration) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := net.InterfaceByName(name); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no interface %s after %s", name, limit)
}

// reap waits for every child: the first process of a pid namespace is the parent of every orphan, so this is not left
// to os/exec.
func reap(s *supervisor) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		s.ended(pid, status)
	}
}
