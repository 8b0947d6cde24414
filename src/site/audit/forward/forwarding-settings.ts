// Where the audit log is forwarded to, and how far the receiver has acknowledged it: two rows of the store's settings.
import { z } from 'zod';
import type { Store } from '#site/store/index.ts';
import { ForwardingError } from './forwarding-error.ts';

const pem = (label: string) => z.string().max(100_000).includes(`-----BEGIN ${label}-----`);

const security = {
  /** Authority that signed the receiver's certificate; null: the public ones. */
  authority: pem('CERTIFICATE').nullable(),
  /** Own certificate and key, for receivers that ask for them (ATNA node authentication). */
  certificate: pem('CERTIFICATE').nullable(),
  key: z.string().max(100_000).includes('PRIVATE KEY-----').nullable(),
};

const settingsSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('fhir'),
      /** Base of a FHIR R4 server, https, without a name or password: it stands in the log. */
      url: z
        .url({ protocol: /^https$/ })
        .max(2_000)
        .regex(/^[^@]+$/),
      /** Sent as bearer; null: none. */
      token: z
        .string()
        .regex(/^[\x21-\x7e]{1,10000}$/)
        .nullable(),
      ...security,
    }),
    z.strictObject({
      kind: z.literal('syslog'),
      host: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/),
      port: z.int().min(1).max(65_535),
      ...security,
    }),
  ])
  .refine(({ certificate, key }) => (certificate === null) === (key === null), { path: ['key'] });
export type ForwardingSettings = Readonly<z.infer<typeof settingsSchema>>;

const positionSchema = z.strictObject({
  /** Entries that the receiver has acknowledged: all below this seq. */
  acknowledged: z.int().min(0),
  /** Why the last try failed; null where it did not. */
  lastCode: z.string().nullable(),
});
export type ForwardingPosition = Readonly<z.infer<typeof positionSchema>>;

const SETTINGS = 'audit-forwarding';
const POSITION = 'audit-forwarding-position';

/** @throws ForwardingError BAD_FORWARDING_SETTINGS, which names the setting and never its value. */
export function parseForwardingSettings(value: unknown): ForwardingSettings {
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const setting = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new ForwardingError(
    'BAD_FORWARDING_SETTINGS',
    'A setting of the forwarding is missing or not usable.',
    {
      details: { setting },
    },
  );
}

export function loadForwardingSettings(store: Store): ForwardingSettings | undefined {
  const value = load(store, SETTINGS);
  return value === undefined ? undefined : parseForwardingSettings(value);
}

/** Null ends the forwarding. Called in the caller's transaction. */
export function saveForwardingSettings(store: Store, settings: ForwardingSettings | null): void {
  save(store, SETTINGS, settings);
  if (settings === null) save(store, POSITION, null);
}

export function loadPosition(store: Store): ForwardingPosition {
  const value = load(store, POSITION);
  return value === undefined ? { acknowledged: 0, lastCode: null } : positionSchema.parse(value);
}

/** Called in the caller's transaction. */
export function savePosition(store: Store, position: ForwardingPosition): void {
  save(store, POSITION, position);
}

/** Who receives: a change of certificates or token is none of the receiver. */
export function isSameReceiver(left: ForwardingSettings, right: ForwardingSettings): boolean {
  return receiverOf(left) === receiverOf(right);
}

/** For people and for the log. */
export function receiverOf(settings: ForwardingSettings): string {
  return settings.kind === 'fhir' ? settings.url : `${settings.host}:${settings.port}`;
}

function load(store: Store, name: string): unknown {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', name));
  return row === undefined ? undefined : JSON.parse(row.value);
}

function save(store: Store, name: string, content: unknown): void {
  if (content === null) {
    store.run(store.query.deleteFrom('setting').where('name', '=', name));
    return;
  }
  const value = JSON.stringify(content);
  store.run(
    store.query
      .insertInto('setting')
      .values({ name, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
  );
}
