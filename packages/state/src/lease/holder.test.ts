import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { deadHolder, remoteHolder } from "../testing/dead-process.ts";
import { isHolderAlive, readProcess, thisHolder } from "./holder.ts";

test("this process is alive, and says who it is", () => {
  const holder = thisHolder("wfctl apply");
  expect(isHolderAlive(holder)).toBe("alive");
  expect(holder).toMatchObject({ pid: process.pid, command: "wfctl apply" });
  expect([holder.bootId, holder.pidNamespace, holder.startTime, holder.user]).not.toContain("");
  expect(new Date(holder.since).toISOString()).toBe(holder.since);
});

test("a process that is gone is dead", async () => {
  expect(isHolderAlive(await deadHolder("wfctl apply"))).toBe("dead");
});

test("another process of the same number is not the holder", () => {
  expect(isHolderAlive({ ...thisHolder("wfctl apply"), startTime: "1" })).toBe("dead");
});

test("of another machine, boot or namespace nothing is known", () => {
  expect(isHolderAlive(remoteHolder("wfctl apply"))).toBe("unknown");
  expect(isHolderAlive({ ...thisHolder("x"), pidNamespace: "pid:[1]", pid: 999_999 })).toBe("unknown");
  expect(isHolderAlive({ ...thisHolder("x"), bootId: "", pid: 999_999 })).toBe("unknown");
  expect(isHolderAlive({ ...thisHolder("x"), startTime: "" })).toBe("unknown");
});

test.runIf(process.platform === "linux")("a zombie is dead", async () => {
  // The shell starts a child that ends with its input, and becomes a program that never waits for it.
  const script = "exec 3<&0; cat <&3 >&2 & echo $!; exec sleep 60";
  const parent = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
  try {
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    const nameOf = () => readFileSync(`/proc/${parent.pid}/comm`, "utf8").trim();
    await expect.poll(nameOf, { interval: 5 }).toBe("sleep");
    parent.stdin.end();
    await expect.poll(() => readProcess(pid)?.zombie, { interval: 5 }).toBe(true);
    const { startTime } = readProcess(pid)!;
    expect(isHolderAlive({ ...thisHolder("x"), pid, startTime })).toBe("dead");
  } finally {
    parent.kill("SIGKILL");
  }
});
