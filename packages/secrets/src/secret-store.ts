/** Where secrets are kept. Every call ends within 30 s. Failures are `WfctlError`s that never hold a value. */
export interface SecretStore {
  /** For people: `vault at https://…`. */
  readonly label: string;
  /** False where secrets can be written and never read again. */
  readonly readable: boolean;
  /** The environment variable that a secret is kept in, for stores that keep them there. */
  readonly variable?: (name: string) => string;
  /** Undefined where the store has none of this name. Throws on stores that cannot be read. */
  get(name: string): Promise<string | undefined>;
  /** Makes or replaces the secret. */
  set(name: string, value: string): Promise<void>;
  /** A secret that is gone already is a success. */
  delete(name: string): Promise<void>;
}
