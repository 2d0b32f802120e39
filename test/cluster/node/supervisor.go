package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

type part struct {
	Name string   `json:"name"`
	Argv []string `json:"argv"`
	// The part's first start waits until this URL answers at all ("listening") or with 200 ("ready"): starting
	// everything at once would only slow down what the others wait for.
	After *gate `json:"after"`
}

type gate struct {
	URL   string `json:"url"`
	State string `json:"state"`
}

const (
	firstBackoff = 200 * time.Millisecond
	lastBackoff  = 2 * time.Second
	// A part that ran this long is not in a crash loop.
	stable = 10 * time.Second
	// A part that is told to end and does not is killed after this long.
	patience = 10 * time.Second
)

// supervisor starts the parts and starts them again when they die.
type supervisor struct {
	logs   string
	order  []string
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

func newSupervisor(parts []part, logs string) *supervisor {
	s := &supervisor{logs: logs, states: map[string]*partState{}}
	for _, p := range parts {
		s.order = append(s.order, p.Name)
		s.states[p.Name] = &partState{part: p, wanted: true, backoff: firstBackoff}
	}
	return s
}

func (s *supervisor) startAll() {
	// One poll for all that wait for the same thing: polls cost the API server most while it starts.
	waiting := map[gate][]*partState{}
	for _, name := range s.order {
		state := s.states[name]
		if state.part.After == nil {
			s.startIfWanted(state)
		} else {
			waiting[*state.part.After] = append(waiting[*state.part.After], state)
		}
	}
	for g, states := range waiting {
		go func() {
			g.wait()
			for _, state := range states {
				s.startIfWanted(state)
			}
		}()
	}
}

func (g gate) wait() {
	client := &http.Client{
		Timeout: time.Second,
		// The certificate does not matter here: only whether somebody answers.
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	defer client.CloseIdleConnections()
	for ; ; time.Sleep(50 * time.Millisecond) {
		response, err := client.Get(g.URL)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if g.State != "ready" || response.StatusCode == http.StatusOK {
			return
		}
	}
}

func (s *supervisor) startIfWanted(state *partState) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if state.wanted && state.pid == 0 {
		s.start(state)
	}
}

// start expects the mutex to be held.
func (s *supervisor) start(state *partState) {
	log, err := os.OpenFile(filepath.Join(s.logs, state.part.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer null.Close()
	process, err := os.StartProcess(state.part.Argv[0], state.part.Argv, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{null, log, log},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
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
	time.AfterFunc(wait, func() { s.startIfWanted(state) })
}

// ended is told of every child that has ended, whether it is a part or an orphan of one.
func (s *supervisor) ended(pid int, status syscall.WaitStatus) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for name, state := range s.states {
		if state.pid != pid {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s %s ended: code %d, signal %d\n", time.Now().Format(time.RFC3339), name, status.ExitStatus(), status.Signal())
		state.pid = 0
		if time.Since(state.started) > stable {
			state.backoff = firstBackoff
		}
		if state.wanted {
			s.startLater(state)
		}
	}
}

// signal sends a signal to the part and returns when that process is gone.
func (s *supervisor) signal(state *partState, signal syscall.Signal) {
	s.mutex.Lock()
	pid := state.pid
	if pid != 0 {
		_ = syscall.Kill(pid, signal)
	}
	s.mutex.Unlock()
	if pid == 0 {
		return
	}
	deadline := time.Now().Add(patience)
	for s.pidOf(state) == pid {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *supervisor) pidOf(state *partState) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return state.pid
}

func (s *supervisor) want(state *partState, wanted bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	state.wanted = wanted
}
