import type { DescFile } from "@bufbuild/protobuf";
import * as ext from "../gen/wfctl/ext/v1/ext_pb.ts";
import * as health from "../gen/grpc/health/v1/health_pb.ts";
import * as broker from "../gen/plugin/grpc_broker_pb.ts";
import * as controller from "../gen/plugin/grpc_controller_pb.ts";
import * as stdio from "../gen/plugin/grpc_stdio_pb.ts";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import * as lifecycle from "../gen/workflow/plugin/external/iac/iac_lifecycle_pb.ts";
import * as plugin from "../gen/workflow/plugin/v1/plugin_pb.ts";

/** Every file of the contract. */
export const files = {
  ext: ext.file_wfctl_ext_v1_ext,
  health: health.file_grpc_health_v1_health,
  broker: broker.file_plugin_grpc_broker,
  controller: controller.file_plugin_grpc_controller,
  stdio: stdio.file_plugin_grpc_stdio,
  iac: iac.file_workflow_plugin_external_iac_iac,
  lifecycle: lifecycle.file_workflow_plugin_external_iac_iac_lifecycle,
  plugin: plugin.file_workflow_plugin_v1_plugin,
} as const satisfies Record<string, DescFile>;
