import { serve } from "@wfctl/plugin-sdk";
import { createCloudProvider } from "@wfctl/testkit/cloud-provider";

void serve(createCloudProvider({ name: "cloud", finalizer: false }));
