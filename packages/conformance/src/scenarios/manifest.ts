import { extServiceNames, iac, requiredPlanVersion, iacServiceNames } from "@wfctl/contract";
import { checkManifestGate, createPluginProvider, findPlugin, servedProvider } from "@wfctl/plugin-host";
import { expectThat, Problem, type PluginScenario, type Trial } from "../scenario.ts";
import { call, responseOf } from "../subject/call.ts";

const capabilitiesMs = 10_000;

function manifestOf({ subject }: Trial) {
  const { parsed, manifestPath } = subject.installed;
  if (parsed.manifest !== undefined) return parsed.manifest;
  const [first] = parsed.violations;
  const found =
    first === undefined ? "" : `: ${first.path || "the file"}: found ${first.found}, expected ${first.expected}`;
  throw new Problem(`${manifestPath} is no valid manifest (${parsed.violations.length} violations)${found}`);
}

/** A configuration that is not finished is not asked for: the answer must not need one. */
async function earlyCapabilities(trial: Trial) {
  const started = await trial.subject.start();
  try {
    return await call(started, iac.IaCProviderRequired.method.capabilities, {}, { timeoutMs: capabilitiesMs });
  } finally {
    await started.end();
  }
}

async function configuredCapabilities(trial: Trial): Promise<iac.CapabilitiesResponse> {
  const { plugin } = await trial.subject.session();
  const { capabilities } = iac.IaCProviderRequired.method;
  return responseOf("Capabilities", await call(plugin, capabilities, {}, { timeoutMs: capabilitiesMs }));
}

export const manifestScenarios: readonly PluginScenario[] = [
  {
    id: "manifest",
    title: "plugin.json is valid, and the executable is beside it",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const manifest = manifestOf(trial);
      try {
        checkManifestGate({ plugin: trial.subject.installed, manifest, warnings: [] });
      } catch (error) {
        throw new Problem((error as Error).message);
      }
    },
  },
  {
    id: "manifest-complete",
    title: "plugin.json names its provider and its lifecycle, and has a version",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const { providerName, computePlanVersion, version } = manifestOf(trial);
      expectThat(providerName !== undefined, "capabilities.iacProvider.name is missing: hosts look for it");
      expectThat(
        computePlanVersion === requiredPlanVersion,
        `iacProvider.computePlanVersion is "${computePlanVersion}", expected "${requiredPlanVersion}"`,
      );
      expectThat(version !== "0.0.0", "version is 0.0.0, which says that it was never set");
    },
  },
  {
    id: "manifest-honest",
    title: "plugin.json lists exactly the services that the registry advertises, and the types that Capabilities lists",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const { services: listed, resourceTypes } = manifestOf(trial);
      const { services } = await trial.subject.session();
      const known = [...services].filter((name) => !isTransport(name));
      expectSame(
        "iacServices of plugin.json",
        listed.filter((name) => !isTransport(name)),
        "the registry",
        known,
      );
      const { capabilities } = await configuredCapabilities(trial);
      const types = capabilities.map(({ resourceType }) => resourceType);
      expectSame("capabilities.iacProvider.resourceTypes of plugin.json", resourceTypes, "Capabilities", types);
    },
  },
  {
    id: "capabilities",
    title: `Capabilities answers within 10 seconds, compute_plan_version "${requiredPlanVersion}" to the letter`,
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const { computePlanVersion } = await configuredCapabilities(trial);
      expectThat(
        computePlanVersion === requiredPlanVersion,
        `compute_plan_version is "${computePlanVersion}", expected "${requiredPlanVersion}": no host loads the plugin`,
      );
    },
  },
  {
    id: "capabilities-early",
    title: "Capabilities answers before Initialize, so that a plugin can be refused before it has a credential",
    contract: "off",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const { computePlanVersion, capabilities } = responseOf(
        "Capabilities before Initialize",
        await earlyCapabilities(trial),
      );
      expectThat(
        computePlanVersion === requiredPlanVersion,
        `Before Initialize compute_plan_version is "${computePlanVersion}"`,
      );
      expectThat(capabilities.length > 0, "Before Initialize Capabilities lists no resource type");
    },
  },
  {
    id: "type-names",
    title: "resource types are infra.<kind>: no other can stand in a stack file",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const { capabilities } = await configuredCapabilities(trial);
      const odd = capabilities
        .map(({ resourceType }) => resourceType)
        .filter((type) => !/^infra\.[a-z0-9_]+(?:\.[a-z0-9_]+)*$/.test(type));
      expectThat(odd.length === 0, `Stack files cannot name ${odd.join(", ")}`);
    },
  },
  {
    id: "samples-known",
    title: "the resource types of the samples are types of the plugin",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const { capabilities } = await configuredCapabilities(trial);
      const types = new Set(capabilities.map(({ resourceType }) => resourceType));
      for (const { type } of trial.config.samples) {
        expectThat(
          types.has(type),
          `Capabilities lists ${[...types].join(", ") || "nothing"}, not ${type} of a sample`,
        );
      }
    },
  },
  {
    id: "every-type",
    title: "conformance.json has a sample of every resource type",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    waivable: true,
    async run(trial) {
      const { capabilities } = await configuredCapabilities(trial);
      const sampled = new Set(trial.config.samples.map(({ type }) => type));
      const missing = capabilities.map(({ resourceType }) => resourceType).filter((type) => !sampled.has(type));
      expectThat(missing.length === 0, `No sample of ${missing.join(", ")}`);
    },
  },
  {
    id: "loads",
    title: "wfctl's own host finds, checks, starts and configures the plugin",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject, config }) {
      const { installed } = subject;
      const provider = servedProvider(installed) ?? installed.folder;
      const place = { pluginDir: `${subject.tmp}/none`, extraDirs: [installed.directory], env: subject.environment() };
      try {
        findPlugin(provider, { ofDirectory: [installed], bundled: [], plugins: [installed], searched: [] });
        await using loaded = await createPluginProvider({
          ...place,
          module: "conformance",
          provider,
          config: config.provider,
          secrets: config.secrets,
        });
        expectThat(
          loaded.features.drivers,
          `The plugin advertises neither ${iacServiceNames.ResourceDriver} nor ${extServiceNames.DriverSession}`,
        );
      } catch (error) {
        throw error instanceof Problem ? error : new Problem((error as Error).message);
      }
    },
  },
];

/** What older SDKs list besides. */
function isTransport(name: string): boolean {
  return /^(?:grpc\.|plugin\.GRPC|workflow\.plugin\.v1\.)/.test(name);
}

function expectSame(left: string, found: readonly string[], right: string, expected: readonly string[]): void {
  const missing = expected.filter((name) => !found.includes(name));
  const extra = found.filter((name) => !expected.includes(name));
  expectThat(missing.length === 0, `${left} lacks ${missing.join(", ")}, which ${right} has`);
  expectThat(extra.length === 0, `${left} has ${extra.join(", ")}, which ${right} lacks`);
}
