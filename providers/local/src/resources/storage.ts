import { rm, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import {
  alreadyExists,
  defineResource,
  notFound,
  ProviderFailure,
  z,
  type CallContext,
  type NotFound,
  type ResourceState,
} from "@wfctl/plugin-sdk";
import { expandHome, type LocalClient } from "../client.ts";
import { hasCode, refused } from "../errors.ts";
import { exists, isDirectory, makeFolder, octal, outermostMissing, removeEmptyFolders, toFileName } from "../files.ts";
import { distinction } from "../ownership.ts";
import { listForeign, readFiles, removeDirectory } from "../storage/contents.ts";
import { foreignFiles, sync } from "../storage/sync.ts";
import {
  createMarked,
  listIndex,
  markerName,
  readIndex,
  readMarker,
  removeIndex,
  stagingPath,
  writeIndex,
  writeMarker,
  type Marker,
} from "../storage/marker.ts";
import { ignoredKeys, withoutIgnored } from "./ignored-keys.ts";

const modeText = z.string().regex(/^0?[0-7]{3}$/, { error: 'expected octal permissions such as "0644"' });
const normalMode = (text: string): string => octal(Number.parseInt(text, 8));

const fileInput = z
  .strictObject({
    content: z.string().optional(),
    content_base64: z.base64().optional(),
    mode: modeText.default("0644").transform(normalMode),
  })
  .refine((file) => file.content === undefined || file.content_base64 === undefined, {
    error: "content and content_base64 exclude each other",
  });

const fileName = z
  .string()
  .refine(
    (name) => name !== "" && !name.startsWith("/") && !name.split("/").some((step) => ["", ".", ".."].includes(step)),
    {
      error: "expected a relative path without . and ..",
    },
  )
  .refine((name) => name.split("/")[0] !== markerName, { error: "the name belongs to wfctl" });

/** What other clouds' storage knows and a directory has no use for. */
const ignored = ignoredKeys(["acl", "encryption", "location", "public", "storage_class", "versioning"]);

const input = z
  .strictObject({
    path: z
      .string()
      .regex(/^(?:\/|~\/)/, { error: 'expected an absolute path or one that starts with "~/"' })
      .transform(expandHome)
      .optional()
      .describe("Where the directory is. Default: a folder of its own below the provider's root"),
    mode: modeText.default("0755").transform(normalMode),
    files: z.record(fileName, fileInput).default({}),
    force_destroy: z.boolean().default(false).describe("Delete files too that wfctl did not write"),
    ...ignored.shape,
  })
  .transform(withoutIgnored(ignored.names));
type StorageInput = z.output<typeof input>;

const outputs = z.object({ id: z.string(), name: z.string(), path: z.string(), url: z.string() });
type StorageOutputs = z.output<typeof outputs>;
type State = ResourceState<StorageInput, StorageOutputs>;
type Context = CallContext<LocalClient>;

/** A directory with files. Its id is its absolute path. */
export const storage = defineResource<LocalClient>()({
  type: "infra.storage",
  description: "A directory with files and permissions",
  input,
  outputs,
  forceNew: ["path"],
  convergentCreate: true,
  settleMs: 1,
  timeouts: { create: 120_000, read: 60_000, update: 120_000, delete: 120_000 },
  tier: 2,

  async create({ name, input: wanted }, context) {
    const { client, clientToken, owner } = context;
    const place = distinction(owner, clientToken);
    const path = wanted.path ?? join(client.storage, `${toFileName(name)}-${place}`);
    const before = await readMarker(path);
    const isNew = before?.token !== clientToken;
    if (isNew) {
      if (before !== undefined) return alreadyExists(`Directory "${path}" belongs to "${before.owner ?? before.name}"`);
      if (await exists(path)) {
        return alreadyExists(`"${path}" is there already and not ours; adopt it, or name another path`);
      }
      const marker = await makeMarked(context, path, name, wanted);
      context.partial(path, { ...outputsOf(path, name) });
      await sync(path, marker, wanted);
    } else {
      context.partial(path, { ...outputsOf(path, name) });
      await sync(path, { ...before, owner: owner ?? before.owner }, wanted);
    }
    return { ...(await describe(path, name)), created: isNew };
  },

  async read(ref, context) {
    const path = await locate(ref, context);
    return path === undefined ? notFound() : stateOrNone(path, ref.name);
  },

  async update(ref, { input: wanted, name }, context) {
    const path = await locate(ref, context);
    if (path === undefined || !(await isDirectory(path))) return notFound();
    const before = await readMarker(path);
    const marker: Marker = before ?? {
      version: 1,
      name,
      token: context.clientToken,
      forceDestroy: wanted.force_destroy,
      files: {},
      outermost: path,
    };
    // Taking over a directory: from now on it is found like one that was created.
    if (before === undefined) await writeIndex(context.client, { path, name, token: marker.token, outermost: path });
    await sync(path, { ...marker, name, owner: context.owner ?? marker.owner }, wanted);
    return describe(path, name);
  },

  async delete(ref, context) {
    const path = await locate(ref, context);
    if (path === undefined) return notFound();
    const marker = await readMarker(path);
    if (await isDirectory(path)) {
      const foreign = marker?.forceDestroy === true ? [] : await listForeign(path, marker?.files ?? {});
      if (foreign.length > 0) throw foreignFiles(path, foreign);
      await removeDirectory(path);
    } else if (await exists(path)) {
      throw new ProviderFailure("validation", `Cannot delete "${path}": it is no directory`);
    }
    if (marker !== undefined) await forget(context.client, path, marker.token, marker.outermost);
    else await forgetPath(context.client, path);
    return undefined;
  },

  async lookup({ token, name }, { client }) {
    const entry = await readIndex(client, token);
    const marker = entry === undefined ? undefined : await readMarker(entry.path);
    if (entry !== undefined && marker?.token === token) return stateOrNone(entry.path, name);
    // The create was killed before the directory appeared: what it had prepared is removed.
    if (entry !== undefined) await rm(stagingPath(entry.path, token), { recursive: true, force: true });
    await forget(client, entry?.path ?? client.index, token, entry?.outermost ?? client.root);
    return notFound();
  },

  async *list({ client }) {
    for await (const { path, name } of listIndex(client)) {
      const state = await stateOrNone(path, name);
      if (!("notFound" in state)) yield state;
    }
  },

  async setOwner(ref, owner, context) {
    const path = await locate(ref, context);
    const marker = path === undefined ? undefined : await readMarker(path);
    if (path === undefined || marker === undefined) return notFound();
    await writeMarker(path, { ...marker, owner });
    return undefined;
  },
});

/** By its id, else by its name among all that were made: the one with the caller's mark, or the only one. */
async function locate(ref: { id: string; name: string }, { client, owner }: Context): Promise<string | undefined> {
  if (ref.id !== "") return expandHome(ref.id);
  const named: { path: string; owner: string | undefined }[] = [];
  for await (const entry of listIndex(client)) {
    const marker = entry.name === ref.name ? await readMarker(entry.path) : undefined;
    if (marker?.token === entry.token) named.push({ path: entry.path, owner: marker.owner });
  }
  const own = owner === undefined ? [] : named.filter((each) => each.owner === owner);
  const candidates = own.length > 0 ? own : named;
  if (candidates.length > 1) {
    const paths = candidates.map(({ path }) => `"${path}"`).join(", ");
    throw new ProviderFailure(
      "validation",
      `Several directories are called "${ref.name}": ${paths}; name one by its id`,
    );
  }
  return candidates[0]?.path;
}

async function makeMarked(context: Context, path: string, name: string, wanted: StorageInput): Promise<Marker> {
  const { client, clientToken, owner } = context;
  const outermost = isBelow(path, client.root) ? client.root : await outermostMissing(path);
  try {
    await writeIndex(client, { path, name, token: clientToken, outermost });
    await makeFolder(dirname(path));
    const marker: Marker = {
      version: 1,
      name,
      token: clientToken,
      owner,
      forceDestroy: wanted.force_destroy,
      files: {},
      outermost,
    };
    await createMarked(path, marker);
    return marker;
  } catch (error) {
    await forget(client, path, clientToken, outermost);
    throw refused(error, `create directory "${path}"`);
  }
}

async function stateOrNone(path: string, name: string): Promise<State | NotFound> {
  try {
    return (await isDirectory(path)) ? await describe(path, name) : notFound();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return notFound();
    throw refused(error, `read directory "${path}"`);
  }
}

async function describe(path: string, name: string): Promise<State> {
  const marker = await readMarker(path);
  const { mode } = await stat(path);
  const label = marker?.name ?? name;
  return {
    id: path,
    name: label,
    outputs: outputsOf(path, label),
    owner: marker?.owner,
    inputs: {
      path,
      mode: octal(mode),
      files: await readFiles(path, marker?.files ?? {}),
      force_destroy: marker?.forceDestroy ?? false,
    } as Partial<StorageInput>,
  };
}

function outputsOf(path: string, name: string): StorageOutputs {
  return { id: path, name, path, url: pathToFileURL(path).href };
}

/** Removes what was kept of a directory that is gone. */
async function forget(client: LocalClient, path: string, token: string, outermost: string): Promise<void> {
  await removeIndex(client, token);
  await removeEmptyFolders(client.index, client.root);
  await removeEmptyFolders(dirname(path), outermost === path ? dirname(path) + sep : outermost);
}

async function forgetPath(client: LocalClient, path: string): Promise<void> {
  for await (const entry of listIndex(client)) {
    if (entry.path === path) await forget(client, path, entry.token, client.root);
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder + sep);
}
