import { randomUUID } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** As the cloud keeps it. `token` and `owner` are what other clouds call tags. */
export interface Note {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly owner: string | undefined;
  readonly text: string;
  readonly shelf: string;
  readonly dry_seconds: number;
  /** Milliseconds since the epoch. */
  readonly dryAt: number;
}

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A stand-in for a cloud: notes in a folder, which outlive the plugin. Put your cloud's SDK in its place. */
export interface Api {
  readonly root: string;
  create(note: Omit<Note, "id" | "dryAt">): Promise<Note>;
  get(id: string): Promise<Note | undefined>;
  update(id: string, changes: Pick<Note, "text" | "shelf" | "dry_seconds">): Promise<Note>;
  remove(id: string): Promise<void>;
  list(): Promise<Note[]>;
  findByName(name: string): Promise<Note | undefined>;
  findByToken(token: string): Promise<Note | undefined>;
  isDry(id: string): Promise<boolean>;
}

export function createApi(root: string): Api {
  const fileOf = (id: string): string => join(root, `${id}.json`);
  // The plugin's calls run at the same time: one create after the other, so that a token is used once.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
  const save = async (note: Note): Promise<Note> => {
    await mkdir(root, { recursive: true });
    const temporary = `${fileOf(note.id)}.${randomUUID()}`;
    await writeFile(temporary, JSON.stringify(note));
    await rename(temporary, fileOf(note.id));
    return note;
  };
  const get = async (id: string): Promise<Note | undefined> => {
    if (id.includes("/")) throw new ApiError(400, `"${id}" is no id of a note`);
    try {
      return JSON.parse(await readFile(fileOf(id), "utf8")) as Note;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  };
  const list = async (): Promise<Note[]> => {
    const names = await readdir(root).catch(() => []);
    const ids = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
    return (await Promise.all(ids.map(get))).filter((note) => note !== undefined);
  };
  const need = async (id: string): Promise<Note> => {
    const note = await get(id);
    if (note === undefined) throw new ApiError(404, `There is no note "${id}"`);
    return note;
  };
  const dryAt = (seconds: number): number => Date.now() + seconds * 1000;
  return {
    root,
    create: (note) =>
      inTurn(async () => {
        const known = (await list()).find((each) => each.token === note.token);
        return known ?? save({ ...note, id: randomUUID(), dryAt: dryAt(note.dry_seconds) });
      }),
    get,
    update: async (id, changes) => save({ ...(await need(id)), ...changes, dryAt: dryAt(changes.dry_seconds) }),
    remove: (id) => rm(fileOf(id), { force: true }),
    list,
    findByName: async (name) => (await list()).find((note) => note.name === name),
    findByToken: async (token) => (await list()).find((note) => note.token === token),
    isDry: async (id) => (await need(id)).dryAt <= Date.now(),
  };
}
