package main

import (
	"encoding/json"
	"testing"
	"time"
)

func TestANewEndpointIsTakenAfterTheLagAndAnEndedOneDroppedAtOnce(t *testing.T) {
	start := time.Now()
	group := newEndpointGroup(5 * time.Second)
	expect := func(after time.Duration, wanted string) {
		t.Helper()
		if picked := group.pick(start.Add(after), "http"); picked != wanted {
			t.Errorf("after %s: picked %q, wanted %q", after, picked, wanted)
		}
	}
	group.update(start, slice(t, `"a"`, `{"addresses": ["10.0.0.1"]}`))
	expect(4*time.Second, "")
	expect(5*time.Second, "10.0.0.1:8080")
	// Another one comes, and the first is about to end.
	group.update(start.Add(6*time.Second), slice(t, `"a"`,
		`{"addresses": ["10.0.0.1"], "conditions": {"ready": false}}, {"addresses": ["10.0.0.2"], "conditions": {"ready": true}}`))
	expect(6*time.Second, "")
	expect(11*time.Second, "10.0.0.2:8080")
	// It moves to another slice: it has been there all the time.
	group.update(start.Add(12*time.Second), slice(t, `"a"`, ``), slice(t, `"b"`, `{"addresses": ["10.0.0.2"]}`))
	expect(12*time.Second, "10.0.0.2:8080")
	group.update(start.Add(13*time.Second), slice(t, `"b"`, ``))
	expect(30*time.Second, "")
}

func slice(t *testing.T, name, endpoints string) endpointSlice {
	t.Helper()
	text := `{"metadata": {"name": ` + name + `}, "ports": [{"name": "http", "port": 8080}], "endpoints": [` + endpoints + `]}`
	var result endpointSlice
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatal(err)
	}
	return result
}
