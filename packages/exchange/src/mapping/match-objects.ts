import type { ForeignObject, ForeignState } from "../foreign/foreign-state.ts";
import { findMapping } from "./mappings.ts";
import { nameObjects } from "./name-objects.ts";
import type { ReadAttribute, TypeMapping } from "./type-mapping.ts";

/** What becomes of one entry of a foreign state. */
export type Match = { readonly address: string; readonly foreignType: string } & (
  | {
      readonly will: "import";
      readonly name: string;
      readonly type: string;
      readonly module: string;
      /** As the provider's Read takes it. */
      readonly id: string;
      readonly object: ForeignObject;
    }
  /** The state has it already. */
  | { readonly will: "stay"; readonly name: string }
  /** Nothing to import: a data source, a part of another resource. */
  | { readonly will: "skip"; readonly why: string }
  /** An object that stays out, because it cannot be told what it would be. */
  | { readonly will: "miss"; readonly why: string; readonly hint?: string }
);

export interface MatchOptions {
  /** Provider modules of the stack file, by name, with their provider. */
  readonly modules: readonly { readonly name: string; readonly provider: string }[];
  /** `aws` or `aws.west` of the other tool to a module, where that is not clear by itself. */
  readonly chosen: ReadonlyMap<string, string>;
  /** What the state records. */
  readonly recorded: readonly {
    readonly name: string;
    readonly type: string;
    readonly provider: string;
    readonly providerId: string;
    readonly providerIdentity?: string;
  }[];
  /** Other names that may not be used: of modules, of resources in doubt. */
  readonly reserved: ReadonlySet<string>;
  /** Resources of the stack file: an object of another type or module does not get their names. */
  readonly wanted: readonly { readonly name: string; readonly type: string; readonly provider: string }[];
}

interface Candidate {
  readonly object: ForeignObject;
  readonly type: string;
  readonly module: string;
  readonly id: string;
}

/** Decides what each entry of a foreign state becomes. Reads nothing and asks nobody: the same input gives the same answer. */
export function matchObjects(state: ForeignState, options: MatchOptions): readonly Match[] {
  const settled: Match[] = state.skipped.map(({ address, why }) => ({ address, foreignType: "", will: "skip", why }));
  const candidates: Candidate[] = [];
  const first = new Map<string, ForeignObject>();
  const records = new Map(
    options.recorded.map((record) => [keyOf(record.type, record.provider, record.providerId), record]),
  );
  for (const object of state.objects) {
    const about = { address: object.address, foreignType: object.type };
    const judged = judge(object, options);
    if ("will" in judged) {
      settled.push({ ...about, ...judged } as Match);
      continue;
    }
    const recorded = recordedAs(judged, records);
    const key = keyOf(judged.type, judged.module, judged.id);
    const twin = first.get(key);
    if (recorded !== undefined) settled.push({ ...about, will: "stay", name: recorded.name });
    else if (twin !== undefined)
      settled.push({ ...about, will: "skip", why: `it is the same object as ${twin.address}` });
    else {
      first.set(key, object);
      candidates.push({ object, ...judged });
    }
  }
  return [...settled, ...nameAll(candidates, options)].toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

function nameAll(candidates: readonly Candidate[], options: MatchOptions): Match[] {
  const byObject = new Map(candidates.map((candidate) => [candidate.object, candidate]));
  const recorded = new Set(options.recorded.map(({ name }) => name));
  const wanted = new Map(options.wanted.map((resource) => [resource.name, resource]));
  const names = nameObjects([...byObject.keys()], (name, object) => {
    const resource = wanted.get(name);
    const candidate = byObject.get(object);
    const isAnother =
      resource !== undefined && (resource.type !== candidate?.type || resource.provider !== candidate.module);
    return isAnother || recorded.has(name) || options.reserved.has(name);
  });
  return candidates.map(({ object, type, module, id }) => ({
    address: object.address,
    foreignType: object.type,
    will: "import",
    name: names.get(object) ?? "",
    type,
    module,
    id,
    object,
  }));
}

type Judged =
  | Pick<Candidate, "type" | "module" | "id">
  | { readonly will: "skip" | "miss"; readonly why: string; readonly hint?: string };

function judge(object: ForeignObject, options: MatchOptions): Judged {
  const known = findMapping(object.type);
  if (known.is === "part") {
    const { type, key } = known.part;
    return { will: "skip", why: `it is a part of an ${type}, which speaks of it with ${key}` };
  }
  if (known.is === "unknown") return { will: "miss", why: known.why };
  if (object.status === "old") {
    return {
      will: "miss",
      why: "it is replaced already, and was only waiting to be deleted",
      hint: "Delete it by hand, or let the other tool finish first",
    };
  }
  const { mapping, provider } = known;
  const encrypted: string[] = [];
  const read: ReadAttribute = (name) => {
    const found = object.attribute(name);
    if (found.is === "encrypted") encrypted.push(name);
    return found.is === "value" ? found.text : "";
  };
  const type = typeof mapping.type === "string" ? mapping.type : mapping.type(read);
  if (typeof type !== "string") return { will: "miss", why: type.why };
  const module = chooseModule(object, provider.provider, options);
  if ("why" in module) return { will: "miss", ...module };
  const id = mapping.id(read);
  if (id !== "") return { type, module: module.name, id };
  return { will: "miss", why: whyNoId(mapping, encrypted), hint: "Look its id up, and write: wfctl import NAME ID" };
}

function whyNoId(mapping: TypeMapping, encrypted: readonly string[]): string {
  return encrypted.length > 0
    ? `its ${encrypted.join(" and ")} is encrypted and cannot be read, so its id is not known`
    : `its id is not known: ${mapping.from} is missing`;
}

function chooseModule(
  { provider }: ForeignObject,
  ours: string,
  { modules, chosen }: MatchOptions,
): { readonly name: string } | { readonly why: string; readonly hint: string } {
  const { name, alias } = provider;
  const spelt = alias === undefined ? name : `${name}.${alias}`;
  const named = chosen.get(spelt) ?? chosen.get(name);
  const fitting = modules.filter((module) => module.provider === ours);
  if (named !== undefined) {
    return fitting.some((module) => module.name === named)
      ? { name: named }
      : {
          why: `the stack file has no module "${named}" of provider ${ours}`,
          hint: `Correct --provider ${spelt}=${named}`,
        };
  }
  const [only, second] = fitting;
  if (only === undefined) {
    return {
      why: `the stack file has no module of provider ${ours}`,
      hint: `Add one: {name: ${ours}, type: iac.provider, config: {provider: ${ours}}}`,
    };
  }
  const same = fitting.find((module) => module.name === alias) ?? fitting.find((module) => module.name === spelt);
  if (same !== undefined) return same;
  if (second === undefined && alias === undefined) return only;
  return {
    why:
      second === undefined
        ? `it is of the provider ${spelt}, and whether that is the module "${only.name}" is not known`
        : `the stack file has ${fitting.length} modules of provider ${ours}, and which one stands for ${spelt} is not known`,
    hint: `Say it with: --provider ${spelt}=${only.name}`,
  };
}

const keyOf = (type: string, module: string, id: string): string => JSON.stringify([type, module, id]);

type Recorded = MatchOptions["recorded"][number];

/** An id of the provider's own region is recorded without it; the identity tells which that is. */
function recordedAs(
  { type, module, id }: Pick<Candidate, "type" | "module" | "id">,
  records: ReadonlyMap<string, Recorded>,
): Recorded | undefined {
  const same = records.get(keyOf(type, module, id));
  const [, native, region] = /^(.+)@([a-z0-9-]+)$/.exec(id) ?? [];
  if (same !== undefined || native === undefined || region === undefined) return same;
  const record = records.get(keyOf(type, module, native));
  return record?.providerIdentity?.split(":").includes(region) === true ? record : undefined;
}
