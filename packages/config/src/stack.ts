import type {
  DesiredResource,
  Diagnostic,
  ImportRequest,
  Json,
  JsonObject,
  OnFailure,
  ProviderModule,
  SourceLocation,
  Value,
} from "@wfctl/model";
import type { VariableSources } from "./variables/read-inputs.ts";
import type { VariableType } from "./variables/read-variables.ts";

export type { VariableSources } from "./variables/read-inputs.ts";

export interface LoadStackOptions {
  /** Stack file or a folder that holds one, relative to `cwd`. @default `infra.yaml` or `infra.ts`, then the same in `config` */
  readonly path?: string;
  readonly cwd: string;
  /** Name of the environment (`-e`). Required where the configuration declares environments, refused where it does not know the name. */
  readonly environment?: string;
  /** Only names are looked up: a `${NAME}` that is not set is an error. Values are never read. Absent: names are not checked. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Values for the variables of the stack file. Absent: there are none but defaults, and none is required. */
  readonly variables?: VariableSources;
  /** Evaluate stack programs twice and refuse those that give two results. @default false */
  readonly checkPrograms?: boolean;
  /** Reads a file as UTF-8 text and fails as `node:fs/promises` does. @default `node:fs/promises` */
  readonly readFile?: (path: string) => Promise<string>;
}

export interface LoadStackResult {
  /** Present exactly when no diagnostic is an error. */
  readonly stack?: StackConfig;
  /** Environments that the configuration declares, also where it has errors. */
  readonly environments: readonly string[];
  /** Provider modules that could be read, also where the configuration has errors. */
  readonly providers: readonly ProviderModule[];
  /** Everything that is wrong, by file and line. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The `iac.state` module. */
export interface StateModule {
  readonly name: string;
  readonly backend: string;
  /** The whole `config` of the module, `backend` included. Expressions name environment variables only. */
  readonly config: { readonly [key: string]: Value };
  readonly source?: SourceLocation;
}

export interface Move {
  readonly from: string;
  readonly to: string;
}

/** A value that the stack shows and hands to others after apply. */
export interface StackOutput {
  readonly value: Value;
  readonly sensitive: boolean;
  readonly description?: string;
}

/** A variable of the stack file. */
export interface StackVariable {
  readonly name: string;
  readonly type: VariableType;
  readonly description?: string;
  readonly sensitive: boolean;
  /** Absent where it has none; never there for sensitive ones. */
  readonly value?: Json;
}

/** What the file says about secrets, as written. `declared` are the names that a host may resolve at run time. */
export interface SecretsConfig {
  readonly settings?: JsonObject;
  readonly stores?: JsonObject;
  readonly declared: readonly string[];
  /** Of these, by name, the ones that a host has looked for in vain: where, and what to do. */
  readonly missing?: ReadonlyMap<string, { readonly why: string; readonly hint: string }>;
}

/** A stack file with its imports, read for one environment. Plain data but for `locate`. */
export interface StackConfig {
  readonly name: string;
  /** Present where the file gives no name and the one of its folder stands in. */
  readonly nameIsDefault?: true;
  /** `default` where the configuration declares no environments. */
  readonly environment: string;
  /** Declared at the top or on any module, in order of appearance. */
  readonly environments: readonly string[];
  readonly resources: readonly DesiredResource[];
  readonly providers: readonly ProviderModule[];
  readonly state?: StateModule;
  readonly onFailure?: OnFailure;
  readonly moved: readonly Move[];
  /** Objects to record as resources (`import:`), each resource once. Those of resources that the environment leaves out are not here. */
  readonly imports: readonly ImportRequest[];
  readonly outputs?: { readonly [name: string]: StackOutput };
  readonly secrets: SecretsConfig;
  readonly variables: readonly StackVariable[];
  /**
   * Values of sensitive variables by the name that expressions have for them (`var.NAME`): to be looked up beside the
   * environment's. Secret.
   */
  readonly secretVariables: Readonly<Record<string, string>>;
  /** `infra.auto_bootstrap`. @default true */
  readonly autoBootstrap: boolean;
  /** Absolute paths of all files read, the main one first. */
  readonly files: readonly string[];
  /**
   * Where a module (and a JSON pointer inside it, such as `/config/size`) is written; the nearest place that exists.
   * Values that the environment overlays are found in the overlay. `at` chooses the place of a key or of its value (default).
   * Undefined for names that no module has.
   */
  readonly locate: (address: string, pointer?: string, at?: "key" | "value") => SourceLocation | undefined;
}
