package main

import (
	"context"
	"encoding/json"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const callTimeout = 60 * time.Second

// call makes one call and records its answer under the name; the answer is nil where it failed.
func call[Q, R proto.Message](
	seen report,
	name string,
	method func(context.Context, Q, ...grpc.CallOption) (R, error),
	request Q,
) R {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	response, err := method(ctx, request)
	if err != nil {
		state := status.Convert(err)
		seen[name] = map[string]any{"code": state.Code().String(), "message": state.Message()}
		var none R
		return none
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(response)
	if err != nil {
		seen[name] = map[string]any{"code": "unreadable", "message": err.Error()}
	} else {
		seen[name] = json.RawMessage(text)
	}
	return response
}
