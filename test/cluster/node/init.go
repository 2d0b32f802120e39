package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// nodeConfig is written by cluster.ts.
type nodeConfig struct {
	// Commands that prepare the node (mounts, addresses, routes), run one after the other.
	Setup [][]string `json:"setup"`
	Parts []part     `json:"parts"`
	// Where the control socket is made and the logs of the parts go.
	Socket string `json:"socket"`
	Logs   string `json:"logs"`
}

type part struct {
	Name string   `json:"name"`
	Argv []string `json:"argv"`
}

const (
	firstBackoff = 200 * time.Millisecond
	lastBackoff  = 2 * time.Second
)

// supervisor starts the parts and starts them again when they die. As the first process of its pid namespace it is also
// the parent of every orphan, so it waits for all children itself instead of leaving that to os/exec.
type supervisor struct {
	config nodeConfig
	mutex  sync.Mutex
	states map[string]*partState
}

type partState struct {
	part    part
	wanted  bool
	pid     int
	backoff time.Duration
	started time.Time
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
	s := &supervisor{config: config, states: map[string]*partState{}}
	for _, p := range config.Parts {
		s.states[p.Name] = &partState{part: p, wanted: true, backoff: firstBackoff}
	}
	s.mutex.Lock()
	for _, p := range config.Parts {
		s.start(s.states[p.Name])
	}
	s.mutex.Unlock()
	go s.reap()
	return s.serve()
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

// start expects the mutex to be held.
func (s *supervisor) start(state *partState) {
	log, err := os.OpenFile(filepath.Join(s.config.Logs, state.part.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer log.Close()
	attributes := &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{nil, log, log},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	process, err := os.StartProcess(state.part.Argv[0], state.part.Argv, attributes)
	if err != nil {
		fmt.Fprintf(log, "cannot start: %v\n", err)
		s.startLater(state)
		return
	}
	state.pid = process.Pid
	state.started = time.Now()
	_ = process.Release()
}

// startLater expects the mutex to be held.
func (s *supervisor) startLater(state *partState) {
	wait := state.backoff
	state.backoff = min(state.backoff*2, lastBackoff)
	time.AfterFunc(wait, func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		if state.wanted && state.pid == 0 {
			s.start(state)
		}
	})
}

func (s *supervisor) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		s.mutex.Lock()
		for _, state := range s.states {
			if state.pid != pid {
				continue
			}
			state.pid = 0
			if time.Since(state.started) > 10*time.Second {
				state.backoff = firstBackoff
			}
			if state.wanted {
				s.startLater(state)
			}
		}
		s.mutex.Unlock()
	}
}

// serve answers one line per connection: `start PART`, `stop PART`, `kill PART`, `status`.
func (s *supervisor) serve() error {
	_ = os.Remove(s.config.Socket)
	listener, err := net.Listen("unix", s.config.Socket)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			line, _ := bufio.NewReader(connection).ReadString('\n')
			fmt.Fprintln(connection, s.answer(strings.Fields(line)))
		}()
	}
}

func (s *supervisor) answer(words []string) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(words) == 1 && words[0] == "status" {
		lines := make([]string, 0, len(s.config.Parts))
		for _, p := range s.config.Parts {
			lines = append(lines, fmt.Sprintf("%s %d", p.Name, s.states[p.Name].pid))
		}
		return strings.Join(lines, "\n")
	}
	if len(words) != 2 {
		return "error: expected a verb and a part"
	}
	state, known := s.states[words[1]]
	if !known {
		return fmt.Sprintf("error: no part %q", words[1])
	}
	switch words[0] {
	case "start":
		state.wanted = true
		if state.pid == 0 {
			s.start(state)
		}
	case "stop":
		state.wanted = false
		if state.pid != 0 {
			_ = syscall.Kill(state.pid, syscall.SIGTERM)
		}
	case "kill":
		if state.pid != 0 {
			_ = syscall.Kill(state.pid, syscall.SIGKILL)
		}
	default:
		return fmt.Sprintf("error: no verb %q", words[0])
	}
	return "ok"
}
