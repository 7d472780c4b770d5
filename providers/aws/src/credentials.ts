import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { AssumeRole, AwsConfig } from "./config.ts";

export interface CredentialIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Gives valid credentials whenever it is called. */
export type Credentials = () => Promise<CredentialIdentity>;

/** Credentials are renewed this long before they expire. */
const renewBeforeMs = 300_000;

/**
 * The credentials of a configuration: a web identity, a static pair, a profile, or what the SDK finds (environment, shared
 * files, SSO, container, instance), and on top of these the roles to assume, in order. Temporary ones are renewed.
 */
export async function createCredentials(
  config: AwsConfig,
  where: { region: string; endpoint: string | undefined },
): Promise<Credentials> {
  const sdk = await import("./sdk/credentials.ts");
  const sts = { region: where.region, ...(where.endpoint === undefined ? {} : { endpoint: where.endpoint }) };
  const files = {
    ...(config.shared_credentials_file === undefined ? {} : { filepath: config.shared_credentials_file }),
    ...(config.shared_config_file === undefined ? {} : { configFilepath: config.shared_config_file }),
  };
  const base = (): Credentials => {
    const web = config.assume_role_with_web_identity;
    if (web !== undefined) {
      const common = {
        roleArn: web.role_arn,
        clientConfig: sts,
        ...(web.session_name === undefined ? {} : { roleSessionName: web.session_name }),
        ...(web.duration_seconds === undefined ? {} : { durationSeconds: web.duration_seconds }),
      };
      return web.token === undefined
        ? sdk.fromTokenFile({ ...common, webIdentityTokenFile: web.token_file ?? "" })
        : sdk.fromWebToken({ ...common, webIdentityToken: web.token });
    }
    const { credentials: upstream } = config;
    const pair = staticPair(config);
    if (pair !== undefined && upstream?.type !== "profile" && upstream?.type !== "env")
      return () => Promise.resolve(pair);
    const profile = config.profile ?? upstream?.profile;
    if (profile !== undefined || upstream?.type === "profile") {
      return sdk.fromIni({ ...files, clientConfig: sts, ...(profile === undefined ? {} : { profile }) });
    }
    return sdk.fromNodeProviderChain({ ...files, clientConfig: sts });
  };

  let credentials = keepFresh(base());
  for (const role of rolesOf(config)) {
    credentials = keepFresh(
      sdk.fromTemporaryCredentials({ masterCredentials: credentials, params: roleParameters(role), clientConfig: sts }),
    );
  }
  return credentials;
}

function staticPair({ access_key_id, secret_access_key, session_token, credentials }: AwsConfig) {
  const accessKeyId = credentials?.accessKey ?? access_key_id;
  const secretAccessKey = credentials?.secretKey ?? secret_access_key;
  const sessionToken = credentials?.sessionToken ?? session_token;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function rolesOf({ assume_role: roles, credentials }: AwsConfig): readonly AssumeRole[] {
  if (roles !== undefined) return Array.isArray(roles) ? roles : [roles];
  if (credentials?.type !== "role_arn") return [];
  return [
    {
      role_arn: credentials.roleArn ?? "",
      session_name: credentials.sessionName ?? "workflow-session",
      external_id: credentials.externalId,
    },
  ];
}

function roleParameters(role: AssumeRole) {
  const optional = {
    ExternalId: role.external_id,
    DurationSeconds: role.duration_seconds,
    Policy: role.policy,
    PolicyArns: role.policy_arns?.map((arn) => ({ arn })),
    Tags: role.tags === undefined ? undefined : Object.entries(role.tags).map(([Key, Value]) => ({ Key, Value })),
    TransitiveTagKeys: role.transitive_tag_keys,
    SourceIdentity: role.source_identity,
  };
  return { RoleArn: role.role_arn, RoleSessionName: role.session_name ?? "wfctl", ...optional };
}

/** One request at a time, its answer kept until shortly before it expires. A failure is not kept. */
export function keepFresh(find: Credentials, now: () => number = Date.now): Credentials {
  let current: CredentialIdentity | undefined;
  let asking: Promise<CredentialIdentity> | undefined;
  const isFresh = ({ expiration }: CredentialIdentity): boolean =>
    expiration === undefined || expiration.getTime() - now() > renewBeforeMs;
  return async () => {
    if (current !== undefined && isFresh(current)) return current;
    asking ??= find()
      .then((found) => (current = found))
      .catch((error: unknown) => {
        throw noCredentials(error);
      })
      .finally(() => (asking = undefined));
    return asking;
  };
}

function noCredentials(error: unknown): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  const { message } = error as Error;
  return new ProviderFailure(
    "unauthorized",
    `Cannot get AWS credentials: ${message.replace(/\.$/, "")}; set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the provider's keys`,
    { cause: error },
  );
}
