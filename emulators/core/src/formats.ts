const number = (): boolean => true;

/** Formats that descriptions of clouds use and ajv does not bring. A format without a rule accepts everything. */
export const formats: Readonly<
  Record<string, true | RegExp | { type: "number"; validate: (value: number) => boolean }>
> = {
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i,
  date: /^\d{4}-\d\d-\d\d$/,
  ipv4: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/,
  cidr: /^[\da-f.:]+\/\d{1,3}$/i,
  email: /^[^@\s]+@[^@\s]+$/,
  uri: /^[a-z][a-z\d+.-]*:/i,
  hostname: /^[a-z\d.-]+$/i,
  int32: { type: "number", validate: (value) => Number.isInteger(value) && Math.abs(value) <= 2 ** 31 },
  int64: { type: "number", validate: Number.isInteger },
  uint32: { type: "number", validate: (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32 },
  uint64: { type: "number", validate: (value) => Number.isInteger(value) && value >= 0 },
  float: { type: "number", validate: number },
  double: { type: "number", validate: number },
  ipv6: true,
  byte: true,
  binary: true,
  password: true,
  string: true,
  url: true,
};
