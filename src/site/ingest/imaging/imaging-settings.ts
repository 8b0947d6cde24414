// What a site has set for its images, kept in the store.
import type { Store } from '#site/store/index.ts';
import type { ImagingSettings } from './worker-message.ts';

const names = { patientAuthority: 'dicom_patient_authority', keepsPixels: 'dicom_keeps_pixels' } as const;
const defaults = { patientAuthority: 'dicom', keepsPixels: true };

/** `patientAuthority` names the authority where the PACS does not: `dicom`, unless set, which `identifier_authorities` may give a URI. */
export function loadImagingSettings(store: Store): Omit<ImagingSettings, 'authorities'> {
  const find = store.prepare('SELECT value FROM setting WHERE name = ?');
  const load = <T>(name: string, otherwise: T): T => {
    const row = find.get(name) as { value: string } | undefined;
    return row === undefined ? otherwise : (JSON.parse(row.value) as T);
  };
  return {
    patientAuthority: load(names.patientAuthority, defaults.patientAuthority),
    keepsPixels: load(names.keepsPixels, defaults.keepsPixels),
  };
}

/** Changes what is named. Belongs into the caller's transaction. */
export function saveImagingSettings(
  store: Store,
  settings: Partial<Omit<ImagingSettings, 'authorities'>>,
): void {
  const save = store.prepare(
    'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  if (settings.patientAuthority !== undefined)
    save.run(names.patientAuthority, JSON.stringify(settings.patientAuthority));
  if (settings.keepsPixels !== undefined) save.run(names.keepsPixels, JSON.stringify(settings.keepsPixels));
}
