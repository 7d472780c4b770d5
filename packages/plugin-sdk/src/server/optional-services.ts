import { create, type DescService } from "@bufbuild/protobuf";
import {
  decodeRef,
  decodeSpec,
  encodeOutput,
  iac,
  iacServices,
  planDiagnosticSeverities,
  type ServiceHandlers,
} from "@wfctl/contract";
import type { PlanDiagnostic } from "../author/define-provider.ts";
import type { Caller, ReportedObject } from "../calls/call.ts";
import { ProviderFailure } from "../author/failure.ts";
import { missingObject } from "../calls/operations.ts";
import { parseInput } from "../schema/input.ts";
import { detectDrift } from "./drift.ts";
import { refOf } from "./driver-service.ts";
import { jobService, logService } from "./job-services.ts";
import { answerUnary } from "./rpc.ts";
import type { Runtime } from "./runtime.ts";
import { stateBackendService } from "./state-backend-service.ts";

/** A service and its handlers; what is not in the list is not advertised. */
export interface ServedService<S extends DescService = DescService> {
  readonly service: S;
  readonly handlers: Partial<ServiceHandlers<S>>;
}

/** The services of upstream's contract that this provider has something to say on. */
export function optionalServices(runtime: Runtime): ServedService[] {
  const { provider } = runtime;
  const has = (hook: keyof typeof provider): boolean => provider[hook] !== undefined;
  const listable = provider.resources.some((resource) => resource.list !== undefined);
  const ownable = provider.resources.some((resource) => resource.setOwner !== undefined);
  const served: (ServedService | false)[] = [
    serve(iacServices.IaCProviderDriftDetector, driftDetector(runtime)),
    serve(iacServices.IaCProviderDriftConfigDetector, driftConfigDetector(runtime)),
    serve(iacServices.IaCProviderValidator, validator(runtime)),
    listable && serve(iacServices.IaCProviderEnumerator, enumerator(runtime)),
    ownable && serve(iacServices.IaCProviderOwnership, ownership(runtime)),
    has("finalize") && serve(iacServices.IaCProviderFinalizer, finalizer(runtime)),
    has("regions") && serve(iacServices.IaCProviderRegionLister, regionLister(runtime)),
    has("revokeCredential") && serve(iacServices.IaCProviderCredentialRevoker, credentialRevoker(runtime)),
    has("mapRequirements") && serve(iacServices.IaCProviderRequirementMapper, requirementMapper(runtime)),
    has("discoverRequirements") && serve(iacServices.IaCRequirementDiscovery, requirementDiscovery(runtime)),
    has("repairMigration") && serve(iacServices.IaCProviderMigrationRepairer, migrationRepairer(runtime)),
    has("captureLogs") && serve(iacServices.IaCProviderLogCapture, logService(runtime)),
    has("jobs") && serve(iacServices.IaCProviderRunner, jobService(runtime)),
    has("stateBackend") && serve(iacServices.IaCStateBackend, stateBackendService(runtime)),
  ];
  return served.filter((each) => each !== false);
}

export function serve<S extends DescService>(service: S, handlers: Partial<ServiceHandlers<S>>): ServedService {
  return { service, handlers } as unknown as ServedService;
}

function driftDetector(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderDriftDetector> {
  return {
    detectDrift: answerUnary(runtime, async (request, caller) => {
      const drifts = await detectDrift(runtime, request.refs.map(decodeRef), new Map(), caller);
      return { message: create(iac.DetectDriftResponseSchema, { drifts }) };
    }),
    detectDriftWithSpecs: answerUnary(runtime, async (request, caller) => {
      const specs = new Map(Object.entries(request.specs).map(([name, spec]) => [name, decodeSpec(spec)]));
      const drifts = await detectDrift(runtime, request.refs.map(decodeRef), specs, caller);
      return { message: create(iac.DetectDriftWithSpecsResponseSchema, { drifts }) };
    }),
  };
}

function driftConfigDetector(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderDriftConfigDetector> {
  return {
    detectDriftConfig: answerUnary(runtime, async (request, caller) => {
      const specs = new Map(Object.entries(request.specs).map(([name, spec]) => [name, decodeSpec(spec)]));
      const drifts = await detectDrift(runtime, request.refs.map(decodeRef), specs, caller);
      return { message: create(iac.DetectDriftConfigResponseSchema, { drifts }) };
    }),
  };
}

function validator(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderValidator> {
  const { provider, operations, instances } = runtime;
  return {
    validatePlan: answerUnary(runtime, async (request, caller) => {
      const plan = request.plan ?? create(iac.IaCPlanSchema);
      const findings = checkSpecs(runtime, plan);
      if (provider.validatePlan !== undefined && instances.get(caller.instance) !== undefined) {
        findings.push(
          ...(await operations.withContext(caller, async (context) => provider.validatePlan!(plan, context))),
        );
      }
      const diagnostics = findings.map(({ severity, resource, field, message }) => ({
        severity: planDiagnosticSeverities.toWire(severity),
        resource,
        field: field ?? "",
        message,
      }));
      return { message: create(iac.ValidatePlanResponseSchema, { diagnostics }) };
    }),
  };
}

/** What the schemas say of each planned configuration. */
function checkSpecs(runtime: Runtime, plan: iac.IaCPlan): PlanDiagnostic[] {
  const findings: PlanDiagnostic[] = [];
  for (const { action, resource: message } of plan.actions) {
    if (message === undefined || action === "delete") continue;
    const spec = decodeSpec(message);
    const resource = runtime.provider.resources.find(({ type }) => type === spec.type);
    if (resource === undefined) {
      findings.push({ severity: "error", resource: spec.name, message: `No driver for type ${spec.type}` });
      continue;
    }
    const parsed = parseInput(resource.input, spec.config, { kind: "resource", unresolved: "allow" });
    for (const { path, message: text } of "violations" in parsed ? parsed.violations : []) {
      findings.push({ severity: "error", resource: spec.name, field: path, message: text });
    }
  }
  return findings;
}

function enumerator(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderEnumerator> {
  const { operations } = runtime;
  return {
    enumerateAll: answerUnary(runtime, async (request, caller) => {
      const objects = await operations.list(request.resourceType, caller);
      return { message: create(iac.EnumerateAllResponseSchema, { outputs: objects.map(encodeOutput) }) };
    }),
    enumerateByTag: answerUnary(runtime, async (request, caller) => {
      const objects = await listAll(runtime, "", caller);
      const refs = objects
        .filter(({ owner, tags }) => owner === request.tag || tags.includes(request.tag))
        .map(({ name, type, providerId }) => ({ name, type, providerId }));
      return { message: create(iac.EnumerateByTagResponseSchema, { refs }) };
    }),
  };
}

function ownership(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderOwnership> {
  const { operations } = runtime;
  return {
    getOwner: answerUnary(runtime, async (request, caller) => {
      const ref = refOf(request.ref, "");
      const object = await operations.read(ref.type, ref, caller);
      if (object === undefined) throw missingObject(ref.type, ref);
      const owner = object.owner ?? "";
      return { message: create(iac.GetOwnerResponseSchema, { owner, source: owner === "" ? "" : ownerSource }) };
    }),
    setOwner: answerUnary(runtime, async (request, caller) => {
      const ref = refOf(request.ref, "");
      await operations.setOwner(ref.type, ref, request.owner, caller);
      return { message: create(iac.SetOwnerResponseSchema) };
    }),
    listOwners: answerUnary(runtime, async (request, caller) => {
      const objects = await listAll(runtime, request.resourceType, caller);
      const resources = objects
        .filter(({ owner }) => owner !== undefined && (request.owner === "" || owner === request.owner))
        .map(({ name, type, providerId, owner }) => ({
          ref: { name, type, providerId },
          owner: owner ?? "",
          source: ownerSource,
        }));
      return { message: create(iac.ListOwnersResponseSchema, { resources }) };
    }),
  };
}

const ownerSource = "mark:wfctl-owner";

async function listAll(runtime: Runtime, type: string, caller: Caller): Promise<ReportedObject[]> {
  const types = runtime.provider.resources.filter(
    (each) => each.list !== undefined && (type === "" || each.type === type),
  );
  const lists = await Promise.all(types.map((each) => runtime.operations.list(each.type, caller)));
  return lists.flat();
}

function finalizer(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderFinalizer> {
  return {
    finalizeApply: answerUnary(runtime, async (request, caller) => {
      const errors = await runtime.operations.withContext(caller, async (context) =>
        runtime.provider.finalize!(request.planId, context),
      );
      return { message: create(iac.FinalizeApplyResponseSchema, { errors: errors.map((error) => ({ ...error })) }) };
    }),
  };
}

function regionLister(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderRegionLister> {
  return {
    listRegions: answerUnary(runtime, async (request, caller) => {
      const regions = await runtime.operations.withContext(caller, async (context) =>
        runtime.provider.regions!(request.envName, context),
      );
      const messages = regions.map(({ name, displayName }) => ({ name, displayName: displayName ?? "" }));
      return { message: create(iac.ListRegionsResponseSchema, { regions: messages }) };
    }),
  };
}

function credentialRevoker(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderCredentialRevoker> {
  return {
    revokeProviderCredential: answerUnary(runtime, async (request, caller) => {
      await runtime.operations.withContext(caller, async (context) =>
        runtime.provider.revokeCredential!(request.source, request.credentialId, context),
      );
      return { message: create(iac.RevokeProviderCredentialResponseSchema) };
    }),
  };
}

function requirementMapper(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderRequirementMapper> {
  const { provider, operations } = runtime;
  return {
    mapRequirements: answerUnary(runtime, async (request, caller) => {
      if (request.provider !== provider.name) {
        throw new ProviderFailure("validation", `This is provider ${provider.name}, not "${request.provider}"`);
      }
      const answer = await operations.withContext(caller, async (context) =>
        provider.mapRequirements!(request, context),
      );
      return { message: create(iac.MapRequirementsResponseSchema, answer) };
    }),
  };
}

function requirementDiscovery(runtime: Runtime): ServiceHandlers<typeof iac.IaCRequirementDiscovery> {
  const { provider, operations } = runtime;
  return {
    discoverRequirements: answerUnary(runtime, async (request, caller) => {
      const answer = await operations.withContext(caller, async (context) =>
        provider.discoverRequirements!(request, context),
      );
      return { message: create(iac.DiscoverRequirementsResponseSchema, answer) };
    }),
  };
}

function migrationRepairer(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderMigrationRepairer> {
  const { provider, operations } = runtime;
  return {
    repairDirtyMigration: answerUnary(runtime, async (request, caller) => {
      const wanted = request.request ?? create(iac.MigrationRepairRequestSchema);
      const answer = await operations.withContext(caller, async (context) =>
        provider.repairMigration!(wanted, context),
      );
      return { message: create(iac.RepairDirtyMigrationResponseSchema, { result: answer }) };
    }),
  };
}
