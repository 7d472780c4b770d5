import { serve } from "@wfctl/plugin-sdk";
import { digitalOceanProvider } from "./provider.ts";

void serve(digitalOceanProvider);
