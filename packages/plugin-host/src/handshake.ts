import { isAbsolute } from "node:path";

/** Where a plugin listens. */
export type PluginAddress =
  | { readonly network: "unix"; readonly path: string }
  | { readonly network: "tcp"; readonly host: string; readonly port: number };

/** A handshake line read, or what is wrong with it: one sentence, to follow "Plugin X". */
export type HandshakeResult = { readonly address: PluginAddress } | { readonly problem: string };

const shown = 120;

/** Quotes untrusted text for a message: shortened, control characters escaped. */
export function quoteShort(text: string): string {
  return JSON.stringify(text.length > shown ? `${text.slice(0, shown)}...` : text);
}

/**
 * Reads the first line of a plugin's output: `core|app|network|address[|protocol[|certificate[|multiplexing]]]`.
 * The last two fields are not looked at: no host of this contract asks for what they answer.
 */
export function parseHandshake(line: string): HandshakeResult {
  const text = line.replace(/\r$/, "");
  if (text.trim() === "") return { problem: "printed an empty first line where the handshake must be" };
  const fields = text.split("|").map((field) => field.trim());
  const [core = "", app = "", network = "", address = "", protocol = ""] = fields;
  if (fields.length < 4) {
    return { problem: `printed ${quoteShort(text)} where the handshake must be: core|app|network|address|protocol` };
  }
  if (core !== "1") return { problem: `speaks core protocol ${quoteShort(core)} of go-plugin and must speak 1` };
  if (app !== "1")
    return { problem: `speaks protocol version ${quoteShort(app)} of the provider contract and must speak 1` };
  if (protocol !== "" && protocol !== "grpc") {
    return { problem: `serves protocol ${quoteShort(protocol)} and must serve "grpc"` };
  }
  if (network === "unix") {
    if (isAbsolute(address)) return { address: { network, path: address } };
    return { problem: `listens at ${quoteShort(address)}, which is no absolute socket path` };
  }
  if (network === "tcp") {
    const match = /^(.+):(\d{1,5})$/.exec(address);
    const port = Number(match?.[2]);
    if (match?.[1] !== undefined && port > 0 && port < 65_536) return { address: { network, host: match[1], port } };
    return { problem: `listens at ${quoteShort(address)}, which is no host:port` };
  }
  return { problem: `listens on network ${quoteShort(network)} and must listen on "unix" or "tcp"` };
}
