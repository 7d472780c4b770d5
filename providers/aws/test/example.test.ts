import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeAddressesCommand,
  DescribeNatGatewaysCommand,
  DescribeVpcsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { iac, unaryCall } from "@wfctl/contract";
import { describe, expect, onTestFinished, test } from "vitest";
import { isMotoMissing, useAws } from "./testing/harness.ts";

const repository = join(import.meta.dirname, "../../..");
const example = join(repository, "examples/aws-web");
const limitMs = 150_000;

describe.skipIf(isMotoMissing)("the example aws-web", () => {
  const cloud = useAws();
  const region = "eu-central-1";

  /** The command line in a folder of its own with the example. */
  function open(file: string) {
    const folder = mkdtempSync(join(tmpdir(), "aws-web-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    copyFileSync(join(example, file), join(folder, file.split("/").at(-1) ?? file));
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(?:AWS_|WFCTL_|CI$|FORCE_COLOR$|NODE_OPTIONS$)/.test(name),
    );
    const env = {
      ...Object.fromEntries(inherited),
      XDG_CONFIG_HOME: join(folder, "config"),
      XDG_CACHE_HOME: join(folder, "cache"),
      WFCTL_PLUGIN_DIR: join(repository, "providers"),
      NODE_COMPILE_CACHE: join(repository, "node_modules/.cache/wfctl-node"),
      AWS_ENDPOINT_URL: cloud.proxy.url,
      AWS_ACCESS_KEY_ID: cloud.config["access_key_id"] as string,
      AWS_SECRET_ACCESS_KEY: cloud.config["secret_access_key"] as string,
      AWS_EC2_METADATA_DISABLED: "true",
      DOMAIN: "shop.example.com",
    };
    return async (...args: string[]): Promise<{ code: number | null; said: string }> => {
      const main = join(repository, "apps/cli/src/main.ts");
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
        cwd: folder,
        env,
      });
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
      const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
      clearTimeout(timer);
      return { code, said };
    };
  }

  /** What is there that carries a mark, and what a VPC's parts leave. */
  async function left(): Promise<string[]> {
    const plugin = await cloud.start({ region });
    const { response } = await unaryCall(plugin.client, iac.IaCProviderOwnership.method.listOwners, {});
    const objects = response.resources.map(({ ref }) => `${ref?.type} ${ref?.name}`);
    await plugin.kill();
    const ec2 = new EC2Client({ ...cloud.sdk, region });
    const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
    const { NatGateways = [] } = await ec2.send(new DescribeNatGatewaysCommand({}));
    const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({}));
    return [
      ...objects,
      ...Addresses.map(({ PublicIp }) => `address ${PublicIp}`),
      ...NatGateways.filter(({ State }) => State !== "deleted").map(
        ({ NatGatewayId }) => `NAT gateway ${NatGatewayId}`,
      ),
      ...Vpcs.filter(({ IsDefault }) => IsDefault !== true).map(({ VpcId }) => `VPC ${VpcId}`),
    ].toSorted();
  }

  test.each(["infra.yaml", "program/infra.ts"])(
    "%s is applied whole, is quiet then, and goes whole",
    async (file) => {
      const run = open(file);
      const applied = await run("apply", "-y");
      expect(applied, applied.said).toMatchObject({ code: 0 });
      expect(applied.said).toContain("13 created");
      expect((await left()).length).toBeGreaterThan(13);
      const again = await run("plan", "--refresh", "--detailed-exitcode");
      expect(again, again.said).toMatchObject({ code: 0 });
      const destroyed = await run("destroy", "-y");
      expect(destroyed, destroyed.said).toMatchObject({ code: 0 });
      expect(await left()).toEqual([]);
    },
    2 * limitMs,
  );

  test(
    "a failure near its end undoes all of it",
    async () => {
      const run = open("infra.yaml");
      const message = "planted";
      cloud.proxy.fail({
        operation: "ecs.CreateService",
        times: 99,
        fault: { error: "InvalidParameterException", message },
      });
      const failed = await run("apply", "-y");
      expect(failed.code, failed.said).not.toBe(0);
      expect(failed.said).toContain("planted");
      expect(await left()).toEqual([]);
    },
    2 * limitMs,
  );
});
