import type { ActionStatus } from "@wfctl/model";
import * as ext from "../gen/wfctl/ext/v1/ext_pb.ts";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { enumCodec, type EnumCodec, type WordOf } from "./enum-codec.ts";
import { WireFormatError } from "./json.ts";

/** UNSPECIFIED never ends an action. */
export const actionStatuses: EnumCodec<ActionStatus, iac.ActionStatus> = enumCodec<iac.ActionStatus>()("ActionStatus", {
  [iac.ActionStatus.UNSPECIFIED]: null,
  [iac.ActionStatus.SUCCESS]: "SUCCESS",
  [iac.ActionStatus.ERROR]: "ERROR",
  [iac.ActionStatus.DELETE_FAILED]: "DELETE_FAILED",
  [iac.ActionStatus.COMPENSATED]: "COMPENSATED",
  [iac.ActionStatus.COMPENSATION_FAILED]: "COMPENSATION_FAILED",
  [iac.ActionStatus.SKIPPED]: "SKIPPED",
});

/** The empty word: not classified, the verdict is the boolean beside it. */
export const driftClasses = enumCodec<iac.DriftClass>()("DriftClass", {
  [iac.DriftClass.UNKNOWN]: "",
  [iac.DriftClass.IN_SYNC]: "in-sync",
  [iac.DriftClass.GHOST]: "ghost",
  [iac.DriftClass.CONFIG]: "config",
});
export type DriftClass = WordOf<typeof driftClasses>;

export const jobStates = enumCodec<iac.JobState>()("JobState", {
  [iac.JobState.UNSPECIFIED]: "unknown",
  [iac.JobState.PENDING]: "pending",
  [iac.JobState.RUNNING]: "running",
  [iac.JobState.SUCCEEDED]: "succeeded",
  [iac.JobState.FAILED]: "failed",
  [iac.JobState.CANCELLED]: "cancelled",
});
export type JobState = WordOf<typeof jobStates>;

export const requirementKinds = enumCodec<iac.RequirementKind>()("RequirementKind", {
  [iac.RequirementKind.UNSPECIFIED]: null,
  [iac.RequirementKind.OBSERVABILITY]: "observability",
  [iac.RequirementKind.WEB_API]: "web_api",
  [iac.RequirementKind.MESSAGE_BROKER]: "message_broker",
  [iac.RequirementKind.DATABASE]: "database",
  [iac.RequirementKind.CACHE]: "cache",
  [iac.RequirementKind.STORAGE]: "storage",
});
export type RequirementKind = WordOf<typeof requirementKinds>;

/** Where a message may leave the runtime open, its field is UNSPECIFIED: test for that before reading. */
export const requirementRuntimes = enumCodec<iac.RequirementRuntime>()("RequirementRuntime", {
  [iac.RequirementRuntime.UNSPECIFIED]: null,
  [iac.RequirementRuntime.KUBERNETES]: "kubernetes",
  [iac.RequirementRuntime.ECS]: "ecs",
  [iac.RequirementRuntime.CLOUD_RUN]: "cloud_run",
  [iac.RequirementRuntime.AZURE_CONTAINER_APPS]: "azure_container_apps",
  [iac.RequirementRuntime.DIGITALOCEAN_APP_PLATFORM]: "digitalocean_app_platform",
});
export type RequirementRuntime = WordOf<typeof requirementRuntimes>;

export const telemetrySignals = enumCodec<iac.TelemetrySignal>()("TelemetrySignal", {
  [iac.TelemetrySignal.UNSPECIFIED]: null,
  [iac.TelemetrySignal.TRACES]: "traces",
  [iac.TelemetrySignal.METRICS]: "metrics",
  [iac.TelemetrySignal.LOGS]: "logs",
});
export type TelemetrySignal = WordOf<typeof telemetrySignals>;

export const observabilityBackends = enumCodec<iac.ObservabilityBackend>()("ObservabilityBackend", {
  [iac.ObservabilityBackend.UNSPECIFIED]: null,
  [iac.ObservabilityBackend.OTEL]: "otel",
  [iac.ObservabilityBackend.DATADOG]: "datadog",
  [iac.ObservabilityBackend.PROMETHEUS]: "prometheus",
  [iac.ObservabilityBackend.LOKI]: "loki",
  [iac.ObservabilityBackend.GRAFANA]: "grafana",
});
export type ObservabilityBackend = WordOf<typeof observabilityBackends>;

export const deploymentModes = enumCodec<iac.DeploymentMode>()("DeploymentMode", {
  [iac.DeploymentMode.UNSPECIFIED]: null,
  [iac.DeploymentMode.SIDECAR]: "sidecar",
  [iac.DeploymentMode.DAEMONSET]: "daemonset",
  [iac.DeploymentMode.SIBLING_SERVICE]: "sibling_service",
  [iac.DeploymentMode.MANAGED]: "managed",
});
export type DeploymentMode = WordOf<typeof deploymentModes>;

/** A number that the contract does not name reads as `info`, as upstream has it. */
export const planDiagnosticSeverities = enumCodec<iac.PlanDiagnosticSeverity>()(
  "PlanDiagnosticSeverity",
  {
    [iac.PlanDiagnosticSeverity.PLAN_DIAGNOSTIC_INFO]: "info",
    [iac.PlanDiagnosticSeverity.PLAN_DIAGNOSTIC_WARNING]: "warning",
    [iac.PlanDiagnosticSeverity.PLAN_DIAGNOSTIC_ERROR]: "error",
  },
  "info",
);
export type PlanDiagnosticSeverity = WordOf<typeof planDiagnosticSeverities>;

/** A number that names no log reads as `RUN`, as upstream's plugins have it. */
export const logCaptureTypes = enumCodec<iac.LogCaptureType>()(
  "LogCaptureType",
  {
    [iac.LogCaptureType.UNSPECIFIED]: null,
    [iac.LogCaptureType.BUILD]: "BUILD",
    [iac.LogCaptureType.DEPLOY]: "DEPLOY",
    [iac.LogCaptureType.RUN]: "RUN",
    [iac.LogCaptureType.RUN_RESTARTED]: "RUN_RESTARTED",
  },
  "RUN",
);
export type LogCaptureType = WordOf<typeof logCaptureTypes>;

/** The log that a user's text names, in any case; the empty text names RUN, and any other text none. */
export function parseLogCaptureType(text: string): LogCaptureType | undefined {
  const upper = text === "" ? "RUN" : text.toUpperCase();
  return logCaptureTypes.words.find((word) => word === upper);
}

export const driverOperations = enumCodec<ext.DriverOperation>()("DriverOperation", {
  [ext.DriverOperation.UNSPECIFIED]: null,
  [ext.DriverOperation.CREATE]: "create",
  [ext.DriverOperation.READ]: "read",
  [ext.DriverOperation.UPDATE]: "update",
  [ext.DriverOperation.DELETE]: "delete",
  [ext.DriverOperation.DIFF]: "diff",
  [ext.DriverOperation.LOOKUP]: "lookup",
  [ext.DriverOperation.CANCEL]: "cancel",
});
export type DriverOperation = WordOf<typeof driverOperations>;

/** Whether a call created its object, where it says so. */
export function createdToWire(created: boolean | undefined): ext.Created {
  if (created === undefined) return ext.Created.UNSPECIFIED;
  return created ? ext.Created.BY_THIS_CALL : ext.Created.FOUND;
}

export function createdFromWire(created: ext.Created, field: string): boolean | undefined {
  switch (created) {
    case ext.Created.UNSPECIFIED:
      return undefined;
    case ext.Created.BY_THIS_CALL:
      return true;
    case ext.Created.FOUND:
      return false;
    default:
      throw new WireFormatError(field, `holds ${created}, which is no valid Created`);
  }
}
