import { status } from "@grpc/grpc-js";
import { encodeRef, encodeSpec, iac, iacServiceNames } from "@wfctl/contract";
import { expectThat, Problem, skipUnless, type Scenario } from "../scenario.ts";
import { call, describeStatus, responseOf } from "../subject/call.ts";
import { read } from "../subject/driver.ts";
import { requireService } from "../subject/subject.ts";

const { DriftClass, PlanDiagnosticSeverity } = iac;

const driftWords = ["UNKNOWN", "IN_SYNC", "GHOST", "CONFIG"];
const driftWord = (drift: iac.DriftResult): string => driftWords[drift.class] ?? String(drift.class);

export const detectionScenarios: readonly Scenario[] = [
  {
    id: "drift",
    title: "DetectDrift says in-sync of what is as it was made, and ghost of what is gone",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const session = await subject.session();
      requireService(session, iacServiceNames.IaCProviderDriftDetector);
      const { ref } = await objects.shared(sample);
      const gone = await objects.make(sample);
      await objects.remove(sample, gone);
      const { detectDrift } = iac.IaCProviderDriftDetector.method;
      const refs = [encodeRef(ref), encodeRef(gone.ref)];
      const { drifts } = responseOf("DetectDrift", await call(session.plugin, detectDrift, { refs }));
      const [here, ghost] = [ref, gone.ref].map(({ name }) => drifts.find((drift) => drift.name === name));
      expectThat(here !== undefined && ghost !== undefined, `DetectDrift of two objects answered for ${drifts.length}`);
      expectThat(
        here.class !== DriftClass.GHOST && !here.drifted,
        `DetectDrift says ${driftWord(here)} of an object that nobody touched`,
      );
      expectThat(
        ghost.class === DriftClass.GHOST,
        `DetectDrift says ${driftWord(ghost)} of a deleted object, expected GHOST`,
      );
    },
  },
  {
    id: "drift-config",
    title: "drift against the applied configuration: in-sync right after create, config after the wish has changed",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const session = await subject.session();
      requireService(session, iacServiceNames.IaCProviderDriftConfigDetector);
      const { ref, config } = await objects.shared(sample);
      const { detectDriftConfig } = iac.IaCProviderDriftConfigDetector.method;
      const classOf = async (wanted: typeof config) => {
        const specs = { [ref.name]: encodeSpec({ name: ref.name, type: ref.type, config: wanted, dependsOn: [] }) };
        const request = { refs: [encodeRef(ref)], specs };
        const { drifts } = responseOf("DetectDriftConfig", await call(session.plugin, detectDriftConfig, request));
        const [drift] = drifts;
        if (drift === undefined) throw new Problem("DetectDriftConfig answered for no object");
        return drift;
      };
      const same = await classOf(config);
      expectThat(
        same.class === DriftClass.IN_SYNC && !same.drifted,
        `DetectDriftConfig says ${driftWord(same)} (${same.fields.join(", ")}) of an object that nobody touched`,
      );
      if (sample.change === undefined) return;
      const other = await classOf(sample.change);
      expectThat(
        other.class === DriftClass.CONFIG && other.drifted,
        `DetectDriftConfig says ${driftWord(other)} of an object that differs from its configuration, expected CONFIG`,
      );
    },
  },
  {
    id: "validate-plan",
    title: "ValidatePlan finds an error in a plan that cannot work, with a text, and none in one that can",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject }, sample) {
      const session = await subject.session();
      requireService(session, iacServiceNames.IaCProviderValidator);
      const validate = async (config: typeof sample.config) => {
        const resource = encodeSpec({ name: subject.freshName(sample.name), type: sample.type, config, dependsOn: [] });
        const plan = { id: "plan-1", actions: [{ action: "create", resource }], schemaVersion: 1 };
        const { validatePlan } = iac.IaCProviderValidator.method;
        const { diagnostics } = responseOf("ValidatePlan", await call(session.plugin, validatePlan, { plan }));
        return diagnostics.filter(({ severity }) => severity === PlanDiagnosticSeverity.PLAN_DIAGNOSTIC_ERROR);
      };
      const good = await validate(sample.config);
      expectThat(good.length === 0, `ValidatePlan finds an error in the sample: ${good[0]?.message}`);
      const bad = await validate(sample.invalid ?? { ...sample.config, wfctl_conformance_unknown: true });
      expectThat(bad.length > 0, "ValidatePlan finds no error in an invalid configuration");
      expectThat(
        bad.every(({ message }) => message !== ""),
        "ValidatePlan finds an error without a text",
      );
    },
  },
  {
    id: "plan-pure",
    title: "Plan answers with one create for what is wanted and not recorded, and makes nothing",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject }, sample) {
      const { plugin } = await subject.session();
      const name = subject.freshName(sample.name);
      const desired = [encodeSpec({ name, type: sample.type, config: sample.config, dependsOn: [] })];
      const ended = await call(plugin, iac.IaCProviderRequired.method.plan, { desired });
      skipUnless(ended.ok || ended.code !== status.UNIMPLEMENTED, "the plugin has no Plan");
      const { plan } = responseOf("Plan", ended);
      const actions = (plan?.actions ?? []).map(({ action, resource }) => `${action} ${resource?.name}`);
      expectThat(
        actions.length === 1 && actions[0] === `create ${name}`,
        `Plan of one new resource answers ${actions.join(", ") || "with nothing"}, expected one create`,
      );
      expectThat(
        (await read(plugin, { name, type: sample.type, providerId: "" })) === undefined,
        "Plan made the object",
      );
    },
  },
  {
    id: "finalize",
    title: "FinalizeApply, where advertised, answers OK, failures as entries of the answer",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const session = await subject.session();
      requireService(session, iacServiceNames.IaCProviderFinalizer, "optional");
      const { finalizeApply } = iac.IaCProviderFinalizer.method;
      const ended = await call(session.plugin, finalizeApply, { planId: `plan-${subject.run}` });
      expectThat(
        ended.ok,
        `FinalizeApply failed with ${ended.ok ? "" : describeStatus(ended)}: hosts take any failure of the call for a failed apply`,
      );
      const nameless = ended.response.errors.filter(({ error }) => error === "");
      expectThat(nameless.length === 0, "FinalizeApply answers with a failure that has no text");
    },
  },
];
