// One patient has one number from one authority, which every source names in its own way: an object identifier, the code of a ward
// system, a column. The site says once which names mean the same, before anything is imported.
import type { PatientKey } from '#site/deidentify/index.ts';
import type { ReadRow } from './clinical-record.ts';

/** How sources name an authority -> the URI by which the site knows it. */
export type IdentifierAuthorities = ReadonlyMap<string, string>;

export const noAuthorities: IdentifierAuthorities = new Map();

/** The row with its patients named by the site's authorities. */
export function withAuthorities(row: ReadRow, authorities: IdentifierAuthorities): ReadRow {
  if (authorities.size === 0) return row;
  const known = (key: PatientKey): PatientKey => {
    const authority = authorities.get(key.authority);
    return authority === undefined ? key : { authority, identifier: key.identifier };
  };
  if (row.kind === 'merge') {
    const aliases = row.aliases.map(known);
    return { ...row, survivor: known(row.survivor), retired: known(row.retired), aliases };
  }
  if (row.kind !== 'record') return row;
  const { subject, patient } = row.record;
  const named =
    patient === null
      ? null
      : {
          ...patient,
          key: known(patient.key),
          aliases: patient.aliases.map(known),
          otherIdentifiers: patient.otherIdentifiers.map(known),
        };
  return { ...row, record: { ...row.record, subject: known(subject), patient: named } };
}
