import { z } from "@wfctl/plugin-sdk";

/** An image as App Platform wants it. */
export interface AppImage {
  readonly registry_type: "DOCR" | "DOCKER_HUB" | "GHCR";
  readonly registry?: string | undefined;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
}

const imageMap = z.strictObject({
  registry_type: z.enum(["DOCR", "DOCKER_HUB", "GHCR"]),
  registry: z.string().optional().describe("Owner at Docker Hub or GHCR; empty for DOCR"),
  repository: z.string().min(1),
  tag: z.string().optional(),
  digest: z.string().optional(),
  registry_credentials: z.string().optional().describe("Use registry_credentials of the resource"),
});

/** A reference such as `nginx:1.27`, or its parts. */
export const imageInput = z.union([z.string().min(1), imageMap]).transform((given, { addIssue }): AppImage => {
  if (typeof given !== "string") {
    const { registry_credentials: _, ...image } = given;
    return settleImage(image);
  }
  const parsed = parseImage(given);
  if (parsed !== undefined) return parsed;
  addIssue({
    code: "custom",
    message: 'expected an image such as "nginx:1.27" of Docker Hub, ghcr.io or registry.digitalocean.com',
  });
  return z.NEVER;
});

/** The parts of a reference, or undefined where it names a registry that App Platform cannot read. */
export function parseImage(reference: string): AppImage | undefined {
  const [, path = "", tag, digest] = /^([^@]+?)(?::([\w.-]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(reference) ?? [];
  const steps = path.split("/");
  const last = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
  const [host = "", ...rest] = steps;
  if (host === "registry.digitalocean.com") {
    const [, ...repository] = rest;
    return repository.length === 0
      ? undefined
      : settleImage({ registry_type: "DOCR", repository: repository.join("/"), ...last });
  }
  if (host === "ghcr.io") {
    const [registry, ...repository] = rest;
    return registry === undefined || repository.length === 0
      ? undefined
      : settleImage({ registry_type: "GHCR", registry, repository: repository.join("/"), ...last });
  }
  const plain = host === "docker.io" ? rest : steps;
  if (host !== "docker.io" && steps.length > 1 && /[.:]/.test(host)) return undefined;
  const [first = "", ...others] = plain;
  if (first === "" || others.length > 1) return undefined;
  return settleImage(
    others.length === 0
      ? { registry_type: "DOCKER_HUB", registry: "library", repository: first, ...last }
      : { registry_type: "DOCKER_HUB", registry: first, repository: others.join("/"), ...last },
  );
}

/** The tag is `latest` where neither tag nor digest says otherwise; empty parts are left out. */
export function settleImage(image: AppImage): AppImage {
  const { registry_type, registry, repository, tag, digest } = image;
  const named =
    digest === undefined || digest === "" ? { tag: tag === undefined || tag === "" ? "latest" : tag } : { digest };
  return { registry_type, ...(registry === undefined || registry === "" ? {} : { registry }), repository, ...named };
}
