import { describe, expect, test } from "vitest";
import { lineOf, loadGood, loadText } from "../testing/load-text.ts";

const service = `description: A service with its database
inputs:
  image: {type: string}
  size: {enum: [s, l], default: s}
  net: {}
  tags: {type: map, default: {}}
modules:
- name: db
  type: infra.database
  config: {size: "\${var.size}", net: "\${var.net}", url: "n/\${var.net}", tags: "\${var.tags}"}
  environments: {prod: {config: {name: main-db}}}
- name: api
  type: infra.container_service
  dependsOn: [db]
  config:
    image: "r/\${var.image}"
    depends_on: [db]
    dsn: "pg://\${db.host}/\${var.size}"
    port: "\${{ db.port + size(var.net) }}"
outputs:
  host: "\${db.host}"
  size: "\${var.size}"
  label: {value: "\${db.host} in \${var.net}"}
`;
const main = `name: shop
environments: {dev: {}, prod: {}}
variables: {tag: "7"}
components:
  web: {source: parts/service.yaml, inputs: {image: "api:\${var.tag}", net: "\${net.id}", tags: {owner: "\${net.owner}"}}}
  jobs:
    source: parts/service.yaml
    inputs: {image: jobs, size: l, net: fixed}
modules:
- {name: p, type: iac.provider, config: {provider: fake}}
- {name: net, type: infra.vpc}
- name: dns
  type: infra.dns
  config:
    depends_on: [web]
    target: "\${web.host}"
    label: "<\${web.label}>"
    size: "\${web.size}"
    inner: "\${web.api.url}"
    up: "\${{ web.host.upperAscii() }}"
outputs: {jobs: "\${jobs.host}"}
`;
const files = { "infra.yaml": main, "parts/service.yaml": service };

async function problems(texts: Record<string, string>): Promise<string[]> {
  const { diagnostics } = await loadText(texts, { variables: { required: true } });
  return diagnostics.map(lineOf);
}

describe("components", () => {
  test("are resources with nested addresses; names inside are their own, inputs are those of the use", async () => {
    const stack = await loadGood(files, { environment: "dev" });
    const byName = new Map(stack.resources.map((resource) => [resource.name, resource]));
    expect([...byName.keys()]).toEqual(["net", "dns", "web.db", "web.api", "jobs.db", "jobs.api"]);
    const net = { resource: "net", path: "id" };
    expect(byName.get("web.db")?.config).toEqual({
      size: "s",
      net: { $expr: [net] },
      url: { $expr: ["n/", net] },
      tags: { owner: { $expr: [{ resource: "net", path: "owner" }] } },
    });
    expect(byName.get("jobs.db")?.config).toMatchObject({ size: "l", net: "fixed", url: "n/fixed" });
    expect(byName.get("web.api")).toMatchObject({
      dependsOn: ["web.db"],
      config: {
        image: "r/api:7",
        dsn: { $expr: ["pg://", { resource: "web.db", path: "host" }, "/s"] },
        port: {
          $expr: [
            {
              computed: " db.port + size(var.net) ",
              refs: [
                { resource: "web.db", path: "port", as: "db", key: "port" },
                { resource: "net", path: "id", as: "var.net" },
              ],
            },
          ],
        },
      },
    });
    expect(byName.get("jobs.api")?.config["port"]).toMatchObject({ $expr: [{ variables: { net: "fixed" } }] });
  });

  test("give outputs to the stack, and their resources by address", async () => {
    const stack = await loadGood(files, { environment: "dev" });
    const dns = stack.resources.find((resource) => resource.name === "dns");
    const host = { resource: "web.db", path: "host" };
    expect(dns).toMatchObject({
      size: "s",
      dependsOn: ["web.db", "web.api"],
      config: {
        target: { $expr: [host] },
        label: { $expr: ["<", host, " in ", { resource: "net", path: "id" }, ">"] },
        inner: { $expr: [{ resource: "web.api", path: "url" }] },
        up: { $expr: [{ refs: [{ ...host, as: "web", key: "host" }] }] },
      },
    });
    expect(stack.outputs?.["jobs"]?.value).toEqual({ $expr: [{ resource: "jobs.db", path: "host" }] });
    expect(stack.files.map((file) => file.split("/").at(-1))).toEqual(["infra.yaml", "service.yaml"]);
  });

  test("follow environments, and are renamed inside of their address", async () => {
    const stack = await loadGood(files, { environment: "prod" });
    expect(stack.resources.map(({ name }) => name)).toContain("web.main-db");
    const api = stack.resources.find((resource) => resource.name === "web.api");
    expect(api?.config["dsn"]).toEqual({ $expr: ["pg://", { resource: "web.main-db", path: "host" }, "/s"] });
    expect(api?.dependsOn).toEqual(["web.main-db"]);
  });

  test("hold components, with addresses that nest", async () => {
    const stack = await loadGood(
      {
        "infra.yaml": `components: {shop: {source: outer.yaml, inputs: {n: 3}}}\nmodules:\n- {name: p, type: iac.provider, config: {provider: fake}}\noutputs: {deep: "\${shop.url}"}\n`,
        "outer.yaml": `inputs: {n: {}}\ncomponents: {cache: {source: inner.yaml, inputs: {m: "\${var.n}", peer: "\${x.id}"}}}\nmodules:\n- {name: x, type: infra.x, config: {c: "\${cache.id}", d: "\${cache.redis.port}"}}\noutputs: {url: "redis://\${cache.id}"}\n`,
        "inner.yaml": `inputs: {m: {}, peer: {}}\nmodules:\n- {name: redis, type: infra.cache, config: {m: "\${var.m}"}}\noutputs: {id: "\${redis.id}"}\n`,
      },
      { environment: "default" },
    );
    expect(stack.resources.map(({ name, config }) => [name, config])).toEqual([
      [
        "shop.x",
        {
          c: { $expr: [{ resource: "shop.cache.redis", path: "id" }] },
          d: { $expr: [{ resource: "shop.cache.redis", path: "port" }] },
        },
      ],
      ["shop.cache.redis", { m: 3 }],
    ]);
    expect(stack.outputs?.["deep"]?.value).toEqual({
      $expr: ["redis://", { resource: "shop.cache.redis", path: "id" }],
    });
  });
});

describe("what is wrong with components", () => {
  const tail = "modules:\n- {name: p, type: iac.provider, config: {provider: fake}}\n- {name: net, type: infra.vpc}\n";
  const one = (use: string, component = service): Record<string, string> => ({
    "infra.yaml": `environments: {}\ncomponents: {web: ${use}}\n${tail}`,
    "c.yaml": component.replaceAll(/\n {2}environments:.*/g, ""),
  });

  test.each<[string, Record<string, string>, string]>([
    ["no file", one("{source: nowhere.yaml}"), 'The file "nowhere.yaml" of the component does not exist'],
    ["no source", one("{inputs: {}}"), 'The component "web" does not say what it is made of'],
    ["a missing input", one("{source: c.yaml, inputs: {net: a}}"), 'The component "web" needs the input "image"'],
    [
      "an unknown input",
      one("{source: c.yaml, inputs: {net: a, image: b, szie: s}}"),
      'The component "web" has no input "szie" (Did you mean "size"?)',
    ],
    [
      "a wrong input",
      one("{source: c.yaml, inputs: {net: a, image: b, size: m}}"),
      'The input "size" of the component "web" is "m", expected one of "s", "l"',
    ],
    ["an unknown key", one("{source: c.yaml, input: {}}"), 'Did you mean "inputs"?'],
    [
      "an unknown key inside",
      one("{source: c.yaml}", "moduls: []\n"),
      'The key "moduls" is not known in a component (Did you mean "modules"?)',
    ],
    [
      "a resource of the stack",
      one("{source: c.yaml}", 'modules:\n- {name: a, type: infra.x, config: {n: "${net.id}"}}\n'),
      'c.yaml:2:40 web.a#/config/n: "${web.net.id}" refers to "web.net"',
    ],
    [
      "an undeclared input inside",
      one("{source: c.yaml}", 'modules:\n- {name: a, type: infra.x, config: {n: "${var.nope}"}}\n'),
      'The variable "nope" is not declared',
    ],
    [
      "a circle of files",
      one("{source: c.yaml}", "components: {again: {source: c.yaml}}\nmodules: []\n"),
      "The components form a circle: ",
    ],
    [
      "a circle of values",
      {
        "infra.yaml": `components: {web: {source: c.yaml, inputs: {a: "\${web.o}"}}}\n${tail}- {name: x, type: infra.x, config: {v: "\${web.o}"}}\n`,
        "c.yaml": 'inputs: {a: {}}\nmodules: []\noutputs: {o: "x${var.a}"}\n',
      },
      'The output "o" of the component "web" needs itself',
    ],
    [
      "a provider inside",
      one("{source: c.yaml}", "modules:\n- {name: q, type: iac.provider, config: {provider: fake}}\n"),
      'c.yaml:2:19 q#/type: The component "web" holds "q" of type "iac.provider", expected resources',
    ],
    [
      "a depth without an end that is no circle",
      Object.fromEntries([
        ["infra.yaml", `components: {c: {source: c0.yaml}}\n${tail}`],
        ...Array.from({ length: 25 }, (_, index) => [
          `c${index}.yaml`,
          `components: {c: {source: c${index + 1}.yaml}}\nmodules: []\n`,
        ]),
      ]) as Record<string, string>,
      "is nested too deeply, at most 20 levels are read",
    ],
    [
      "a few files that stand for millions of components",
      Object.fromEntries([
        ["infra.yaml", `components: {c: {source: c0.yaml}}\n${tail}`],
        ...Array.from({ length: 18 }, (_, index) => [
          `c${index}.yaml`,
          index === 17
            ? "modules: []\n"
            : `components: {a: {source: c${index + 1}.yaml}, b: {source: c${index + 1}.yaml}}\nmodules: []\n`,
        ]),
      ]) as Record<string, string>,
      "The stack has more than 50000 components",
    ],
    [
      "a name with a dot",
      { "infra.yaml": `components: {a.b: {source: c.yaml}}\n${tail}` },
      'The component name "a.b" cannot be used',
    ],
  ])("%s", async (_, texts, expected) => {
    expect((await problems(texts)).join("\n")).toContain(expected);
  });
});
