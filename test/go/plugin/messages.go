package main

import (
	"encoding/base64"
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"

	"wfctl.test/go/gen/iac"
)

// printMessage writes the bytes of an ApplyResult for two actions as Go encodes them: "plugin apply-result KIND".
func printMessage(args []string) error {
	if len(args) != 2 || args[0] != "apply-result" {
		return fmt.Errorf("usage: plugin apply-result KIND")
	}
	success := func(index uint32) *iac.ActionResult {
		return &iac.ActionResult{ActionIndex: index, Status: iac.ActionStatus_ACTION_STATUS_SUCCESS}
	}
	result := &iac.ApplyResult{PlanId: "plan-1764000000000000000"}
	switch args[1] {
	case "good":
		result.Actions = []*iac.ActionResult{
			{ActionIndex: 1, Status: iac.ActionStatus_ACTION_STATUS_ERROR, Error: "iac: rate limited: 429"},
			success(0),
		}
	case "unspecified":
		result.Actions = []*iac.ActionResult{success(0), {ActionIndex: 1}}
	case "unknown":
		result.Actions = []*iac.ActionResult{success(0), {ActionIndex: 1, Status: iac.ActionStatus(42)}}
	case "missing":
		result.Actions = []*iac.ActionResult{success(0)}
	case "none":
	case "duplicated":
		result.Actions = []*iac.ActionResult{success(0), success(0)}
	case "beyond":
		result.Actions = []*iac.ActionResult{success(0), success(2)}
	default:
		return fmt.Errorf("no apply result of kind %q", args[1])
	}
	encoded, err := proto.Marshal(result)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, base64.StdEncoding.EncodeToString(encoded))
	return err
}
