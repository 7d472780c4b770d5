package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"wfctl.test/go/gen/iac"
)

type driver struct {
	iac.UnimplementedResourceDriverServer
	cloud   *cloud
	variant variant
	logger  hclog.Logger
	// Ids that a Read has not found once, with the variant "misses-once".
	missed sync.Map
}

func (d *driver) check(resourceType string) error {
	switch resourceType {
	case "":
		return status.Error(codes.InvalidArgument, "resource_type is required")
	case "infra.storage", "infra.database", "infra.gizmo":
		return nil
	}
	return status.Errorf(codes.NotFound, "no driver for resource type %q", resourceType)
}

func (d *driver) Create(ctx context.Context, request *iac.ResourceCreateRequest) (*iac.ResourceCreateResponse, error) {
	if err := d.check(request.GetResourceType()); err != nil {
		return nil, err
	}
	spec := request.GetSpec()
	config, err := decodeObject(spec.GetConfigJson())
	if err != nil {
		return nil, fmt.Errorf("gocloud: config of %s: %w", spec.GetName(), err)
	}
	switch {
	case d.variant["panics-in-create"]:
		var spare map[string]string
		spare["name"] = spec.GetName()
	case d.variant["stdio-flood"]:
		flood(os.Stdout)
		flood(os.Stderr)
	case d.variant["refuses-create"]:
		return nil, fmt.Errorf("create %s: %w: name <%s> & quota", spec.GetName(), errAlreadyExists, spec.GetName())
	case d.variant["code-already-exists"]:
		return nil, status.Errorf(codes.AlreadyExists, "bucket %s exists", spec.GetName())
	case d.variant["no-output"]:
		return &iac.ResourceCreateResponse{}, nil
	}
	var made object
	err = d.cloud.change("Create "+spec.GetName(), func(file *cloudFile) error {
		if _, ok := file.find(request.GetResourceType(), spec.GetName(), ""); ok {
			return fmt.Errorf("%w: %s", errAlreadyExists, spec.GetName())
		}
		file.Next++
		made = object{
			ID:   fmt.Sprintf("go-%d", file.Next),
			Name: spec.GetName(), Type: request.GetResourceType(), Config: config, PID: os.Getpid(),
		}
		file.Objects[made.ID] = made
		return nil
	})
	if err != nil {
		return nil, err
	}
	if d.variant["hangs-after-create"] {
		// The object is there, the answer is not.
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Minute):
		}
	}
	output, err := encodeOutput(made, d.variant)
	return &iac.ResourceCreateResponse{Output: output}, err
}

func (d *driver) Read(_ context.Context, request *iac.ResourceReadRequest) (*iac.ResourceReadResponse, error) {
	if err := d.check(request.GetResourceType()); err != nil {
		return nil, err
	}
	ref := request.GetRef()
	if d.variant["misses-once"] && ref.GetProviderId() != "" {
		if _, seen := d.missed.LoadOrStore(ref.GetProviderId(), true); !seen {
			return nil, d.absent(ref)
		}
	}
	var output *iac.ResourceOutput
	err := d.cloud.change("Read "+ref.GetName(), func(file *cloudFile) error {
		found, ok := file.find(request.GetResourceType(), ref.GetName(), ref.GetProviderId())
		if !ok {
			return d.absent(ref)
		}
		encoded, err := encodeOutput(found, d.variant)
		output = encoded
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iac.ResourceReadResponse{Output: output}, nil
}

func (d *driver) Update(_ context.Context, request *iac.ResourceUpdateRequest) (*iac.ResourceUpdateResponse, error) {
	if err := d.check(request.GetResourceType()); err != nil {
		return nil, err
	}
	config, err := decodeObject(request.GetSpec().GetConfigJson())
	if err != nil {
		return nil, fmt.Errorf("gocloud: %w", err)
	}
	ref := request.GetRef()
	var output *iac.ResourceOutput
	err = d.cloud.change("Update "+ref.GetName(), func(file *cloudFile) error {
		found, ok := file.find(request.GetResourceType(), ref.GetName(), ref.GetProviderId())
		if !ok {
			return d.absent(ref)
		}
		found.Config = config
		if d.variant["moves-on-update"] {
			delete(file.Objects, found.ID)
			file.Next++
			found.ID = fmt.Sprintf("go-%d", file.Next)
		}
		file.Objects[found.ID] = found
		if d.variant["wrong-id-on-update"] {
			found.ID = "go-of-nobody"
		}
		encoded, err := encodeOutput(found, d.variant)
		output = encoded
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iac.ResourceUpdateResponse{Output: output}, nil
}

func (d *driver) Delete(_ context.Context, request *iac.ResourceDeleteRequest) (*iac.ResourceDeleteResponse, error) {
	if err := d.check(request.GetResourceType()); err != nil {
		return nil, err
	}
	ref := request.GetRef()
	err := d.cloud.change("Delete "+ref.GetName(), func(file *cloudFile) error {
		found, ok := file.find(request.GetResourceType(), ref.GetName(), ref.GetProviderId())
		if !ok {
			return d.absent(ref)
		}
		delete(file.Objects, found.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iac.ResourceDeleteResponse{}, nil
}

// absent is how a missing object is told: by the sentinel, or as the plugins that have none of it pass on their cloud's words.
func (d *driver) absent(ref *iac.ResourceRef) error {
	if d.variant["opaque-errors"] {
		return fmt.Errorf("GET https://api.example.com/v2/things/%s: 404 The resource you were accessing could not be found", ref.GetProviderId())
	}
	return fmt.Errorf("%w: %s %q", errNotFound, ref.GetType(), ref.GetName())
}

// Diff compares with the outputs that the host recorded, whose "config" is what was applied.
func (d *driver) Diff(_ context.Context, request *iac.ResourceDiffRequest) (*iac.ResourceDiffResponse, error) {
	if err := d.check(request.GetResourceType()); err != nil {
		return nil, err
	}
	desired, err := decodeObject(request.GetDesired().GetConfigJson())
	if err != nil {
		return nil, fmt.Errorf("gocloud: %w", err)
	}
	outputs, err := decodeObject(request.GetCurrent().GetOutputsJson())
	if err != nil {
		return nil, fmt.Errorf("gocloud: %w", err)
	}
	current, _ := outputs["config"].(map[string]any)
	result := &iac.DiffResult{}
	for _, key := range keysOf(desired, current) {
		if reflect.DeepEqual(desired[key], current[key]) {
			continue
		}
		change := &iac.FieldChange{Path: key, ForceNew: key == "region"}
		// A nil value is no bytes for upstream's plugins.
		if old, ok := current[key]; ok {
			change.OldJson, _ = json.Marshal(old)
		}
		if wanted, ok := desired[key]; ok {
			change.NewJson, _ = json.Marshal(wanted)
		}
		result.Changes = append(result.Changes, change)
	}
	result.NeedsUpdate = len(result.Changes) > 0
	return &iac.ResourceDiffResponse{Result: result}, nil
}

func (d *driver) HealthCheck(_ context.Context, request *iac.ResourceHealthCheckRequest) (*iac.ResourceHealthCheckResponse, error) {
	ref := request.GetRef()
	result := &iac.HealthResult{Healthy: true}
	err := d.cloud.change("HealthCheck "+ref.GetName(), func(file *cloudFile) error {
		if _, ok := file.find(request.GetResourceType(), ref.GetName(), ref.GetProviderId()); !ok {
			result = &iac.HealthResult{Message: "it is not there"}
		}
		return nil
	})
	return &iac.ResourceHealthCheckResponse{Result: result}, err
}

func (d *driver) Scale(context.Context, *iac.ResourceScaleRequest) (*iac.ResourceScaleResponse, error) {
	return nil, fmt.Errorf("scale is not supported")
}

func (d *driver) SensitiveKeys(context.Context, *iac.SensitiveKeysRequest) (*iac.SensitiveKeysResponse, error) {
	return &iac.SensitiveKeysResponse{Keys: []string{"password"}}, nil
}

func (d *driver) Troubleshoot(context.Context, *iac.TroubleshootRequest) (*iac.TroubleshootResponse, error) {
	return nil, status.Error(codes.Unimplemented, "driver has no troubleshooter")
}

func keysOf(maps ...map[string]any) []string {
	seen := map[string]bool{}
	for _, each := range maps {
		for key := range each {
			seen[key] = true
		}
	}
	keys := make([]string, 0, len(seen))
	for key := range seen {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// encodeOutput writes what encoding/json writes: sorted keys, HTML characters escaped, nil slices as null.
func encodeOutput(of object, variant variant) (*iac.ResourceOutput, error) {
	output := &iac.ResourceOutput{ProviderId: of.ID, Name: of.Name, Type: of.Type, Status: "running"}
	if variant["nil-maps"] {
		var none map[string]any
		encoded, err := json.Marshal(none)
		output.OutputsJson, output.Sensitive = encoded, nil
		return output, err
	}
	var noTags []string
	values := map[string]any{
		"arn":    "arn:go:" + of.ID,
		"config": of.Config,
		"html":   "<a href=\"x\">&\u2028</a>",
		"tags":   noTags,
		"ports":  []int{},
		"count":  3000000.0,
		"big":    1e21,
		"small":  0.000001,
		"none":   nil,
	}
	if of.Type == "infra.database" {
		values["password"] = "go-secret-" + of.ID
		output.Sensitive = map[string]bool{"password": true, "not_there": true, "arn": false}
	}
	if variant["large"] {
		values["blob"] = strings.Repeat("0123456789abcdef", 6*64*1024)
	}
	encoded, err := json.Marshal(values)
	output.OutputsJson = encoded
	return output, err
}
