import fc from "fast-check";
import { expect, test } from "vitest";
import { derivedSecretName } from "./secret-name.ts";

const r = (count: number): string => "r".repeat(count);
const o = (count: number): string => "o".repeat(count);

test.each([
  ["db", "password", "db__password_561B7493C4D00A37EE242DE0D2557DD0"],
  ["9db", "host-name", "_9db__host_name_411DBE2EA10503DB3B1D796A2594B2A0"],
  ["github", "token", "WF_github__token_CAB70C5DB4C91996447115AC803260DD"],
  ["", "x", "SECRET__x_3C7E9BC930DC93F01FA69985EF242D9F"],
  ["dé😀", "k", "d____k_3EDBC12585EAC70A3D349AC65750BCD9"],
  [r(80), o(80), `${r(32)}__${o(33)}_3A1DF232A31C6D386FF16C4BCD3AEAF0`],
  [r(80), "uri", `${r(62)}__uri_42EBC38E84487DA8F58B2629AC620FD8`],
  ["db", o(90), `db__${o(63)}_2641ADCFAAAEE815319FA8884101734F`],
  [`GitHub_${r(50)}`, o(60), `WF_GitHub_${r(24)}__${o(31)}_CD4225AF2653540589F4DC182B83C1A2`],
])("the name of %j, %j is the one that upstream derives", (resource, output, name) => {
  expect(derivedSecretName(resource, output)).toBe(name);
});

test("every name is safe, short enough, and its own", () => {
  const part = fc.string({ unit: "binary", maxLength: 120 });
  fc.assert(
    fc.property(part, part, (resource, output) => {
      const name = derivedSecretName(resource, output);
      expect(name).toMatch(/^(?!GITHUB_)[A-Za-z_]\w*$/i);
      expect(name.length).toBeLessThanOrEqual(100);
    }),
  );
  expect(derivedSecretName("a_b", "c")).not.toBe(derivedSecretName("a", "b_c"));
  expect(derivedSecretName("a-b", "c")).not.toBe(derivedSecretName("a_b", "c"));
});
