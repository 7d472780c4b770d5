import { serve } from "@wfctl/plugin-sdk";
import { digitalOceanProvider } from "./provider.ts";

await serve(digitalOceanProvider);
