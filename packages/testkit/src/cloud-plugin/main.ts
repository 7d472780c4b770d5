/** Entry of the test plugins: the launcher gives the name of its folder. */
const name = process.argv[2] ?? "";
const finalizer = name.endsWith("-finalizer");

if (name.startsWith("upstreamlike")) {
  const { serveUpstreamLike } = await import("./upstream/serve-upstream.ts");
  serveUpstreamLike({ name, finalizer });
} else {
  const [{ serve }, { createCloudProvider }] = await Promise.all([
    import("@wfctl/plugin-sdk"),
    import("./cloud-provider.ts"),
  ]);
  await serve(createCloudProvider({ name, finalizer }));
}
