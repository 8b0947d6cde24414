// Turns patients into subjects: keeps the links and the sex, in whatever order patients and their records arrive. Identities that
// turn out to be one person are joined by one row, so that nothing of a merge has to be written twice or could be undone by half.
import { equalBytes } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import type { Store } from '#site/store/index.ts';
import { ageInYears, parseDay } from './calendar-day.ts';
import { dateOffsetDays } from './date-offset.ts';
import { eraseSubject, nobody, restoreSubject } from './erased-subject.ts';
import { linkKeyOf, openLink, type PatientIdentity, sealLink } from './patient-link.ts';
import { type DeathRecord, type DeathWriter, openDeathWriter } from './subject-death.ts';
import { type PatientKey, subjectIdOf } from './subject-id.ts';
import { joinSubjects } from './subject-merge.ts';

export interface PatientRecord {
  /** The lasting identifier (medical record number); the subject id comes from it. */
  readonly key: PatientKey;
  /** How other records of the same source name the patient, e.g. a FHIR resource id; none when by `key`. */
  readonly aliases: readonly PatientKey[];
  /** What else the person is known by, e.g. a national number. No record is linked by it; opt-out lists are held against it. */
  readonly otherIdentifiers: readonly PatientKey[];
  /** Null: not stated, what is known stays. */
  readonly name: string | null;
  /** `YYYY-MM-DD`, or a part of it, from which no age can be told. */
  readonly birthDate: string | null;
  /** FHIR administrative gender. */
  readonly sex: 'male' | 'female' | 'other' | 'unknown' | null;
}

/** A patient as images name one. */
export type ImagedPatient = Omit<PatientRecord, 'aliases' | 'otherIdentifiers'>;

export type PatientChange = 'added' | 'changed' | 'known' | 'conflict';

/** A subject as it stands: after a merge the survivor. */
export interface Subject {
  /** How facts and links name it in this store. */
  readonly subjectNo: number;
  readonly subjectId: string;
  /** 1 after a withdrawal: nothing about it is taken in. */
  readonly isErased: 0 | 1;
  /** 1 while nothing but images has named it. */
  readonly isImagesOnly: 0 | 1;
}

/** Ages, for those who select by them: birth dates lie only in sealed links. */
export interface SubjectAges {
  /** Whole years on a stored day, above 89 as 90; null until a whole birth date is known. */
  ageOn(subjectId: string, storedDay: number): number | null;
}

export interface SubjectRegistry extends SubjectAges {
  /**
   * Takes a patient. `conflict`: an alias already stands for a patient with another identifier; nothing is stored, because
   * the records of two people would become one.
   * @param linkKey of the patient's key, where it is known already
   */
  recordPatient(
    patient: PatientRecord,
    linkKey?: Uint8Array,
  ): { readonly subject: Subject; readonly change: PatientChange };
  /**
   * The subject of a record that names its patient; a patient not seen yet gets a subject now and their identity when it comes.
   * @param linkKey of the key, where it is known already
   */
  recordSubject(
    key: PatientKey,
    linkKey?: Uint8Array,
  ): { readonly subject: Subject; readonly isNew: boolean };
  /**
   * The subject of an image. What its header says of a patient is kept where nobody has named them yet: what the patient's own record
   * says later, or said before, counts more.
   */
  recordImagedPatient(patient: ImagedPatient): { readonly subject: Subject; readonly isNew: boolean };
  /** Makes everything of `retired` the survivor's, now and later. False: they were one already. */
  mergePatients(survivor: PatientKey, retired: PatientKey): boolean;
  /** Takes what a record says of whether its patient died; whether that changed anything. */
  recordDeath(record: DeathRecord): boolean;
  /**
   * Forgets who the subject is and marks it, with all that were merged into it: what comes of it later is not taken in. What the
   * stages have of it is theirs to erase.
   */
  erase(subjectId: string): void;
  /** Takes data of the subject in again: a consent permits. */
  restore(subjectId: string): void;
  /** The subject a key stands for, if any. */
  findSubject(key: PatientKey): Subject | undefined;
  /** Real day -> stored day. */
  shiftDay(subjectId: string, day: number): number;
  /** Stored day of birth, of whom a whole birth date is known. */
  birthDayOf(subjectId: string): number | undefined;
  /** Rises whenever two subjects of the store become one, or one is erased: what was remembered of subjects before no longer holds. */
  readonly mergeCount: number;
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

/** By store: registries over one store hear of each other's merges. */
const mergeCounts = new WeakMap<Store, number>();

class StoredSubjectRegistry implements SubjectRegistry {
  readonly #store: Store;
  readonly #subjectKey: Uint8Array;
  readonly #linkageKey: Uint8Array;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #writeDeath: DeathWriter;

  constructor({ store, keys }: SubjectRegistryOptions) {
    this.#store = store;
    this.#subjectKey = keys.subjectKey;
    this.#linkageKey = keys.linkageKey;
    this.#statements = prepareStatements(store);
    this.#writeDeath = openDeathWriter(store);
  }

  get mergeCount(): number {
    return mergeCounts.get(this.#store) ?? 0;
  }

  recordPatient(patient: PatientRecord, linkKey = linkKeyOf(this.#linkageKey, patient.key)) {
    const { key, aliases, otherIdentifiers, name, birthDate, sex } = patient;
    const known = this.#findByLink(linkKey);
    const ownId = known?.subjectId ?? subjectIdOf(this.#subjectKey, key);
    const isErased = known?.isErased === 1;
    const found = aliases.map((alias) => {
      const aliasLink = linkKeyOf(this.#linkageKey, alias);
      return { alias, linkKey: aliasLink, subject: this.#findByLink(aliasLink) };
    });
    const others = found.filter(({ subject }) => subject !== undefined && subject.subjectId !== ownId);
    // A resource id used for a second patient would silently merge two people's records.
    const isTaken = others.some(({ alias, subject }) => subject?.subjectId !== this.#ownId(alias));
    if (isTaken)
      return {
        subject: known ?? { subjectNo: 0, subjectId: ownId, isErased: 0, isImagesOnly: 0 },
        change: 'conflict' as const,
      };
    const { subject, isNew } =
      known === undefined
        ? this.#addSubject({ subjectId: ownId, sex, isImagesOnly: 0 })
        : { subject: known, isNew: false };
    this.#linkImages(subject);
    const identity = { ...key, name, birthDate };
    const didLink = known === undefined || (!isErased && this.#fillLink(linkKey, identity));
    if (known === undefined) this.#addLink(subject, linkKey, identity);
    for (const { subject: provisional } of others)
      if (provisional !== undefined) this.#join(subject, provisional);
    for (const { alias, linkKey: aliasLink, subject: aliased } of found) {
      // An alias that is the patient's own key has its link already.
      if (aliased === undefined && !equalBytes(aliasLink, linkKey))
        this.#addLink(subject, aliasLink, isErased ? nobody : { ...alias, name: null, birthDate: null });
    }
    // Of who withdrew only links are kept, by which records of them are recognised and left out.
    if (isErased) return { subject, change: 'known' as const };
    const didIdentify = this.#addIdentifiers(subject, otherIdentifiers);
    if (isNew) return { subject, change: 'added' as const };
    const didSex = sex !== null && this.#setSex(linkKey, subject, sex);
    const isChanged = didLink || didIdentify || didSex || others.length > 0;
    return { subject, change: isChanged ? ('changed' as const) : ('known' as const) };
  }

  recordSubject(key: PatientKey, linkKey = linkKeyOf(this.#linkageKey, key)) {
    const known = this.#findByLink(linkKey);
    if (known !== undefined) {
      this.#linkImages(known);
      return { subject: known, isNew: false };
    }
    const { subject } = this.#addSubject({ subjectId: this.#ownId(key), sex: null, isImagesOnly: 0 });
    this.#addLink(subject, linkKey, { ...key, name: null, birthDate: null });
    return { subject, isNew: true };
  }

  recordImagedPatient({ key, name, birthDate, sex }: ImagedPatient) {
    const linkKey = linkKeyOf(this.#linkageKey, key);
    const known = this.#findByLink(linkKey);
    if (known !== undefined) return { subject: known, isNew: false };
    const { subject } = this.#addSubject({ subjectId: this.#ownId(key), sex, isImagesOnly: 1 });
    this.#addLink(subject, linkKey, { ...key, name, birthDate });
    return { subject, isNew: true };
  }

  mergePatients(survivor: PatientKey, retired: PatientKey): boolean {
    const { subject: stays } = this.recordSubject(survivor);
    const { subject: goes } = this.recordSubject(retired);
    if (stays.subjectNo === goes.subjectNo) return false;
    this.#join(stays, goes);
    return true;
  }

  recordDeath(record: DeathRecord): boolean {
    return this.#writeDeath(record);
  }

  erase(subjectId: string): void {
    const erasedAt = isoTime(this.#store.clock.nowMs());
    eraseSubject(this.#store, { subjectId, erasedAt, linkageKey: this.#linkageKey });
    this.#forgetRemembered();
  }

  restore(subjectId: string): void {
    restoreSubject(this.#store, subjectId);
    this.#forgetRemembered();
  }

  #forgetRemembered(): void {
    mergeCounts.set(this.#store, this.mergeCount + 1);
  }

  findSubject(key: PatientKey): Subject | undefined {
    return this.#findByLink(linkKeyOf(this.#linkageKey, key));
  }

  shiftDay(subjectId: string, day: number): number {
    return day + dateOffsetDays(this.#subjectKey, subjectId);
  }

  ageOn(subjectId: string, storedDay: number): number | null {
    const birthDay = this.#birthDay(subjectId);
    return birthDay === undefined ? null : ageInYears(birthDay, storedDay - this.shiftDay(subjectId, 0));
  }

  birthDayOf(subjectId: string): number | undefined {
    const birthDay = this.#birthDay(subjectId);
    return birthDay === undefined ? undefined : this.shiftDay(subjectId, birthDay);
  }

  #ownId(key: PatientKey): string {
    return subjectIdOf(this.#subjectKey, key);
  }

  #findByLink(linkKey: Uint8Array): Subject | undefined {
    return this.#statements.subjectOfLink.get(linkKey) as Subject | undefined;
  }

  #join(survivor: Subject, retired: Subject): void {
    const daysMoved = this.shiftDay(survivor.subjectId, 0) - this.shiftDay(retired.subjectId, 0);
    joinSubjects(this.#store, { survivor, retired, daysMoved });
    this.#forgetRemembered();
  }

  /** A record names whom so far only images did. */
  #linkImages({ subjectNo, isImagesOnly }: Subject): void {
    if (isImagesOnly === 1) this.#statements.linkImages.run(subjectNo);
  }

  /** All but the id is that of a new subject only. */
  #addSubject({ subjectId, sex, isImagesOnly }: NewSubject): { subject: Subject; isNew: boolean } {
    const addedAt = isoTime(this.#store.clock.nowMs());
    const added = this.#statements.addSubject.get(subjectId, sex, addedAt, isImagesOnly) as
      | Subject
      | undefined;
    if (added !== undefined) return { subject: added, isNew: true };
    return { subject: this.#statements.standingSubject.get(subjectId) as Subject, isNew: false };
  }

  /** Fills in what a link that is there does not have yet; whether anything changed. */
  #fillLink(linkKey: Uint8Array, stated: PatientIdentity): boolean {
    const { sealed } = this.#statements.linkOf.get(linkKey) as { readonly sealed: Uint8Array };
    const known = openLink(this.#linkageKey, linkKey, sealed);
    const identity: PatientIdentity = {
      ...stated,
      name: stated.name ?? known.name,
      birthDate: stated.birthDate ?? known.birthDate,
    };
    if (known.name === identity.name && known.birthDate === identity.birthDate) return false;
    // A link stays with the subject it came for: what a merge joined can be told apart again.
    this.#statements.setLink.run(sealLink(this.#linkageKey, linkKey, identity), linkKey);
    return true;
  }

  /** Of two that were merged the survivor's own word counts: the other's would turn it round whenever it comes again. */
  #setSex(linkKey: Uint8Array, { subjectNo }: Subject, sex: string): boolean {
    return this.#statements.setSex.run(sex, subjectNo, sex, linkKey).changes > 0;
  }

  /** Whether any was new. */
  #addIdentifiers({ subjectNo }: Subject, identifiers: readonly PatientKey[]): boolean {
    const { addIdentifier } = this.#statements;
    const added = identifiers.map(
      (key) => addIdentifier.run(linkKeyOf(this.#linkageKey, key), subjectNo).changes,
    );
    return added.some((count) => count > 0);
  }

  #addLink({ subjectNo }: Subject, linkKey: Uint8Array, identity: PatientIdentity): void {
    this.#statements.addLink.run(linkKey, subjectNo, sealLink(this.#linkageKey, linkKey, identity));
  }

  #birthDay(subjectId: string): number | undefined {
    const links = this.#statements.linksOf.all(subjectId) as {
      readonly link_key: Uint8Array;
      readonly sealed: Uint8Array;
    }[];
    for (const link of links) {
      const { birthDate } = openLink(this.#linkageKey, link.link_key, link.sealed);
      const day = birthDate === null ? undefined : parseDay(birthDate);
      if (day !== undefined) return day;
    }
    return undefined;
  }
}

interface NewSubject extends Pick<Subject, 'subjectId' | 'isImagesOnly'> {
  readonly sex: PatientRecord['sex'];
}

/** The standing subject of a subject row `own`. */
const standing =
  'JOIN subject AS standing ON standing.subject_no = coalesce(own.survivor_no, own.subject_no)';
const columns =
  'standing.subject_no AS subjectNo, standing.subject_id AS subjectId, standing.erased_at IS NOT NULL AS isErased, standing.images_only AS isImagesOnly';

function prepareStatements(store: Store) {
  return {
    subjectOfLink: store.prepare(
      `SELECT ${columns} FROM patient_link JOIN subject AS own USING (subject_no) ${standing} WHERE link_key = ?`,
    ),
    standingSubject: store.prepare(
      `SELECT ${columns} FROM subject AS own ${standing} WHERE own.subject_id = ?`,
    ),
    addSubject: store.prepare(
      `INSERT INTO subject (subject_id, sex, added_at, images_only) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
      RETURNING subject_no AS subjectNo, subject_id AS subjectId, 0 AS isErased, images_only AS isImagesOnly`,
    ),
    setSex: store.prepare(
      `UPDATE subject SET sex = ? WHERE subject_no = ? AND sex IS NOT ?
      AND (sex IS NULL OR subject_no = (SELECT subject_no FROM patient_link WHERE link_key = ?))`,
    ),
    linkImages: store.prepare('UPDATE subject SET images_only = 0 WHERE subject_no = ?'),
    linkOf: store.prepare('SELECT sealed FROM patient_link WHERE link_key = ?'),
    // The survivor's own links come first: what its own records say of the birth date wins.
    linksOf: store.prepare(
      `SELECT link_key, sealed FROM subject AS standing JOIN subject AS own ON own.subject_no = standing.subject_no OR own.survivor_no = standing.subject_no
      JOIN patient_link ON patient_link.subject_no = own.subject_no
      WHERE standing.subject_id = ? ORDER BY own.survivor_no IS NOT NULL, link_key`,
    ),
    addLink: store.prepare('INSERT INTO patient_link (link_key, subject_no, sealed) VALUES (?, ?, ?)'),
    addIdentifier: store.prepare(
      'INSERT INTO known_identifier (link_key, subject_no) VALUES (?, ?) ON CONFLICT DO NOTHING',
    ),
    setLink: store.prepare('UPDATE patient_link SET sealed = ? WHERE link_key = ?'),
  };
}
