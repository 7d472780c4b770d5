import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const textFrame = 0x81;
const closeFrame = 0x88;

/** Sends texts over a WebSocket, one message each, and closes it. What the client sends is not read. */
export async function sendMessages(
  request: IncomingMessage,
  socket: Duplex,
  messages: AsyncIterable<string>,
): Promise<void> {
  const key = request.headers["sec-websocket-key"];
  if (key === undefined) {
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    return;
  }
  const accept = createHash("sha1").update(`${key}${magic}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on("error", () => socket.destroy());
  for await (const message of messages) {
    if (socket.destroyed) return;
    socket.write(frame(textFrame, Buffer.from(message)));
  }
  // 1000: all is well.
  socket.end(frame(closeFrame, Buffer.from([0x03, 0xe8])));
}

function frame(kind: number, body: Buffer): Buffer {
  const length =
    body.length < 126 ? Buffer.from([body.length]) : Buffer.from([126, body.length >> 8, body.length & 255]);
  return Buffer.concat([Buffer.from([kind]), length, body]);
}
