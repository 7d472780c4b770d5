import { note, serveFixture } from "../../lib/serve.ts";

serveFixture({
  required: {
    initialize() {
      note("Initialize");
    },
  },
});
