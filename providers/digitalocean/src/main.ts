import { serve } from "@wfctl/plugin-sdk";
import { digitalOceanProvider } from "./provider.ts";
import { keepHeapSmall } from "./small-heap.ts";

keepHeapSmall();
void serve(digitalOceanProvider);
