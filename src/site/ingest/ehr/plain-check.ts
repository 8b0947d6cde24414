// Whether JSON is as its zod schema says, told from the schema's own definition without copying anything. It answers yes only where zod
// would; to whatever else, no: zod then says what is wrong. Millions of resources pass here, and few of them need more.
import type { z } from 'zod';

export type PlainCheck = (value: unknown) => boolean;

type Definition = z.core.$ZodTypes['_zod']['def'];

/** @param schema of objects, arrays, texts, numbers, booleans, words and unknowns; another part of it is never plain */
export function createPlainCheck(schema: z.core.$ZodType): PlainCheck {
  const definition = schema._zod.def as Definition;
  const isLimited = definition.type === 'string' || definition.type === 'array';
  if (!isLimited && (definition.checks ?? []).length > 0) return never;
  switch (definition.type) {
    case 'object':
      return definition.catchall === undefined ? objectCheck(definition.shape) : never;
    case 'optional': {
      const inner = createPlainCheck(definition.innerType);
      return (value) => value === undefined || inner(value);
    }
    case 'array': {
      const most = longest(schema);
      const element = createPlainCheck(definition.element);
      return (value) => Array.isArray(value) && value.length <= most && value.every(element);
    }
    case 'string': {
      const most = longest(schema);
      return (value) => typeof value === 'string' && value.length <= most;
    }
    case 'literal':
      return (value) => definition.values.includes(value as z.core.util.Literal);
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'number':
      return 'check' in definition ? never : Number.isFinite;
    case 'unknown':
      return () => true;
    default:
      return never;
  }
}

const never: PlainCheck = () => false;

/** Looks at the members that are there: of most elements of a schema a resource has none. */
function objectCheck(shape: z.core.$ZodShape): PlainCheck {
  const checks = new Map(Object.entries(shape).map(([name, schema]) => [name, createPlainCheck(schema)]));
  const required = Object.keys(shape).filter((name) => shape[name]?._zod.optin !== 'optional');
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const members = value as Readonly<Record<string, unknown>>;
    for (const name of required) if (!Object.hasOwn(members, name)) return false;
    for (const name in members) {
      const check = checks.get(name);
      if (check !== undefined && !check(members[name])) return false;
    }
    return true;
  };
}

/** The schema's limit; where it has another check or none, nothing is short enough. */
function longest(schema: z.core.$ZodType): number {
  const checks = schema._zod.def.checks ?? [];
  const [only] = checks;
  const definition = only?._zod.def as { readonly check: string; readonly maximum?: number } | undefined;
  return checks.length === 1 && definition?.check === 'max_length' ? (definition.maximum ?? -1) : -1;
}
