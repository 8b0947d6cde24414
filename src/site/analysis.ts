// What is read over all subjects and stores nothing: the preview of a cohort, and what is wrong with the data. Over a store that is open to
// be read, in a thread of its own, or over the site's own where no other thread can open it.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { consortiumOf } from '#site/agreement/index.ts';
import {
  type CohortPreview,
  readCandidates,
  readPreview,
  type SelectionSource,
  type StoreDoor,
} from '#site/cohort/index.ts';
import { readConsentDecisions, termsOfPlan } from '#site/consent/index.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { type QualityProgress, type QualityReport, readQualityReport } from '#site/quality/index.ts';
import type { Store } from '#site/store/index.ts';

export type AnalysisKind = 'preview' | 'quality';

export interface AnalysisRequest {
  readonly kind: AnalysisKind;
  readonly plan: ResearchStudyPlan;
  /** 32 bytes each. */
  readonly keys: { readonly subjectKey: Uint8Array; readonly linkageKey: Uint8Array };
  /** 32 bytes; of the research study, durable already. */
  readonly pseudonymKey: Uint8Array;
}

export interface AnalysisSource {
  readonly store: Store;
  /** For further threads; undefined where no other thread can open the store. */
  readonly door: StoreDoor | undefined;
  readonly onProgress: (progress: QualityProgress) => void;
}

export function analyse(request: AnalysisRequest, source: AnalysisSource): CohortPreview | QualityReport {
  const { kind, plan, keys, pseudonymKey } = request;
  const { store, door, onProgress } = source;
  const registry = openSubjectRegistry({ store, keys });
  const terms = termsOfPlan(plan);
  const selection: SelectionSource = {
    store,
    consents: {
      decisions: (researchStudyId) =>
        readConsentDecisions(store, registry, {
          ...{ researchStudyId, terms },
          ...{ consortium: consortiumOf(store), atMs: store.clock.nowMs() },
        }),
    },
    ages: registry,
    pseudonymKey: () => pseudonymKey,
    door,
    isReader: door !== undefined,
  };
  if (kind === 'preview') return readPreview(selection, plan);
  const candidates = (other: ResearchStudyPlan) => readCandidates(selection, other);
  return readQualityReport({ store, registry, candidates }, plan, onProgress);
}
