// Withdrawal in one action (GDPR 7(3), 17; security.md C10): the deny, and with it everything of the patient that nothing permits any
// more. What a later selection or update could use is gone in one transaction; the facts, which may lie anywhere in a large table,
// follow in slices, and go on after a restart.
import { setTimeout } from 'node:timers/promises';
import { isoTime } from '#base/clock.ts';
import { type Actor, type AuditLog, systemActor } from '#site/audit/index.ts';
import { eraseMembers } from '#site/cohort/index.ts';
import type { ConsentRow, ConsentSubject, Consents } from '#site/consent/index.ts';
import { erasedSubjects, pendingSubjects, type SubjectRegistry } from '#site/deidentify/index.ts';
import { eraseImages, type Ingest } from '#site/ingest/index.ts';
import type { Store } from '#site/store/index.ts';
import { eraseUpdates } from '#site/update/index.ts';

export interface WithdrawalStages {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly consents: Consents;
  readonly subjects: SubjectRegistry;
  readonly ingest: Pick<Ingest, 'erasePendingFacts'>;
  /** 32 bytes. */
  readonly linkageKey: Uint8Array;
}

export interface Withdrawals {
  /** Resolves when nothing of what is erased is left. @throws ConsentError SUBJECT_UNKNOWN, RESEARCH_STUDY_UNKNOWN. */
  withdraw(subject: ConsentSubject, actor: Actor): Promise<ConsentRow>;
  /** Data of who consents again is taken in by the next import. @throws ConsentError, as the consent stage does. */
  grant(subject: ConsentSubject & { readonly untilDate: string | null }, actor: Actor): ConsentRow;
  /**
   * Finishes erasures that were begun: after a restart, and now and then, because a record may have joined somebody to one who withdrew,
   * or brought a newer consent of theirs.
   */
  finish(): Promise<void>;
}

export function openWithdrawals(stages: WithdrawalStages): Withdrawals {
  const { store, auditLog, consents, subjects } = stages;
  let last: Promise<void> = Promise.resolve();
  // Before the first look nobody knows what a crash left there.
  let isLogEmpty = false;
  const finishAll = async () => {
    if (await finishErasures(stages)) isLogEmpty = false;
    if (!isLogEmpty) isLogEmpty = await emptyLog(store);
  };
  // One after the other: two would look through the same facts.
  const finish = () => {
    last = last.catch(() => undefined).then(finishAll);
    return last;
  };
  return {
    withdraw: async (subject, actor) => {
      const row = store.transaction(() => {
        const withdrawn = consents.withdraw(subject, actor);
        erase(stages, subject, actor);
        // What nothing permits any more is gone with this.
        return { ...withdrawn, awaitsErasure: false };
      });
      auditLog.checkpoint(); // signed at once: a withdrawal must not be cut off the log's end unseen
      isLogEmpty = false;
      await finish();
      return row;
    },
    grant: (subject, actor) =>
      store.transaction(() => {
        const row = consents.grant(subject, actor);
        if (consents.permitsAnything(subject.subjectId)) subjects.restore(subject.subjectId);
        return row;
      }),
    finish,
  };
}

/** Whether anything was erased. */
async function finishErasures(stages: WithdrawalStages): Promise<boolean> {
  const { store, consents, subjects, ingest } = stages;
  let hasErased = false;
  // While facts are erased, an import can join somebody to one who withdrew: of them nothing is erased yet, and neither of their other identities.
  for (let pending = pendingSubjects(store); pending.length > 0; pending = pendingSubjects(store)) {
    for (const subjectId of pending)
      store.transaction(() => eraseSubject(stages, { subjectId, researchStudyId: null }, systemActor));
    await ingest.erasePendingFacts();
    hasErased = true;
  }
  // Of those whose newer consent came with an import the next one brings the data again.
  for (const subjectId of erasedSubjects(store))
    if (consents.permitsAnything(subjectId)) store.transaction(() => subjects.restore(subjectId));
  return hasErased;
}

/** Old pages of what was erased lie in the log until it is emptied; false where a reader is in the way for so long that it is left for later. */
async function emptyLog(store: Store): Promise<boolean> {
  for (let tries = 0; tries < 20; tries += 1) {
    if (store.emptyLog()) return true;
    await setTimeout(50);
  }
  return false;
}

function erase(stages: WithdrawalStages, subject: ConsentSubject, actor: Actor): void {
  const { auditLog, consents } = stages;
  const { subjectId, researchStudyId } = subject;
  // What any consent still permits stays, for that.
  const isWhole = !consents.permitsAnything(subjectId);
  const detail = isWhole
    ? { scope: 'everything', ...eraseSubject(stages, { subjectId, researchStudyId: null }, actor) }
    : { scope: 'research-study', ...eraseFromCohorts(stages, subject, actor) };
  auditLog.append({
    actor: actor.name,
    role: actor.role,
    action: 'subject-erased',
    object: `subject:${subjectId}`,
    ...(researchStudyId === null ? {} : { researchStudyId }),
    outcome: 'success',
    detail,
  });
}

/** Everything but the facts, which `finish` erases. */
function eraseSubject(stages: WithdrawalStages, subject: ConsentSubject, actor: Actor) {
  const { store, subjects, linkageKey } = stages;
  const { subjectId } = subject;
  const { cohortCount } = eraseFromCohorts(stages, subject, actor);
  const imageCount = eraseImages(store, { subjectId, linkageKey });
  subjects.erase(subjectId);
  return { cohortCount, imageCount };
}

function eraseFromCohorts(
  { store, auditLog }: WithdrawalStages,
  { subjectId, researchStudyId }: ConsentSubject,
  actor: Actor,
) {
  const erasedAt = isoTime(store.clock.nowMs());
  const cohortIds = eraseMembers(store, { subjectId, researchStudyId, erasedAt });
  for (const draft of eraseUpdates(store, cohortIds)) {
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'update-blocked',
      object: `update:${draft.updateId}`,
      researchStudyId: draft.researchStudyId,
      round: draft.round,
      outcome: 'refused',
      reason: 'CONSENT_CHANGED',
    });
  }
  return { cohortCount: cohortIds.length };
}
