import { serve } from "@wfctl/plugin-sdk";
import { localProvider } from "./provider.ts";

void serve(localProvider);
