import { serve } from "@wfctl/plugin-sdk";
import { awsProvider } from "./provider.ts";

void serve(awsProvider);
