// A service for tests: answers with what it was told, can be made to misbehave.
import { createServer } from "node:http";
import { spawn } from "node:child_process";

const { PORT, GREETING = "hello", FAIL = "", HELPER = "", INSTANCE } = process.env;
if (FAIL === "exit") process.exit(3);
if (FAIL === "stubborn") process.on("SIGTERM", () => {});
if (HELPER === "daemon") {
  // A grandchild that leaves its group and its parent.
  spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "daemon-of-test"], { detached: true, stdio: "ignore" }).unref();
}
createServer((request, response) => {
  if (request.url === "/die") process.exit(7);
  if (request.url === "/env") {
    response.end(JSON.stringify(process.env));
    return;
  }
  response.statusCode = FAIL === "unhealthy" ? 500 : 200;
  response.end(`${GREETING} from ${process.pid} ${INSTANCE}`);
}).listen(Number(PORT), "127.0.0.1", () => console.log(`listening on ${PORT}`));
