// What each kind of source is asked for when it is added, in the order of the form.
import type { SourceKind } from '#ipc/ingest-contract.ts';

export interface SourceSetting {
  /** Also the key of its label among the texts. */
  readonly name: string;
  /** `secret`: kept by the site and never shown again. */
  readonly kind: 'text' | 'number' | 'secret';
  readonly isRequired: boolean;
  readonly example?: string;
}

const text = (name: string, example?: string): SourceSetting => ({
  name,
  kind: 'text',
  isRequired: true,
  ...(example === undefined ? {} : { example }),
});
const optional = (setting: SourceSetting): SourceSetting => ({ ...setting, isRequired: false });
const secret = (name: string): SourceSetting => ({ name, kind: 'secret', isRequired: false });
const listener = (port: string): readonly SourceSetting[] => [
  { name: 'port', kind: 'number', isRequired: false, example: port },
  optional(text('host', '127.0.0.1')),
  optional(text('peers', '10.1.2.0/24')),
];

/** What the form offers. Keys and certificates of a source are set at the command line, from files. */
export const sourceKinds: readonly SourceKind[] = [
  'dicom-receiver',
  'dicomweb',
  'mllp',
  'bulk-export',
  'folder',
];
export const settingsOf: Readonly<Record<SourceKind, readonly SourceSetting[]>> = {
  folder: [text('path', '/srv/exports')],
  'dicom-receiver': [
    text('aeTitle', 'CONSILIUM'),
    text('callingAeTitles', 'PACS, CT1'),
    ...listener('11112'),
  ],
  dicomweb: [
    text('url', 'https://pacs.hospital.example/dicom-web'),
    optional(text('user')),
    secret('password'),
    optional(text('modalities', 'CT, MR')),
  ],
  mllp: listener('2575'),
  'bulk-export': [
    text('url', 'https://ehr.hospital.example/fhir'),
    optional(text('operation', 'Group/research/$export')),
  ],
};

/** Sources that are asked when a person says so; the others listen while the site is open. */
export const runnableKinds: ReadonlySet<SourceKind> = new Set(['dicomweb', 'bulk-export', 'folder']);

/** The settings that a form's texts stand for; null while a required one is missing or a number is none. */
export function readSettings(
  kind: SourceKind,
  values: Readonly<Record<string, string>>,
): Record<string, string | number> | null {
  const settings: Record<string, string | number> = {};
  for (const { name, kind: type, isRequired } of settingsOf[kind]) {
    const value = values[name]?.trim() ?? '';
    if (value === '') {
      if (isRequired) return null;
      continue;
    }
    if (type === 'number' && !/^\d{1,5}$/.test(value)) return null;
    settings[name] = type === 'number' ? Number(value) : value;
  }
  return settings;
}
