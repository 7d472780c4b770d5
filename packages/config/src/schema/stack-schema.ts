import { onFailurePolicies, type JsonObject } from "@wfctl/model";
import { environmentKeys, moduleEnvironmentKeys, passedTopKeys } from "../names.ts";
import { variableTypes } from "../variables/read-variables.ts";
import { embedTypeSchema } from "./embed-type-schema.ts";

const text = { type: "string" };
const flag = { type: "boolean" };
const mapping = { type: ["object", "null"] };
const names = { type: "array", items: { type: "string", minLength: 1 } };
const name = { type: "string", pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$" };
const stackName = { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$" };
const duration = {
  description: "A duration such as 30m, 1h30m or 90s; a number counts seconds",
  anyOf: [
    { type: "number", exclusiveMinimum: 0 },
    { type: "string", pattern: "^(?:[0-9]+(?:\\.[0-9]+)?(?:ms|[smhd]))+$" },
  ],
};

/**
 * JSON Schema (2020-12) of a stack file, for editors. With schemas of resource types, `config` of their modules is
 * described too; texts with references are accepted for every value. Names and references are checked by the loader only.
 * `unchecked` are provider modules whose types are not known: resources that name one of them may have any `config`.
 */
export function stackSchema(
  resourceTypes: ReadonlyMap<string, JsonObject | readonly JsonObject[]> = new Map(),
  unchecked: readonly string[] = [],
): JsonObject {
  const known = [...resourceTypes].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const typed = known.filter(([, schemas]) => !Array.isArray(schemas) || schemas.length > 0);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Stack file",
    description: "Resources, providers and state of one stack",
    type: "object",
    properties: {
      name: { ...stackName, description: "Name of the stack. Default: the folder's name" },
      imports: { ...names, description: "Other files to read, relative to this one; what this file says wins" },
      on_failure: {
        enum: [...onFailurePolicies],
        description: "What a run does after an action failed. Default: continue",
      },
      modules: { type: ["array", "null"], items: { $ref: "#/$defs/module" } },
      environments: {
        type: ["object", "null"],
        propertyNames: stackName,
        additionalProperties: { $ref: "#/$defs/environment" },
      },
      moved: { type: ["array", "null"], items: { $ref: "#/$defs/move" } },
      import: {
        type: ["array", "null"],
        items: {
          ...closed({
            to: { ...text, description: "Name of the resource" },
            id: { type: ["string", "integer"], description: "The object's id at the provider" },
          }),
          required: ["to", "id"],
        },
        description: "Objects that exist already: plan shows each as an import, apply records it",
      },
      variables: {
        type: ["object", "array", "null"],
        propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
        additionalProperties: { $ref: "#/$defs/variable" },
        description: "Values that differ from use to use: ${var.NAME}",
      },
      components: {
        type: ["object", "null"],
        additionalProperties: {
          ...closed({ source: { ...text, description: "File of the component" }, inputs: mapping }),
          required: ["source"],
        },
        description: "Groups of resources with inputs and outputs: ${name.output}",
      },
      outputs: { type: ["object", "null"], additionalProperties: { $ref: "#/$defs/output" } },
      secrets: { $ref: "#/$defs/secrets" },
      secretStores: { type: ["object", "null"], additionalProperties: closed({ provider: text, config: mapping }) },
      infra: { ...closed({ auto_bootstrap: { ...flag, default: true } }), type: ["object", "null"] },
      ...Object.fromEntries(passedTopKeys.map((key) => [key, { description: "Not read here" }])),
    },
    patternProperties: { "^x-": { description: "Not read: a place for anchors" } },
    additionalProperties: false,
    $defs: {
      reference: { type: "string", pattern: "\\$\\{|^\\$[A-Za-z_]" },
      module: moduleSchema(
        typed.map(([type]) => type),
        known.map(([type]) => type),
        unchecked,
      ),
      environment: {
        ...closed({
          ...Object.fromEntries(environmentKeys.map((key) => [key, {}])),
          provider: { ...text, description: "Provider module of resources that name none" },
          region: { ...text, description: "Region of resources that have none" },
          variables: { ...mapping, description: "Values of variables in this environment" },
          envVars: { ...mapping, description: "Joined into env_vars of container services" },
        }),
        type: ["object", "null"],
      },
      moduleEnvironment: {
        ...closed({
          ...Object.fromEntries(moduleEnvironmentKeys.map((key) => [key, {}])),
          provider: text,
          config: mapping,
        }),
        type: ["object", "null"],
        description: "null leaves the module out of the environment",
      },
      move: { ...closed({ from: text, to: text }), required: ["from", "to"] },
      variable: {
        description: "Its default, or a declaration",
        anyOf: [
          { type: ["string", "number", "boolean", "array", "null"] },
          closed({
            type: { enum: [...variableTypes], description: "Default: that of the default value, else string" },
            default: {},
            description: text,
            sensitive: { ...flag, description: "Sealed wherever it is stored, hidden wherever it is shown; text only" },
            enum: { type: "array" },
            pattern: text,
            minimum: { type: "number" },
            maximum: { type: "number" },
            items: { type: "object", description: "JSON Schema of the items of a list" },
          }),
        ],
      },
      output: {
        anyOf: [
          { type: ["string", "number", "boolean", "array", "null"] },
          { ...closed({ value: {}, sensitive: flag, description: text }), required: ["value"] },
        ],
      },
      secrets: {
        ...closed({
          provider: text,
          config: mapping,
          defaultStore: text,
          entries: listOf({ name: text, description: text, store: text, rotation: {} }, "name"),
          generate: listOf(
            { key: text, type: text, length: { type: "integer" }, source: text, name: text, store: text },
            "key",
          ),
          rotation: {},
        }),
        type: ["object", "null"],
      },
      types: Object.fromEntries(typed.flatMap(([type, schemas]) => embedAll(type, schemas))),
    },
  };
}

/** A type that several providers have fits where it fits one of them. */
function embedAll(type: string, schemas: JsonObject | readonly JsonObject[]): [string, JsonObject][] {
  const all = (Array.isArray(schemas) ? schemas : [schemas]) as readonly JsonObject[];
  const [only, second] = all;
  if (only !== undefined && second === undefined) return [[type, embedTypeSchema(type, only)]];
  const named = all.map((schema, index): [string, JsonObject] => {
    const name = `${type}:${index}`;
    return [name, embedTypeSchema(name, schema)];
  });
  return [[type, { anyOf: named.map(([name]) => ({ $ref: `#/$defs/types/${name}` })) }], ...named];
}

/** `types` have a schema, `known` are offered. */
function moduleSchema(types: readonly string[], known: readonly string[], unchecked: readonly string[]): JsonObject {
  const naming = (key: string): JsonObject => ({ required: [key], properties: { [key]: { enum: unchecked } } });
  const except: JsonObject =
    unchecked.length === 0
      ? {}
      : {
          not: {
            required: ["config"],
            properties: { config: { anyOf: [naming("iac_provider"), naming("provider")] } },
          },
        };
  return {
    type: "object",
    required: ["name", "type"],
    properties: {
      name: { type: "string", minLength: 1 },
      type: {
        ...text,
        minLength: 1,
        // Others are possible: they are offered, not required.
        ...(known.length === 0 ? {} : { anyOf: [{ enum: ["iac.provider", "iac.state", ...known] }, { ...text }] }),
      },
    },
    allOf: [
      when({ pattern: "^infra\\." }, { $ref: "#/$defs/module/$defs/resource" }),
      when({ enum: ["iac.provider", "iac.state"] }, closed(moduleProperties())),
      when(
        { const: "iac.provider" },
        {
          required: ["config"],
          properties: { config: { type: "object", required: ["provider"], properties: { provider: text } } },
        },
      ),
      ...types.map((type) =>
        when({ const: type }, { properties: { config: { $ref: `#/$defs/types/${type}` } } }, except),
      ),
    ],
    $defs: {
      resource: closed({
        ...moduleProperties(),
        existing: { ...flag, description: "Read only: never written, gives outputs" },
        adopt_existing: { ...flag, description: "Take over an object of this name when it exists" },
        protected: { ...flag, description: "Refuse to delete or replace the resource" },
        lifecycle: closed({
          ignore_changes: { ...names, description: "Dotted config paths whose differences are not acted on" },
          replace: { enum: ["create-first", "delete-first"] },
          retain: { ...flag, description: "Forget instead of delete when the configuration drops the resource" },
        }),
        timeouts: closed({ create: duration, read: duration, update: duration, delete: duration }),
        config: {
          ...mapping,
          properties: {
            provider: { ...text, description: "Name of an iac.provider module" },
            iac_provider: { ...text, description: "Name of an iac.provider module; wins over provider" },
            size: { ...text, description: "xs, s, m, l, xl, or a size of the vendor's" },
            depends_on: { ...names, description: "Resources that must be there first" },
            protected: flag,
            adopt_existing: flag,
          },
        },
      }),
    },
  };
}

function moduleProperties(): JsonObject {
  return {
    name,
    type: text,
    config: mapping,
    protected: flag,
    adopt_existing: flag,
    existing: flag,
    lifecycle: {},
    timeouts: {},
    satisfies: names,
    dependsOn: { ...names, description: "Modules that must be there first" },
    branches: {},
    environments: { type: ["object", "null"], additionalProperties: { $ref: "#/$defs/moduleEnvironment" } },
  };
}

function when(type: JsonObject, consequence: JsonObject, more: JsonObject = {}): JsonObject {
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  return { if: { properties: { type }, ...more }, then: consequence };
}

function closed(properties: JsonObject): JsonObject {
  return { type: "object", properties, additionalProperties: false };
}

function listOf(properties: JsonObject, required: string): JsonObject {
  return { type: ["array", "null"], items: { ...closed(properties), required: [required] } };
}
