// Command host drives a plugin as upstream's hosts do: go-plugin's client, no TLS, the load sequence in upstream's order, the
// driver calls, the state backend, Kill. It prints what it saw as one JSON object and judges nothing: the tests do.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"wfctl.test/go/gen/iac"
	"wfctl.test/go/gen/pluginv1"
)

// connPlugin hands out the bare connection, as upstream's host has it.
type connPlugin struct {
	plugin.NetRPCUnsupportedPlugin
}

func (connPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this side only calls")
}

func (connPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// buffer collects what several goroutines write.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(data)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

type options struct {
	dir, config, kind, name, spec, updated, backend, backendConfig string
	autoMTLS, multiplex, wait                                      bool
	blobBytes                                                      int
}

func main() {
	var opts options
	flag.StringVar(&opts.dir, "dir", "", "folder of the plugin, whose executable has the folder's name")
	flag.StringVar(&opts.config, "config", "{}", "provider configuration, JSON; empty sends no bytes")
	flag.StringVar(&opts.kind, "type", "", "resource type to try")
	flag.StringVar(&opts.name, "name", "thing", "name of the resource")
	flag.StringVar(&opts.spec, "spec", "{}", "its configuration, JSON")
	flag.StringVar(&opts.updated, "updated", "{}", "its later configuration, JSON")
	flag.StringVar(&opts.backend, "backend", "", "state backend to try")
	flag.StringVar(&opts.backendConfig, "backend-config", "{}", "configuration of the state backend, JSON")
	flag.BoolVar(&opts.autoMTLS, "automtls", false, "ask for TLS, which upstream's hosts do not")
	flag.BoolVar(&opts.multiplex, "multiplex", false, "ask for broker multiplexing, which upstream's hosts do not")
	flag.BoolVar(&opts.wait, "wait", false, "load, print the report, then wait for the end")
	flag.IntVar(&opts.blobBytes, "blob", 0, "send a configuration of that many bytes more to Diff")
	flag.Parse()
	report := run(opts)
	text, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(text))
	if opts.wait {
		select {}
	}
}

// report maps what was tried to what came of it: protobuf's JSON, or {"code", "message"}.
type report map[string]any

func run(opts options) report {
	seen := report{}
	logs, stderr, stdout := &buffer{}, &buffer{}, &buffer{}
	executable := filepath.Join(opts.dir, filepath.Base(opts.dir))
	command := exec.Command(executable)
	command.Dir = opts.dir
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   "WORKFLOW_PLUGIN",
			MagicCookieValue: "workflow-external-plugin-v1",
		},
		Plugins:             plugin.PluginSet{"plugin": connPlugin{}},
		Cmd:                 command,
		AllowedProtocols:    []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:            opts.autoMTLS,
		GRPCBrokerMultiplex: opts.multiplex,
		StartTimeout:        60 * time.Second,
		Logger:              hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: logs}),
		Stderr:              stderr,
		SyncStdout:          stdout,
		SyncStderr:          stderr,
	})
	if err := try(client, opts, seen); err != nil {
		seen["error"] = err.Error()
	}
	if opts.wait {
		return seen
	}
	started := time.Now()
	client.Kill()
	seen["killMs"] = time.Since(started).Milliseconds()
	seen["exited"] = client.Exited()
	seen["forced"] = strings.Contains(logs.String(), "failed to exit gracefully")
	if pid, ok := seen["pid"].(int); ok {
		seen["gone"] = errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	}
	seen["stderr"], seen["stdout"], seen["log"] = stderr.String(), stdout.String(), logs.String()
	return seen
}

func try(client *plugin.Client, opts options, seen report) error {
	protocol, err := client.Client()
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	seen["protocol"], seen["version"] = string(client.Protocol()), client.NegotiatedVersion()
	if reattach := client.ReattachConfig(); reattach != nil {
		seen["pid"], seen["address"] = reattach.Pid, reattach.Addr.String()
	}
	raw, err := protocol.Dispense("plugin")
	if err != nil {
		return fmt.Errorf("dispense: %w", err)
	}
	conn, ok := raw.(*grpc.ClientConn)
	if !ok {
		return errors.New("dispense: no connection")
	}
	load(conn, opts, seen)
	if err := protocol.Ping(); err != nil {
		seen["ping"] = err.Error()
	} else {
		seen["ping"] = "ok"
	}
	if opts.wait {
		return nil
	}
	if opts.kind != "" {
		drive(conn, opts, seen)
	}
	if opts.backend != "" {
		keepState(conn, opts, seen)
	}
	return nil
}

// load makes the calls of upstream's load sequence, in its order.
func load(conn *grpc.ClientConn, opts options, seen report) {
	service, required := pluginv1.NewPluginServiceClient(conn), iac.NewIaCProviderRequiredClient(conn)
	call(seen, "manifest", service.GetManifest, &emptypb.Empty{})
	call(seen, "triggerTypes", service.GetTriggerTypes, &emptypb.Empty{})
	call(seen, "registry", service.GetContractRegistry, &emptypb.Empty{})
	call(seen, "configFragment", service.GetConfigFragment, &emptypb.Empty{})
	call(seen, "initialize", required.Initialize, &iac.InitializeRequest{ConfigJson: []byte(opts.config)})
	call(seen, "capabilities", required.Capabilities, &iac.CapabilitiesRequest{})
	call(seen, "name", required.Name, &iac.NameRequest{})
	call(seen, "providerVersion", required.Version, &iac.VersionRequest{})
}

func drive(conn *grpc.ClientConn, opts options, seen report) {
	drivers, required := iac.NewResourceDriverClient(conn), iac.NewIaCProviderRequiredClient(conn)
	spec := &iac.ResourceSpec{Name: opts.name, Type: opts.kind, ConfigJson: []byte(opts.spec)}
	updated := &iac.ResourceSpec{Name: opts.name, Type: opts.kind, ConfigJson: []byte(opts.updated)}
	// Without an id, as a host looks for what it wants to adopt.
	nameless := &iac.ResourceRef{Name: opts.name, Type: opts.kind}

	call(seen, "readBefore", drivers.Read, &iac.ResourceReadRequest{ResourceType: opts.kind, Ref: nameless})
	created := call(seen, "create", drivers.Create, &iac.ResourceCreateRequest{ResourceType: opts.kind, Spec: spec})
	output := created.GetOutput()
	ref := &iac.ResourceRef{Name: opts.name, Type: opts.kind, ProviderId: output.GetProviderId()}
	current := &iac.ResourceOutput{
		Name: output.GetName(), Type: output.GetType(), ProviderId: output.GetProviderId(),
		OutputsJson: output.GetOutputsJson(), Status: output.GetStatus(),
	}
	diff := func(desired *iac.ResourceSpec) *iac.ResourceDiffRequest {
		return &iac.ResourceDiffRequest{ResourceType: opts.kind, Desired: desired, Current: current}
	}
	call(seen, "read", drivers.Read, &iac.ResourceReadRequest{ResourceType: opts.kind, Ref: ref})
	call(seen, "readByName", drivers.Read, &iac.ResourceReadRequest{ResourceType: opts.kind, Ref: nameless})
	call(seen, "diffSame", drivers.Diff, diff(spec))
	call(seen, "diffUpdated", drivers.Diff, diff(updated))
	if opts.blobBytes > 0 {
		blob, _ := json.Marshal(map[string]string{"blob": strings.Repeat("x", opts.blobBytes)})
		call(seen, "diffBlob", drivers.Diff, diff(&iac.ResourceSpec{Name: opts.name, Type: opts.kind, ConfigJson: blob}))
	}
	call(seen, "update", drivers.Update, &iac.ResourceUpdateRequest{ResourceType: opts.kind, Ref: ref, Spec: updated})
	call(seen, "readUpdated", drivers.Read, &iac.ResourceReadRequest{ResourceType: opts.kind, Ref: ref})
	call(seen, "health", drivers.HealthCheck, &iac.ResourceHealthCheckRequest{ResourceType: opts.kind, Ref: ref})
	call(seen, "sensitiveKeys", drivers.SensitiveKeys, &iac.SensitiveKeysRequest{ResourceType: opts.kind})
	call(seen, "troubleshoot", drivers.Troubleshoot, &iac.TroubleshootRequest{ResourceType: opts.kind, Ref: ref})
	call(seen, "status", required.Status, &iac.StatusRequest{})
	call(seen, "sizing", required.ResolveSizing, &iac.ResolveSizingRequest{ResourceType: opts.kind, Size: "m"})
	call(seen, "drift", iac.NewIaCProviderDriftDetectorClient(conn).DetectDrift, &iac.DetectDriftRequest{Refs: []*iac.ResourceRef{ref}})
	call(seen, "plan", required.Plan, &iac.PlanRequest{Desired: []*iac.ResourceSpec{updated}})
	call(seen, "import", required.Import, &iac.ImportRequest{ProviderId: ref.GetProviderId(), ResourceType: opts.kind})
	call(seen, "finalize", iac.NewIaCProviderFinalizerClient(conn).FinalizeApply, &iac.FinalizeApplyRequest{PlanId: "plan-1"})
	call(seen, "unknownType", drivers.Read, &iac.ResourceReadRequest{ResourceType: "infra.no_such_thing", Ref: nameless})
	call(seen, "noType", drivers.Read, &iac.ResourceReadRequest{Ref: nameless})
	call(seen, "delete", drivers.Delete, &iac.ResourceDeleteRequest{ResourceType: opts.kind, Ref: ref})
	call(seen, "deleteAgain", drivers.Delete, &iac.ResourceDeleteRequest{ResourceType: opts.kind, Ref: ref})
	call(seen, "readDeleted", drivers.Read, &iac.ResourceReadRequest{ResourceType: opts.kind, Ref: ref})
}

// keepState works with the state backend as upstream's state store does: nil maps as null, one record at a time.
func keepState(conn *grpc.ClientConn, opts options, seen report) {
	backend := iac.NewIaCStateBackendClient(conn)
	record := &iac.IaCState{
		ResourceId: "web/page", ResourceType: "infra.storage", Provider: "go", Status: "active",
		OutputsJson: []byte(`{"html":"\u003cb\u003e","n":1e+21}`), ConfigJson: []byte("null"),
		CreatedAt: "2026-01-02T03:04:05Z", UpdatedAt: "2026-01-02T03:04:05Z",
	}
	get := &iac.GetStateRequest{ResourceId: record.GetResourceId()}
	call(seen, "backendNames", backend.ListBackendNames, &iac.ListBackendNamesRequest{})
	call(seen, "stateBefore", backend.GetState, get)
	call(seen, "bootstrap", iac.NewIaCProviderRequiredClient(conn).BootstrapStateBackend,
		&iac.BootstrapStateBackendRequest{ConfigJson: []byte(opts.backendConfig)})
	call(seen, "configure", backend.Configure, &iac.ConfigureRequest{BackendName: opts.backend, ConfigJson: []byte(opts.backendConfig)})
	call(seen, "stateMissing", backend.GetState, get)
	call(seen, "stateSave", backend.SaveState, &iac.SaveStateRequest{State: record})
	call(seen, "stateGet", backend.GetState, get)
	call(seen, "stateList", backend.ListStates, &iac.ListStatesRequest{Filter: map[string]string{"provider": "go", "unheard": "of"}})
	call(seen, "stateLock", backend.Lock, &iac.LockRequest{ResourceId: record.GetResourceId()})
	call(seen, "stateLockAgain", backend.Lock, &iac.LockRequest{ResourceId: record.GetResourceId()})
	call(seen, "stateUnlock", backend.Unlock, &iac.UnlockRequest{ResourceId: record.GetResourceId()})
	call(seen, "stateUnlockAgain", backend.Unlock, &iac.UnlockRequest{ResourceId: record.GetResourceId()})
	call(seen, "stateDelete", backend.DeleteState, &iac.DeleteStateRequest{ResourceId: record.GetResourceId()})
	call(seen, "stateDeleteAgain", backend.DeleteState, &iac.DeleteStateRequest{ResourceId: record.GetResourceId()})
}
