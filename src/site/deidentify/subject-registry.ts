// Turns patients into subjects: keeps the links, the sex and each fact's age, in whatever order patients and their records arrive.
import { isoTime } from '#base/clock.ts';
import type { Store } from '#site/store/index.ts';
import { ageInYears, parseDay } from './calendar-day.ts';
import { dateOffsetDays } from './date-offset.ts';
import { linkKeyOf, openLink, type PatientIdentity, sealLink } from './patient-link.ts';
import { type PatientKey, subjectIdOf } from './subject-id.ts';

export interface PatientRecord {
  /** The lasting identifier (medical record number); the subject id comes from it. */
  readonly key: PatientKey;
  /** How other records of the same source name the patient, e.g. a FHIR resource id; null when by `key`. */
  readonly alias: PatientKey | null;
  /** Null: not stated, what is known stays. */
  readonly name: string | null;
  /** `YYYY-MM-DD`, or a part of it, from which no age can be told. */
  readonly birthDate: string | null;
  /** FHIR administrative gender. */
  readonly sex: 'male' | 'female' | 'other' | 'unknown' | null;
}

export type PatientChange = 'added' | 'changed' | 'known' | 'conflict';

export interface SubjectRegistry {
  /**
   * Takes a patient. `conflict`: the alias already stands for a patient with another identifier; nothing is stored, because
   * the records of two people would become one.
   */
  recordPatient(patient: PatientRecord): { readonly subjectId: string; readonly change: PatientChange };
  /** The subject of a record that names its patient; a patient not seen yet gets a subject now and their identity when it comes. */
  recordSubject(key: PatientKey): { readonly subjectId: string; readonly isNew: boolean };
  /** The subject a key stands for, if any. */
  findSubject(key: PatientKey): string | undefined;
  /** Real day -> stored day. */
  shiftDay(subjectId: string, day: number): number;
  /** The subject's own calendar, for many days of one subject. */
  calendarOf(subjectId: string): SubjectCalendar;
}

export interface SubjectCalendar {
  /** Real day -> stored day. */
  shiftDay(day: number): number;
  /** Age on a real day; null until a whole birth date is known. */
  ageOn(day: number): number | null;
}

export interface SubjectRegistryOptions {
  readonly store: Store;
  /** 32 bytes each. */
  readonly keys: { readonly subjectKey: Uint8Array; readonly linkageKey: Uint8Array };
}

/** Writes belong into the caller's transaction: row and audit event are one. */
export function openSubjectRegistry(options: SubjectRegistryOptions): SubjectRegistry {
  return new StoredSubjectRegistry(options);
}

class StoredSubjectRegistry implements SubjectRegistry {
  readonly #store: Store;
  readonly #subjectKey: Uint8Array;
  readonly #linkageKey: Uint8Array;

  constructor({ store, keys }: SubjectRegistryOptions) {
    this.#store = store;
    this.#subjectKey = keys.subjectKey;
    this.#linkageKey = keys.linkageKey;
  }

  recordPatient(patient: PatientRecord): { subjectId: string; change: PatientChange } {
    const subjectId = this.findSubject(patient.key) ?? subjectIdOf(this.#subjectKey, patient.key);
    const aliasSubject = patient.alias === null ? undefined : this.findSubject(patient.alias);
    // A resource id used for a second patient would silently merge two people's records.
    if (patient.alias !== null && aliasSubject !== undefined && aliasSubject !== subjectId) {
      const isProvisional = aliasSubject === subjectIdOf(this.#subjectKey, patient.alias);
      if (!isProvisional) return { subjectId, change: 'conflict' };
    }
    const isNew = this.#addSubject(subjectId);
    const didMerge = aliasSubject !== undefined && aliasSubject !== subjectId;
    if (didMerge) this.#mergeProvisional(aliasSubject, subjectId);
    if (patient.alias !== null && aliasSubject === undefined)
      this.#link(subjectId, { ...patient.alias, name: null, birthDate: null });
    const didLink = this.#link(subjectId, {
      ...patient.key,
      name: patient.name,
      birthDate: patient.birthDate,
    });
    const didSex = patient.sex !== null && this.#setSex(subjectId, patient.sex);
    if (didLink || didMerge) this.#updateAges(subjectId);
    return { subjectId, change: isNew ? 'added' : didLink || didSex || didMerge ? 'changed' : 'known' };
  }

  recordSubject(key: PatientKey): { subjectId: string; isNew: boolean } {
    const known = this.findSubject(key);
    if (known !== undefined) return { subjectId: known, isNew: false };
    const subjectId = subjectIdOf(this.#subjectKey, key);
    this.#addSubject(subjectId);
    this.#link(subjectId, { ...key, name: null, birthDate: null });
    return { subjectId, isNew: true };
  }

  findSubject(key: PatientKey): string | undefined {
    const { query } = this.#store;
    return this.#store.get(
      query
        .selectFrom('patient_link')
        .select('subject_id')
        .where('link_key', '=', linkKeyOf(this.#linkageKey, key)),
    )?.subject_id;
  }

  shiftDay(subjectId: string, day: number): number {
    return day + dateOffsetDays(this.#subjectKey, subjectId);
  }

  calendarOf(subjectId: string): SubjectCalendar {
    const birthDay = this.#birthDay(subjectId);
    const offset = dateOffsetDays(this.#subjectKey, subjectId);
    return {
      shiftDay: (day) => day + offset,
      ageOn: (day) => (birthDay === undefined ? null : ageInYears(birthDay, day)),
    };
  }

  #addSubject(subjectId: string): boolean {
    const { query, clock } = this.#store;
    const row = { subject_id: subjectId, sex: null, added_at: isoTime(clock.nowMs()) };
    return (
      this.#store.run(
        query
          .insertInto('subject')
          .values(row)
          .onConflict((conflict) => conflict.doNothing()),
      ).changes > 0
    );
  }

  #setSex(subjectId: string, sex: string): boolean {
    const { query } = this.#store;
    return (
      this.#store.run(
        query
          .updateTable('subject')
          .set({ sex })
          .where('subject_id', '=', subjectId)
          .where('sex', 'is not', sex),
      ).changes > 0
    );
  }

  /** Adds the link or fills in what is newly stated; whether anything changed. */
  #link(subjectId: string, stated: PatientIdentity): boolean {
    const { query } = this.#store;
    const linkKey = linkKeyOf(this.#linkageKey, stated);
    const row = this.#store.get(query.selectFrom('patient_link').selectAll().where('link_key', '=', linkKey));
    const known = row === undefined ? undefined : openLink(this.#linkageKey, linkKey, row.sealed);
    const identity: PatientIdentity = {
      ...stated,
      name: stated.name ?? known?.name ?? null,
      birthDate: stated.birthDate ?? known?.birthDate ?? null,
    };
    const isSame =
      known !== undefined && known.name === identity.name && known.birthDate === identity.birthDate;
    if (isSame && row?.subject_id === subjectId) return false;
    const sealed = sealLink(this.#linkageKey, linkKey, identity);
    const values = { link_key: linkKey, subject_id: subjectId, sealed };
    this.#store.run(
      query
        .insertInto('patient_link')
        .values(values)
        .onConflict((conflict) => conflict.column('link_key').doUpdateSet({ subject_id: subjectId, sealed })),
    );
    return true;
  }

  #birthDay(subjectId: string): number | undefined {
    const { query } = this.#store;
    const links = this.#store.all(
      query.selectFrom('patient_link').selectAll().where('subject_id', '=', subjectId).orderBy('link_key'),
    );
    for (const link of links) {
      const { birthDate } = openLink(this.#linkageKey, link.link_key, link.sealed);
      const day = birthDate === null ? undefined : parseDay(birthDate);
      if (day !== undefined) return day;
    }
    return undefined;
  }

  /** Moves what came before the patient's identity to the lasting subject, days included. */
  #mergeProvisional(provisionalId: string, subjectId: string): void {
    const { query } = this.#store;
    const moved = this.shiftDay(subjectId, 0) - this.shiftDay(provisionalId, 0);
    const updateFacts = query
      .updateTable('fact')
      .set(({ eb }) => ({ subject_id: subjectId, day: eb('day', '+', moved) }));
    const updateConsents = query.updateTable('consent').set(({ eb }) => ({
      subject_id: subjectId,
      stated_day: eb('stated_day', '+', moved),
      from_day: eb('from_day', '+', moved),
      until_day: eb('until_day', '+', moved),
    }));
    const updateLinks = query.updateTable('patient_link').set({ subject_id: subjectId });
    this.#store.run(updateFacts.where('subject_id', '=', provisionalId));
    this.#store.run(updateConsents.where('subject_id', '=', provisionalId));
    this.#store.run(updateLinks.where('subject_id', '=', provisionalId));
    this.#store.run(query.deleteFrom('subject').where('subject_id', '=', provisionalId));
  }

  #updateAges(subjectId: string): void {
    const birthDay = this.#birthDay(subjectId);
    const { query } = this.#store;
    const offset = this.shiftDay(subjectId, 0);
    const days = this.#store.all(
      query.selectFrom('fact').select(['day', 'age_years']).distinct().where('subject_id', '=', subjectId),
    );
    for (const { day, age_years } of days) {
      // A birth date corrected to a year or month takes the age away that the wrong day had given.
      const age = birthDay === undefined ? null : ageInYears(birthDay, day - offset);
      if (age === age_years) continue;
      this.#store.run(
        query
          .updateTable('fact')
          .set({ age_years: age })
          .where('subject_id', '=', subjectId)
          .where('day', '=', day),
      );
    }
  }
}
