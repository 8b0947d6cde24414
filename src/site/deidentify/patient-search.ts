// Names for people who may see them: the host checks the role, the caller writes the audit event, this opens the links.
import type { Store } from '#site/store/index.ts';
import { openLink, type PatientIdentity } from './patient-link.ts';

export interface FoundPatient extends PatientIdentity {
  readonly subjectId: string;
}

/** What lists of subjects need of the links. */
export interface PatientDirectory {
  nameOf(subjectId: string): string | null;
  /** Subjects whose patient's name or identifier contains `text`. */
  search(text: string): ReadonlySet<string>;
}

export function openPatientDirectory(store: Store, linkageKey: Uint8Array): PatientDirectory {
  return {
    nameOf: (subjectId) => patientOf(store, linkageKey, subjectId)?.name ?? null,
    search: (text) => new Set(searchPatients(store, linkageKey, text).map(({ subjectId }) => subjectId)),
  };
}

/** The patient behind a subject, or undefined. Of several links the one that says most is taken. @throws DeidentifyError LINK_UNREADABLE. */
export function patientOf(store: Store, linkageKey: Uint8Array, subjectId: string): FoundPatient | undefined {
  const links = store.prepare(`${linksOfSubjects} WHERE standing.subject_id = ? ${ownLinksFirst}`);
  const identities = (links.all(subjectId) as SubjectLink[]).map((link) =>
    openLink(linkageKey, link.link_key, link.sealed),
  );
  const best = identities.toSorted((left, right) => statedCount(right) - statedCount(left))[0];
  return best === undefined ? undefined : { subjectId, ...best };
}

/**
 * Patients whose name or identifier contains `search` (any case, any Unicode spelling), by subject id.
 * Opens every link: no name is ever stored in a searchable form.
 * @throws DeidentifyError LINK_UNREADABLE.
 */
export function searchPatients(store: Store, linkageKey: Uint8Array, search: string): FoundPatient[] {
  const wanted = fold(search);
  const found = new Map<string, FoundPatient>();
  const links = store
    .prepare(`${linksOfSubjects} WHERE standing.survivor_no IS NULL ${ownLinksFirst}`)
    .all() as SubjectLink[];
  for (const link of links) {
    const identity = openLink(linkageKey, link.link_key, link.sealed);
    if (!fold(identity.name ?? '').includes(wanted) && !fold(identity.identifier).includes(wanted)) continue;
    const best = found.get(link.subject_id);
    if (best === undefined || statedCount(identity) > statedCount(best)) {
      found.set(link.subject_id, { subjectId: link.subject_id, ...identity });
    }
  }
  return [...found.values()];
}

interface SubjectLink {
  readonly subject_id: string;
  readonly link_key: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Links with the subject that they stand for now: after a merge also those of the retired identities. */
const linksOfSubjects = `SELECT standing.subject_id, link_key, sealed
  FROM subject AS standing
  JOIN subject AS own ON own.subject_no = standing.subject_no OR own.survivor_no = standing.subject_no
  JOIN patient_link ON patient_link.subject_no = own.subject_no`;
const ownLinksFirst = 'ORDER BY standing.subject_id, own.survivor_no IS NOT NULL, link_key';

/** The link of the lasting identifier has name or birth date; those of a source's own ids have neither. */
function statedCount({ name, birthDate }: PatientIdentity): number {
  return Number(name !== null) + Number(birthDate !== null);
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
