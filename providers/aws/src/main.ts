import { serve } from "@wfctl/plugin-sdk";
import { awsProvider } from "./provider.ts";
import { keepHeapSmall } from "./small-heap.ts";

keepHeapSmall();
void serve(awsProvider);
