import { gzipSync } from "node:zlib";

export interface TestEntry {
  readonly path: string;
  readonly content?: string;
  /** @default "0", a file */
  readonly type?: string;
  readonly mode?: number;
  readonly target?: string;
  /** In place of the content's. */
  readonly size?: number;
}

/** A `.tar.gz` of exactly these entries, whatever they are. */
export function makeTarGz(entries: readonly TestEntry[], options: { end?: boolean } = {}): Buffer {
  const blocks = entries.flatMap(makeEntry);
  return gzipSync(Buffer.concat([...blocks, ...(options.end === false ? [] : [Buffer.alloc(1024)])]));
}

/** A pax header in front of an entry. */
export function paxHeader(records: Readonly<Record<string, string>>): TestEntry {
  const lines = Object.entries(records).map(([key, value]) => {
    const body = ` ${key}=${value}\n`;
    let length = body.length;
    while (String(length).length + body.length !== length) length = String(length).length + body.length;
    return `${length}${body}`;
  });
  return { path: "pax", type: "x", content: lines.join("") };
}

function makeEntry({ path, content = "", type = "0", mode = 0o644, target = "", size }: TestEntry): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
  header.write(`${(size ?? Buffer.byteLength(content)).toString(8).padStart(11, "0")}\0`, 124);
  header.write(type, 156);
  header.write(target, 157, 100);
  header.write("ustar\u000000", 257);
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.from(content);
  return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}
