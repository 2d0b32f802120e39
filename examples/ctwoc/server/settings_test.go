package main

import (
	"strings"
	"testing"
	"time"
)

func environmentOf(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestAnEmptyEnvironmentGivesAServerThatBehaves(t *testing.T) {
	s, err := readSettings(environmentOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	if s.role != "ctwoc" || s.port != "8080" || s.shutdownDelay != 2*time.Second || s.crashes || s.healthFails {
		t.Errorf("got %+v", s)
	}
}

func TestADurationWithoutUnitMeansSeconds(t *testing.T) {
	s, err := readSettings(environmentOf(map[string]string{"CRASH_AFTER": "3", "LATENCY": "1.5s", "SHUTDOWN_DELAY": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	if !s.crashes || s.crashAfter != 3*time.Second || s.latency != 1500*time.Millisecond || s.shutdownDelay != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestTheLogOfAStartIsOneLineAfterTheOther(t *testing.T) {
	s, err := readSettings(environmentOf(map[string]string{"START_LOG": "loading 1/2\nloading 2/2\n", "START_LOG_EVERY": "20"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.startLog) != 2 || s.startLog[1] != "loading 2/2" || s.startLogEvery != 20*time.Second {
		t.Errorf("got %+v", s)
	}
}

func TestAWrongSettingIsNamed(t *testing.T) {
	wrong := map[string]string{
		"ROLE":          "backend",
		"LATENCY":       "soon",
		"START_DELAY":   "-1s",
		"EXIT_CODE":     "1.5",
		"LOG_LINES":     "many",
		"ERROR_RATE":    "5",
		"MEMORY_GROWTH": "-1",
		"NEVER_READY":   "yes",
	}
	for name, value := range wrong {
		_, err := readSettings(environmentOf(map[string]string{name: value}))
		if err == nil || !strings.HasPrefix(err.Error(), name+" is ") {
			t.Errorf("%s=%s: got %v", name, value, err)
		}
	}
}
