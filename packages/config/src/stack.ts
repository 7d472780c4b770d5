import type {
  DesiredResource,
  Diagnostic,
  JsonObject,
  OnFailure,
  ProviderModule,
  SourceLocation,
  Value,
} from "@wfctl/model";

export interface LoadStackOptions {
  /** Stack file or a folder that holds one, relative to `cwd`. @default `infra.yaml`, then `config/infra.yaml` */
  readonly path?: string;
  readonly cwd: string;
  /** Name of the environment (`-e`). Required where the configuration declares environments, refused where it does not know the name. */
  readonly environment?: string;
  /** Only names are looked up: a `${NAME}` that is not set is an error. Values are never read. Absent: names are not checked. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Reads a file as UTF-8 text and fails as `node:fs/promises` does. @default `node:fs/promises` */
  readonly readFile?: (path: string) => Promise<string>;
}

export interface LoadStackResult {
  /** Present exactly when no diagnostic is an error. */
  readonly stack?: StackConfig;
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

/** What the file says about secrets, as written. `declared` are the names that a host may resolve at run time. */
export interface SecretsConfig {
  readonly settings?: JsonObject;
  readonly stores?: JsonObject;
  readonly declared: readonly string[];
}

/** A stack file with its imports, read for one environment. Plain data but for `locate`. */
export interface StackConfig {
  readonly name: string;
  /** `default` where the configuration declares no environments. */
  readonly environment: string;
  /** Declared at the top or on any module, in order of appearance. */
  readonly environments: readonly string[];
  readonly resources: readonly DesiredResource[];
  readonly providers: readonly ProviderModule[];
  readonly state?: StateModule;
  readonly onFailure?: OnFailure;
  readonly moved: readonly Move[];
  readonly outputs?: { readonly [name: string]: StackOutput };
  readonly secrets: SecretsConfig;
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
