// Consents of records: a change is a new version, never an edit; one that is deleted at its source, or turns out to be another
// patient's, is ended where it stood by a version that says so.
import { equalBytes } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { moveProvision, type Store } from '#site/store/index.ts';
import type { PackedConsent } from './record-batch.ts';

interface LatestConsent {
  readonly consent_id: string;
  readonly version: number;
  readonly subject_id: string;
  readonly content_digest: Buffer;
  readonly status: string;
}

interface ConsentSubject {
  readonly subjectId: string;
  readonly offset: number;
}

export class ConsentWriter {
  readonly #store: Store;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(store: Store) {
    this.#store = store;
    this.#statements = prepareStatements(store);
  }

  /** Whether it is new, changed or moved. */
  write(
    { subjectId, offset }: ConsentSubject,
    { consentId, contentDigest, consent, replacement }: PackedConsent,
  ): boolean {
    const latest = this.#statements.latest.get(consentId) as LatestConsent | undefined;
    if (latest === undefined && consent.onlyReplaces === true && !this.#isNamed(consentId)) return false;
    const hasMoved = latest !== undefined && latest.subject_id !== subjectId;
    if (latest !== undefined && !hasMoved && equalBytes(latest.content_digest, contentDigest)) return false;
    if (hasMoved) this.#endVersion(latest);
    const shift = (day: number | null): number | null => (day === null ? null : day + offset);
    const { query, clock } = this.#store;
    this.#store.run(
      query.insertInto('consent').values({
        consent_id: consentId,
        version: (latest?.version ?? 0) + (hasMoved ? 2 : 1),
        subject_id: subjectId,
        research_study_id: consent.researchStudyId,
        status: consent.status,
        decision: consent.decision,
        is_by_guardian: Number(consent.isByGuardian),
        stated_day: shift(consent.statedDay),
        stated_until_day: shift(consent.statedUntilDay ?? null),
        verified_day: shift(consent.verifiedDay ?? null),
        from_day: shift(consent.fromDay),
        until_day: shift(consent.untilDay),
        provision:
          consent.provision === null ? null : JSON.stringify(moveProvision(consent.provision, offset)),
        replacement: replacement === null ? null : JSON.stringify(replacement),
        source: consent.source,
        content_digest: contentDigest,
        recorded_at: isoTime(clock.nowMs()),
      }),
    );
    return true;
  }

  /** Whether one of its name is here, which may name the same patient in another way. */
  #isNamed(consentId: string): boolean {
    return this.#named(consentId.slice(0, consentId.length / 2)).length > 0;
  }

  #named(consentName: string): LatestConsent[] {
    // Ids begin with the name's digest, in hexadecimal digits.
    return this.#statements.named.all(consentName, `${consentName}g`) as LatestConsent[];
  }

  /** Ends every consent of this name; how many there were. */
  end(consentName: string): number {
    const found = this.#named(consentName);
    const standing = found.filter(({ status }) => status !== endedStatus);
    for (const latest of standing) this.#endVersion(latest);
    return standing.length;
  }

  #endVersion({ consent_id, version }: LatestConsent): void {
    this.#statements.endVersion.run(isoTime(this.#store.clock.nowMs()), consent_id, version);
  }
}

const endedStatus = 'entered-in-error';

function prepareStatements(store: Store) {
  const columns = 'consent_id, version, subject_id, content_digest, status';
  return {
    latest: store.prepare(
      `SELECT ${columns} FROM consent WHERE consent_id = ? ORDER BY version DESC LIMIT 1`,
    ),
    named: store.prepare(
      `SELECT ${columns} FROM consent AS one WHERE consent_id BETWEEN ? AND ?
      AND version = (SELECT max(version) FROM consent WHERE consent_id = one.consent_id)`,
    ),
    // Another content digest than any source's: the consent read again is a change, and stands again.
    endVersion: store.prepare(
      `INSERT INTO consent (consent_id, version, subject_id, research_study_id, status, decision, is_by_guardian, stated_day,
      stated_until_day, from_day, until_day, replacement, source, content_digest, recorded_at)
      SELECT consent_id, version + 1, subject_id, research_study_id, '${endedStatus}', 'deny', is_by_guardian, stated_day,
      stated_until_day, from_day, until_day, replacement, source, x'00', ? FROM consent WHERE consent_id = ? AND version = ?`,
    ),
  };
}
