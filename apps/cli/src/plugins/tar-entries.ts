import { WfctlError } from "@wfctl/model";

/** What one entry of a tar archive says of itself. Nothing of it is trusted yet. */
export interface TarHeader {
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
  readonly executable: boolean;
  /** Of a link. */
  readonly target: string;
}

/** An entry with its content, to be read before the next one is asked for. */
export interface TarEntry extends TarHeader {
  content(): AsyncGenerator<Buffer, void, undefined>;
}

const blockSize = 512;
/** Extended headers hold paths: more is an attack. */
const longestExtension = 64 * 1024;
/** Before one entry. */
const mostExtensions = 8;

/**
 * Reads a tar stream entry by entry: ustar, with the extended headers of pax and GNU for long paths.
 * Throws PLUGIN_PACKAGE for what is no tar archive, or one that is cut off.
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  const reader = createReader(stream);
  let extension: { path?: string; linkpath?: string; size?: string } = {};
  let extensions = 0;
  for (;;) {
    const block = await reader.read(blockSize, "optional");
    if (block === undefined || block.every((byte) => byte === 0)) return;
    checkSum(block);
    const type = String.fromCharCode(block[156] ?? 0);
    const size = extension.size === undefined ? readNumber(block, 124, 12) : Number(extension.size);
    if (!Number.isSafeInteger(size) || size < 0) throw broken("has an entry of impossible size");
    if ("xgLK".includes(type) && type !== "\0") {
      extensions += 1;
      if (extensions > mostExtensions || size > longestExtension) throw broken("has too long extended headers");
      const text = (await readPadded(reader, size)).toString("utf8");
      if (type === "x") extension = { ...extension, ...parsePax(text) };
      else if (type === "L") extension = { ...extension, path: untilNul(text) };
      else if (type === "K") extension = { ...extension, linkpath: untilNul(text) };
      continue;
    }
    const name = readText(block, 0, 100);
    const prefix = readText(block, 257, 6).startsWith("ustar") ? readText(block, 345, 155) : "";
    const kind = kindOf(type);
    const content = createContent(reader, kind === "file" ? size : 0);
    yield {
      path: extension.path ?? (prefix === "" ? name : `${prefix}/${name}`),
      kind,
      size: kind === "file" ? size : 0,
      executable: (readNumber(block, 100, 8) & 0o111) !== 0,
      target: extension.linkpath ?? readText(block, 157, 100),
      content: content.read,
    };
    await content.skip();
    if (kind !== "file") await readPadded(reader, size);
    extension = {};
    extensions = 0;
  }
}

/** A hard link is `other`: what it leads to is a file of this machine. */
function kindOf(type: string): TarHeader["kind"] {
  switch (type) {
    case "0":
    case "\0":
    case "7":
      return "file";
    case "5":
      return "folder";
    case "2":
      return "link";
    default:
      return "other";
  }
}

interface Reader {
  read(size: number, end?: "optional"): Promise<Buffer | undefined>;
  /** At least one byte, at most `size`. */
  readSome(size: number): Promise<Buffer>;
}

function createReader(stream: AsyncIterable<Uint8Array>): Reader {
  const source = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const { done, value } = await source.next();
    if (done === true) return false;
    rest = rest.length === 0 ? Buffer.from(value) : Buffer.concat([rest, value]);
    return true;
  };
  const take = (size: number): Buffer => {
    const taken = rest.subarray(0, size);
    rest = rest.subarray(size);
    return taken;
  };
  return {
    async read(size, end) {
      while (rest.length < size) {
        if (await more()) continue;
        if (rest.length === 0 && end === "optional") return undefined;
        throw broken("is cut off");
      }
      return take(size);
    },
    async readSome(size) {
      while (rest.length === 0) if (!(await more())) throw broken("is cut off");
      return take(size);
    },
  };
}

function createContent(reader: Reader, size: number) {
  let left = size;
  async function* read(): AsyncGenerator<Buffer, void, undefined> {
    while (left > 0) {
      const chunk = await reader.readSome(left);
      left -= chunk.length;
      yield chunk;
    }
  }
  return {
    read,
    /** What was not read, and the padding. */
    async skip(): Promise<void> {
      while (left > 0) left -= (await reader.readSome(left)).length;
      await reader.read((blockSize - (size % blockSize)) % blockSize);
    },
  };
}

async function readPadded(reader: Reader, size: number): Promise<Buffer> {
  const content = (await reader.read(size)) as Buffer;
  await reader.read((blockSize - (size % blockSize)) % blockSize);
  return content;
}

function readText(block: Buffer, offset: number, length: number): string {
  return untilNul(block.toString("utf8", offset, offset + length));
}

function untilNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** Octal text, or GNU's binary form for large values. */
function readNumber(block: Buffer, offset: number, length: number): number {
  if (((block[offset] ?? 0) & 0x80) !== 0) return Number(block.readBigUInt64BE(offset + length - 8));
  const text = readText(block, offset, length).trim();
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function checkSum(block: Buffer): void {
  const expected = readNumber(block, 148, 8);
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  if (sum !== expected) throw broken("is no tar archive");
}

/** Records of `LENGTH KEY=VALUE`, the length in bytes and counting itself. */
function parsePax(text: string): { path?: string; linkpath?: string; size?: string } {
  const bytes = Buffer.from(text);
  const found: Record<string, string> = {};
  for (let offset = 0; offset < bytes.length;) {
    const space = bytes.indexOf(0x20, offset);
    const length = Number(bytes.toString("latin1", offset, space));
    if (space < 0 || !Number.isInteger(length) || length <= space - offset || offset + length > bytes.length) {
      throw broken("has a broken extended header");
    }
    const record = bytes.toString("utf8", space + 1, offset + length - 1);
    const equals = record.indexOf("=");
    found[record.slice(0, equals)] = record.slice(equals + 1);
    offset += length;
  }
  const { path, linkpath, size } = found;
  return {
    ...(path === undefined ? {} : { path }),
    ...(linkpath === undefined ? {} : { linkpath }),
    ...(size === undefined ? {} : { size }),
  };
}

function broken(problem: string): WfctlError {
  return new WfctlError("PLUGIN_PACKAGE", `The archive ${problem}`);
}
