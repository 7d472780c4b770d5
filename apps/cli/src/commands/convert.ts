import { convertStack } from "@wfctl/config";
import { WfctlError } from "@wfctl/model";
import { convertSpec, parseConvert, type ConvertArguments } from "../arguments/convert.ts";
import type { Context } from "../context.ts";
import { writeText } from "../session/write-text.ts";
import type { Command } from "./command.ts";

export const convertCommand: Command = {
  spec: convertSpec,
  run: (argv, context) => runConvert(parseConvert(argv), context),
};

async function runConvert(args: ConvertArguments, context: Context): Promise<number> {
  const { text, path, diagnostics } = await convertStack({
    cwd: context.cwd,
    ...(args.config === undefined ? {} : { path: args.config }),
    ...(args.environment === undefined ? {} : { environment: args.environment }),
  });
  if (text === undefined) {
    const what = path === "" ? "the stack" : `"${path}"`;
    throw new WfctlError(diagnostics[0]?.code ?? "CONFIG_INVALID", `Cannot convert ${what}: it has errors`, {
      diagnostics,
    });
  }
  writeText(args.output, text, context);
  return 0;
}
