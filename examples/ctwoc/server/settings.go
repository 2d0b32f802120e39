package main

import (
	"fmt"
	"strconv"
	"time"
)

// settings is what the environment asks for; README.md lists the variables.
type settings struct {
	role          string
	port          string
	tlsPort       string
	tlsCert       string
	tlsKey        string
	config        string
	startDelay    time.Duration
	readyDelay    time.Duration
	neverReady    bool
	crashes       bool
	crashAfter    time.Duration
	crashMessage  string
	exitCode      int
	errorRate     float64
	latency       time.Duration
	memoryGrowth  int
	logLines      int
	shutdownDelay time.Duration
	healthFails   bool
	healthAfter   time.Duration
}

func readSettings(getenv func(string) string) (settings, error) {
	reader := envReader{getenv: getenv}
	_, crashes := reader.given("CRASH_AFTER")
	_, healthFails := reader.given("HEALTH_FAIL_AFTER")
	result := settings{
		role:          reader.text("ROLE", "ctwoc"),
		port:          reader.text("PORT", "8080"),
		tlsPort:       reader.text("TLS_PORT", "8443"),
		tlsCert:       reader.text("TLS_CERT", ""),
		tlsKey:        reader.text("TLS_KEY", ""),
		config:        reader.text("CONFIG", "/etc/frontend/frontend.conf"),
		startDelay:    reader.duration("START_DELAY", 0),
		readyDelay:    reader.duration("READY_DELAY", 0),
		neverReady:    reader.text("NEVER_READY", "") == "true",
		crashes:       crashes,
		crashAfter:    reader.duration("CRASH_AFTER", 0),
		crashMessage:  reader.text("CRASH_MESSAGE", "fatal: the sample was told to crash"),
		exitCode:      int(reader.number("EXIT_CODE", 1)),
		errorRate:     reader.number("ERROR_RATE", 0),
		latency:       reader.duration("LATENCY", 0),
		memoryGrowth:  int(reader.number("MEMORY_GROWTH", 0)),
		logLines:      int(reader.number("LOG_LINES", 0)),
		shutdownDelay: reader.duration("SHUTDOWN_DELAY", 2*time.Second),
		healthFails:   healthFails,
		healthAfter:   reader.duration("HEALTH_FAIL_AFTER", 0),
	}
	switch result.role {
	case "auth", "ctwoc", "frontend":
	default:
		return settings{}, fmt.Errorf("ROLE is %q; expected auth, ctwoc or frontend", result.role)
	}
	return result, reader.err
}

// envReader keeps the first error, so that the settings read as one table.
type envReader struct {
	getenv func(string) string
	err    error
}

func (r *envReader) given(name string) (string, bool) {
	value := r.getenv(name)
	return value, value != ""
}

func (r *envReader) text(name, fallback string) string {
	if value, given := r.given(name); given {
		return value
	}
	return fallback
}

func (r *envReader) duration(name string, fallback time.Duration) time.Duration {
	value, given := r.given(name)
	if !given {
		return fallback
	}
	duration, err := time.ParseDuration(value)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s is %q; expected a duration such as 1.5s", name, value)
	}
	return duration
}

func (r *envReader) number(name string, fallback float64) float64 {
	value, given := r.given(name)
	if !given {
		return fallback
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s is %q; expected a number", name, value)
	}
	return number
}
