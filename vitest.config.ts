import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    setupFiles: ["tools/test-setup.ts"],
    include: [
      "packages/*/src/**/*.test.ts",
      "providers/*/{src,test}/**/*.test.ts",
      "apps/*/{src,test}/**/*.test.ts",
      "emulators/*/src/**/*.test.ts",
      "bench/**/*.test.ts",
      "test/**/*.test.ts",
      "tools/**/*.test.ts",
    ],
    // Bounds for what hangs, not for what is slow: many times what a test needs on a machine with nothing else to do.
    testTimeout: 180_000,
    // The first of them installs moto.
    hookTimeout: 600_000,
    maxWorkers: 2,
    // What is waited for comes late on a machine with other load.
    expect: { poll: { timeout: 60_000 } },
    coverage: {
      provider: "v8",
      include: ["{packages,providers,apps}/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/gen/**", "**/testing/**", "**/testdata/**", "**/test-*.ts", "**/arbitraries.ts"],
      reporter: ["json-summary"],
      reportOnFailure: true,
    },
  },
});
