package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"wfctl.test/go/gen/iac"
	"wfctl.test/go/gen/pluginv1"
)

const iacPrefix = "workflow.plugin.external.iac."

type pluginService struct {
	pluginv1.UnimplementedPluginServiceServer
	server  *grpc.Server
	variant variant
}

func (s *pluginService) GetManifest(context.Context, *emptypb.Empty) (*pluginv1.Manifest, error) {
	if s.variant["no-manifest"] {
		return nil, status.Error(codes.Unimplemented, "method GetManifest not implemented")
	}
	version := "1.4.0"
	if s.variant["devel"] {
		version = "(devel) 3f2a1c"
	}
	return &pluginv1.Manifest{Name: "workflow-plugin-gocloud", Version: version, Author: "wfctl", Description: "Objects in a file, by a plugin of Go"}, nil
}

// GetContractRegistry lists what is registered on the server, as upstream's kit does.
func (s *pluginService) GetContractRegistry(context.Context, *emptypb.Empty) (*pluginv1.ContractRegistry, error) {
	registry := &pluginv1.ContractRegistry{}
	names := []string{}
	for name := range s.server.GetServiceInfo() {
		// Older kits list everything.
		if strings.HasPrefix(name, iacPrefix) || s.variant["lists-everything"] {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if s.variant["no-required"] && name == iacPrefix+"IaCProviderRequired" {
			continue
		}
		registry.Contracts = append(registry.Contracts, &pluginv1.ContractDescriptor{
			Kind:        pluginv1.ContractKind_CONTRACT_KIND_SERVICE,
			ServiceName: name,
			Mode:        pluginv1.ContractMode_CONTRACT_MODE_STRICT_PROTO,
		})
	}
	if s.variant["unknown-enums"] {
		registry.Contracts = append(registry.Contracts, &pluginv1.ContractDescriptor{
			Kind: pluginv1.ContractKind(77), ServiceName: iacPrefix + "OfTomorrow", Mode: pluginv1.ContractMode(12),
		})
	}
	return registry, nil
}

type provider struct {
	iac.UnimplementedIaCProviderRequiredServer
	cloud   *cloud
	variant variant
	logger  hclog.Logger
}

func (p *provider) Initialize(_ context.Context, request *iac.InitializeRequest) (*iac.InitializeResponse, error) {
	config, err := decodeObject(request.GetConfigJson())
	if err != nil {
		return nil, fmt.Errorf("gocloud: config: %w", err)
	}
	root, _ := config["root"].(string)
	if root == "" {
		return nil, fmt.Errorf("gocloud: root is required")
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("gocloud: %w", err)
	}
	p.cloud.open(filepath.Join(root, "cloud.json"))
	p.logger.Info("initialized", "region", config["region"])
	return &iac.InitializeResponse{}, nil
}

func (p *provider) Name(context.Context, *iac.NameRequest) (*iac.NameResponse, error) {
	return &iac.NameResponse{Name: "gocloud"}, nil
}

func (p *provider) Version(context.Context, *iac.VersionRequest) (*iac.VersionResponse, error) {
	return &iac.VersionResponse{Version: "1.4.0"}, nil
}

func (p *provider) Capabilities(context.Context, *iac.CapabilitiesRequest) (*iac.CapabilitiesResponse, error) {
	version := "v2"
	switch {
	case p.variant["v1"]:
		version = "v1"
	case p.variant["no-version"]:
		version = ""
	}
	operations := []string{"create", "read", "update", "delete", "scale"}
	if p.variant["unknown-enums"] {
		operations = append(operations, "teleport")
	}
	return &iac.CapabilitiesResponse{
		ComputePlanVersion: version,
		Capabilities: []*iac.IaCCapabilityDeclaration{
			{ResourceType: "infra.storage", Tier: 1, Operations: operations},
			{ResourceType: "infra.database", Tier: 2, Operations: operations},
			{ResourceType: "infra.gizmo", Tier: 77, Operations: operations},
		},
	}, nil
}

// Plan, Destroy, Status, Import, ResolveSizing and BootstrapStateBackend: a plugin of this size leaves them to the stub.

type enumerator struct {
	iac.UnimplementedIaCProviderEnumeratorServer
	cloud *cloud
}

func (e *enumerator) EnumerateAll(_ context.Context, request *iac.EnumerateAllRequest) (*iac.EnumerateAllResponse, error) {
	response := &iac.EnumerateAllResponse{}
	err := e.cloud.change("EnumerateAll", func(file *cloudFile) error {
		for _, each := range file.sorted() {
			if each.Type != request.GetResourceType() {
				continue
			}
			output, err := encodeOutput(each, variant{})
			if err != nil {
				return err
			}
			response.Outputs = append(response.Outputs, output)
		}
		return nil
	})
	return response, err
}

type driftDetector struct {
	iac.UnimplementedIaCProviderDriftDetectorServer
	cloud   *cloud
	variant variant
}

func (d *driftDetector) DetectDrift(_ context.Context, request *iac.DetectDriftRequest) (*iac.DetectDriftResponse, error) {
	response := &iac.DetectDriftResponse{}
	err := d.cloud.change("DetectDrift", func(file *cloudFile) error {
		for _, ref := range request.GetRefs() {
			class := iac.DriftClass_DRIFT_CLASS_IN_SYNC
			if _, ok := file.find(ref.GetType(), ref.GetName(), ref.GetProviderId()); !ok {
				class = iac.DriftClass_DRIFT_CLASS_GHOST
			}
			if d.variant["unknown-enums"] {
				class = iac.DriftClass(99)
			}
			response.Drifts = append(response.Drifts, &iac.DriftResult{Name: ref.GetName(), Type: ref.GetType(), Class: class})
		}
		return nil
	})
	return response, err
}

type finalizer struct {
	iac.UnimplementedIaCProviderFinalizerServer
	variant variant
}

func (f *finalizer) FinalizeApply(context.Context, *iac.FinalizeApplyRequest) (*iac.FinalizeApplyResponse, error) {
	if f.variant["finalize-fails"] {
		return &iac.FinalizeApplyResponse{Errors: []*iac.ActionError{
			{Resource: "infra.storage", Action: "deferred_update", Error: "gocloud: <dns> & mail still pending"},
		}}, nil
	}
	return &iac.FinalizeApplyResponse{}, nil
}

type logCapture struct {
	iac.UnimplementedIaCProviderLogCaptureServer
}

func (l *logCapture) CaptureLogs(_ *iac.CaptureLogsRequest, stream grpc.ServerStreamingServer[iac.LogChunk]) error {
	if err := stream.Send(&iac.LogChunk{Data: []byte("started\n"), Source: "historic"}); err != nil {
		return err
	}
	return stream.Send(&iac.LogChunk{Eof: true})
}

// decodeObject reads a *_json field: zero bytes and null are no object.
func decodeObject(data []byte) (map[string]any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var value map[string]any
	if err := json.Unmarshal(data, &value); err != nil {
		return nil, err
	}
	return value, nil
}
