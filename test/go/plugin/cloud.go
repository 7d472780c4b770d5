package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"sync"
)

// object is a thing in the cloud, as its file has it.
type object struct {
	ID     string         `json:"id"`
	Name   string         `json:"name"`
	Type   string         `json:"type"`
	Config map[string]any `json:"config"`
	// Process that made it.
	PID int `json:"pid"`
}

type cloudFile struct {
	Next    int               `json:"next"`
	Calls   []string          `json:"calls"`
	PIDs    []int             `json:"pids"`
	Objects map[string]object `json:"objects"`
}

// The texts that hosts of upstream look for.
var (
	errNotFound      = errors.New("iac: resource not found")
	errAlreadyExists = errors.New("iac: resource already exists")
)

// cloud is the file that a configuration names. One process works on it at a time.
type cloud struct {
	mu   sync.Mutex
	path string
}

func (c *cloud) open(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.path = path
}

// change reads the file, lets fn work on it, and replaces it.
func (c *cloud) change(call string, fn func(*cloudFile) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path == "" {
		return fmt.Errorf("gocloud: not initialized")
	}
	file := cloudFile{Objects: map[string]object{}}
	if text, err := os.ReadFile(c.path); err == nil {
		if err := json.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("gocloud: %s: %w", c.path, err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("gocloud: %w", err)
	}
	file.Calls = append(file.Calls, call)
	if len(file.PIDs) == 0 || file.PIDs[len(file.PIDs)-1] != os.Getpid() {
		file.PIDs = append(file.PIDs, os.Getpid())
	}
	failed := fn(&file)
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("gocloud: %w", err)
	}
	temporary := fmt.Sprintf("%s.%d", c.path, os.Getpid())
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fmt.Errorf("gocloud: %w", err)
	}
	if err := os.Rename(temporary, c.path); err != nil {
		return fmt.Errorf("gocloud: %w", err)
	}
	return failed
}

// find looks an object up by id, or by name and type where there is none.
func (f *cloudFile) find(typ, name, id string) (object, bool) {
	if id != "" {
		found, ok := f.Objects[id]
		return found, ok
	}
	for _, candidate := range f.sorted() {
		if candidate.Type == typ && candidate.Name == name {
			return candidate, true
		}
	}
	return object{}, false
}

func (f *cloudFile) sorted() []object {
	all := make([]object, 0, len(f.Objects))
	for _, each := range f.Objects {
		all = append(all, each)
	}
	sort.Slice(all, func(a, b int) bool { return all[a].ID < all[b].ID })
	return all
}
