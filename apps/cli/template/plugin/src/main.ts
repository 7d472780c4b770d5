import { serve } from "@wfctl/plugin-sdk";
import { provider } from "./provider.ts";

await serve(provider);
