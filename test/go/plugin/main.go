// Command plugin is a provider as upstream's plugins are: Go, on go-plugin, with no extension of ours. It keeps its objects
// in a JSON file. What it does wrong, or otherwise than usual, is said by the words in a file called "variant" beside it.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"wfctl.test/go/gen/iac"
	"wfctl.test/go/gen/pluginv1"
)

// variant holds the words of the file "variant" in the working directory, which hosts make the plugin's own folder.
type variant map[string]bool

func readVariant() variant {
	words := variant{}
	text, err := os.ReadFile("variant")
	if err != nil {
		return words
	}
	for _, word := range strings.Fields(string(text)) {
		words[word] = true
	}
	return words
}

// served is go-plugin's view of the provider: the services it registers on the gRPC server.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	variant variant
	logger  hclog.Logger
}

func (s *served) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	cloud := &cloud{}
	iac.RegisterIaCProviderRequiredServer(server, &provider{cloud: cloud, variant: s.variant, logger: s.logger})
	iac.RegisterResourceDriverServer(server, &driver{cloud: cloud, variant: s.variant, logger: s.logger})
	iac.RegisterIaCProviderEnumeratorServer(server, &enumerator{cloud: cloud})
	iac.RegisterIaCProviderDriftDetectorServer(server, &driftDetector{cloud: cloud, variant: s.variant})
	iac.RegisterIaCProviderFinalizerServer(server, &finalizer{variant: s.variant})
	// Generated stubs only, as published plugins have them: advertised, and UNIMPLEMENTED.
	iac.RegisterIaCProviderValidatorServer(server, iac.UnimplementedIaCProviderValidatorServer{})
	iac.RegisterIaCProviderCredentialRevokerServer(server, iac.UnimplementedIaCProviderCredentialRevokerServer{})
	if !s.variant["no-log-capture"] {
		iac.RegisterIaCProviderLogCaptureServer(server, &logCapture{})
	}
	pluginv1.RegisterPluginServiceServer(server, &pluginService{server: server, variant: s.variant})
	return nil
}

func (s *served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("this side only serves")
}

func main() {
	if len(os.Args) > 1 {
		if err := printMessage(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	variant := readVariant()
	if variant["slow-start"] {
		time.Sleep(1500 * time.Millisecond)
	}
	if variant["garbage-first"] {
		fmt.Println("gocloud starting up, please wait")
	}
	if variant["empty-line-first"] {
		fmt.Println()
	}
	if variant["stderr-flood"] {
		flood(os.Stderr)
	}
	if variant["crash-start"] {
		panic("credentials helper not found")
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: "gocloud", Level: hclog.Info, Output: os.Stderr, JSONFormat: true})
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   "WORKFLOW_PLUGIN",
			MagicCookieValue: "workflow-external-plugin-v1",
		},
		Plugins:    plugin.PluginSet{"iac": &served{variant: variant, logger: logger}},
		GRPCServer: plugin.DefaultGRPCServer,
		Logger:     logger,
	})
}

// flood writes eight mebibytes, a good part of it in one line.
func flood(file *os.File) {
	line := strings.Repeat("noise ", 170) + "\n"
	for range 4 * 1024 {
		_, _ = file.WriteString(line)
	}
	_, _ = file.WriteString(strings.Repeat("x", 4*1024*1024) + "\n")
}
