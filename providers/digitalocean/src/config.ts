import { z } from "@wfctl/plugin-sdk";
import { userTag } from "./tags.ts";

export const defaultEndpoint = "https://api.digitalocean.com";
export const defaultSpacesEndpoint = "https://{region}.digitaloceanspaces.com";

/** Configuration of the `iac.provider` module. */
export const digitalOceanConfig = z
  .strictObject({
    token: z.string().optional().describe("API token. Default: DIGITALOCEAN_TOKEN, then DIGITALOCEAN_ACCESS_TOKEN"),
    region: z
      .string()
      .regex(/^[a-z]{3}\d$/, { error: 'expected a region such as "nyc3"' })
      .default("nyc3")
      .describe("Of resources that name none; App Platform takes the group of it, such as nyc"),
    spaces_access_key: z
      .string()
      .optional()
      .describe("For infra.storage. Default: DO_SPACES_ACCESS_KEY, then SPACES_ACCESS_KEY_ID"),
    spaces_secret_key: z.string().optional().describe("Default: DO_SPACES_SECRET_KEY, then SPACES_SECRET_ACCESS_KEY"),
    endpoint: z
      .url()
      .optional()
      .describe(`Address of the API, for emulators. Default: DIGITALOCEAN_API_URL, then ${defaultEndpoint}`),
    spaces_endpoint: z
      .string()
      .optional()
      .describe(
        `Address of Spaces; {region} stands for the bucket's region. Default: SPACES_ENDPOINT_URL, then ${defaultSpacesEndpoint}`,
      ),
    project_id: z.string().optional().describe("Project of new databases, load balancers and apps that name none"),
    default_tags: z.array(userTag).default([]).describe("Tags of everything that carries tags"),
    limit_rates: z.boolean().default(true).describe("Keep calls within the rate that the API grants by default"),
    registry_credentials: z.string().optional().describe("Login of private registries, for apps that name none"),
  })
  .refine((config) => (config.spaces_access_key === undefined) === (config.spaces_secret_key === undefined), {
    error: "spaces_access_key and spaces_secret_key belong together",
  });

export type DigitalOceanConfig = z.output<typeof digitalOceanConfig>;

/** The addresses that are in force. */
export interface Endpoints {
  readonly api: string;
  /** `{region}` stands for the bucket's region. */
  readonly spaces: string;
}

/** What the configuration gives, else the environment. A version or a slash at the end of the API's address is dropped. */
export function findEndpoints(config: DigitalOceanConfig, environment: NodeJS.ProcessEnv): Endpoints {
  const first = (...values: readonly (string | undefined)[]): string =>
    (values.find((value) => value !== undefined && value !== "") ?? "").replace(/\/+$/, "");
  return {
    api: first(config.endpoint, environment["DIGITALOCEAN_API_URL"], defaultEndpoint).replace(/\/v2$/, ""),
    spaces: first(config.spaces_endpoint, environment["SPACES_ENDPOINT_URL"], defaultSpacesEndpoint),
  };
}

export interface Credentials {
  readonly token: string | undefined;
  readonly spaces: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** What the configuration gives, else the environment. */
export function findCredentials(config: DigitalOceanConfig, environment: NodeJS.ProcessEnv): Credentials {
  const first = (...values: readonly (string | undefined)[]): string | undefined =>
    values.find((value) => value !== undefined && value !== "");
  const token = first(config.token, environment["DIGITALOCEAN_TOKEN"], environment["DIGITALOCEAN_ACCESS_TOKEN"]);
  const accessKeyId = first(
    config.spaces_access_key,
    environment["DO_SPACES_ACCESS_KEY"],
    environment["SPACES_ACCESS_KEY_ID"],
  );
  const secretAccessKey = first(
    config.spaces_secret_key,
    environment["DO_SPACES_SECRET_KEY"],
    environment["SPACES_SECRET_ACCESS_KEY"],
  );
  const spaces =
    accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
  return { token, spaces };
}
