/** Where secrets are kept. Every call ends within 30 s. Failures are `WfctlError`s that never hold a value. */
export interface SecretStore {
  /** For people: `vault at https://…`. */
  readonly label: string;
  /** False where secrets can be written and never read again. */
  readonly readable: boolean;
  /** Undefined where the store has none of this name. Throws on stores that cannot be read. */
  get(name: string): Promise<string | undefined>;
  /** Makes or replaces the secret. */
  set(name: string, value: string): Promise<void>;
  /** A secret that is gone already is a success. */
  delete(name: string): Promise<void>;
}
