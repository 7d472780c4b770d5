import { z } from "@wfctl/plugin-sdk";
import { expandHome } from "../client.ts";
import type { ServiceSpec } from "../services/service-file.ts";
import { ignoredKeys, withoutIgnored } from "./ignored-keys.ts";

const port = z.number().int().min(0).max(65_535);
const seconds = z.number().min(0).max(3600);
const variables = z
  .record(
    z.string().regex(/^[^=\0]+$/, { error: "expected a variable's name" }),
    z.union([z.string(), z.number(), z.boolean()]).transform(String),
  )
  .default({});

const healthCheck = z.strictObject({
  http_path: z.string().startsWith("/").optional().describe("Healthy when it answers with 200 to 399"),
  tcp_port: port.min(1).optional().describe("Healthy when it accepts a connection"),
  port: port.min(1).optional(),
  initial_delay_seconds: seconds.default(0),
  period_seconds: seconds.min(0.1).default(10),
  timeout_seconds: seconds.min(0.1).default(1),
  success_threshold: z.number().int().min(1).default(1),
  failure_threshold: z.number().int().min(1).default(3),
});

/** What clouds know of a container service and a process has no use for. */
const ignored = ignoredKeys([
  "alerts",
  "autoscaling",
  "build_command",
  "cors",
  "dockerfile_path",
  "domains",
  "egress",
  "ingress",
  "internal_ports",
  "jobs",
  "liveness_check",
  "log_destinations",
  "maintenance",
  "protocol",
  "provider_specific",
  "routes",
  "sidecars",
  "source_dir",
  "static_sites",
  "vpc_ref",
  "workers",
]);
const dropped = [...ignored.names, "image", "port"] as const;

/** Without a port, or with port 0, a free one is chosen at create and kept. */
export const serviceInput = z
  .strictObject({
    run_command: z.string().min(1).optional().describe("Run by /bin/sh"),
    command: z
      .union([
        z
          .string()
          .min(1)
          .transform((text) => [text]),
        z.array(z.string()).min(1),
      ])
      .optional()
      .describe("Program and arguments, run without a shell"),
    args: z.array(z.string()).optional().describe("Further arguments"),
    image: z.unknown().optional().describe("Refused alone; without effect beside run_command or command"),
    env_vars: variables,
    env_vars_secret: variables,
    http_port: port.optional().describe("Port on 127.0.0.1, given to the command as PORT"),
    port: port.optional().describe("The same as http_port"),
    working_dir: z
      .string()
      .regex(/^(?:\/|~\/)/, { error: 'expected an absolute path or one that starts with "~/"' })
      .transform(expandHome)
      .optional(),
    health_check: healthCheck.optional(),
    instance_count: z.number().int().min(1).max(50).default(1),
    restart: z.enum(["always", "on_failure", "never"]).default("always"),
    running: z.boolean().default(true).describe("False keeps everything but the processes"),
    nice: z.number().int().min(0).max(19).default(0),
    log: z
      .strictObject({
        max_bytes: z
          .number()
          .int()
          .min(1024)
          .default(10 * 1024 * 1024),
        keep: z.number().int().min(0).max(100).default(3),
      })
      .prefault({}),
    termination: z
      .strictObject({
        drain_seconds: seconds.default(0),
        grace_period_seconds: seconds.default(10),
      })
      .prefault({}),
    ...ignored.shape,
  })
  .superRefine((value, check) => {
    const report = (path: string, message: string): void =>
      check.addIssue({ code: "custom", path: [path], message, input: undefined });
    if (value.run_command === undefined && value.command === undefined) {
      if (value.image === undefined || value.image === null)
        report("run_command", "run_command or command is required");
      else report("image", "the local provider runs commands, not images; set run_command or command");
    }
    if (value.run_command !== undefined && value.command !== undefined) {
      report("command", "command and run_command exclude each other");
    }
    if (value.port !== undefined && value.http_port !== undefined && value.port !== value.http_port) {
      report("port", "port and http_port mean the same here and differ");
    }
  })
  .transform((value): ServiceSpec => {
    const { http_port: httpPort, ...spec } = withoutIgnored(dropped)(value);
    const wanted = httpPort ?? value.port ?? 0;
    return wanted === 0 ? spec : { ...spec, http_port: wanted };
  });
