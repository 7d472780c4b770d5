import { serve } from "@wfctl/plugin-sdk";
import { localProvider } from "./provider.ts";

await serve(localProvider);
