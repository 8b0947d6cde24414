// What a site says about itself and its research studies, in the shapes of the site contract.
import type { WithdrawalRemedy } from '#federation/records/withdrawal-remedy.ts';
import type { AcceptedPlan, Agreement } from '#site/agreement/index.ts';
import { usualAgeOfMajority } from '#site/consent/index.ts';
import type { EngineInfo } from '#site/ports.ts';
import type { Store } from '#site/store/index.ts';
import { software } from './software.ts';

/** The same shape as `siteStatus` of the site contract. */
export interface SiteStatus {
  readonly siteId: string | null;
  readonly name: string;
  readonly version: string;
  readonly consortium: string | null;
  /** null until this process has used it. */
  readonly engine: Pick<EngineInfo, 'name' | 'version' | 'reason'> | null;
  readonly subjectCount: number;
  readonly factCount: number;
  readonly updatesToReview: number;
  readonly outboxCount: number;
}

/** The same shape as `researchStudy` of the site contract. */
export interface ResearchStudySummary {
  readonly researchStudyId: string;
  readonly version: number;
  readonly title: string;
  readonly summary: string;
  readonly purposes: string[];
  readonly participants: { readonly siteId: string; readonly name: string }[];
  readonly features: { readonly name: string; readonly code: string; readonly unit: string | null }[];
  readonly label: string;
  readonly rounds: string[];
  readonly minimumCohort: { readonly training: number; readonly evaluation: number; readonly reason: string };
  readonly includesDeceased: boolean;
  /** Whole years. */
  readonly ageOfMajority: number;
  readonly requiresVerification: boolean;
  readonly remedy: WithdrawalRemedy;
  readonly planDigest: string;
}

const NAME_SETTING = 'site-name';

export function saveSiteName(store: Store, name: string): void {
  store.run(store.query.insertInto('setting').values({ name: NAME_SETTING, value: JSON.stringify(name) }));
}

/** undefined before the site is initialised. */
export function loadSiteName(store: Store): string | undefined {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', NAME_SETTING));
  return row === undefined ? undefined : (JSON.parse(row.value) as string);
}

export function readStatus(store: Store, agreement: Agreement, engine: EngineInfo | null): SiteStatus {
  const settings = agreement.settings();
  const count = (sql: string) =>
    (store.prepare(`SELECT count(*) AS count FROM ${sql}`).get() as { count: number }).count;
  return {
    siteId: settings?.siteId ?? null,
    name: loadSiteName(store) ?? '',
    version: software.version,
    consortium: settings?.consortium ?? null,
    engine: engine && { name: engine.name, version: engine.version, reason: engine.reason },
    subjectCount: count('subject WHERE survivor_no IS NULL'),
    factCount: count('fact'),
    updatesToReview: count(`model_update WHERE state = 'draft'`),
    outboxCount: count(`model_update WHERE state = 'sealed'`),
  };
}

export function summarisePlan({ plan, planDigest }: AcceptedPlan): ResearchStudySummary {
  const {
    researchStudyId,
    version,
    title,
    summary,
    purposes,
    participants,
    rounds,
    minimumCohort,
    dataElements,
    consent,
    withdrawal,
  } = plan;
  return {
    researchStudyId,
    version,
    title,
    summary,
    purposes: [...purposes],
    participants: participants.map(({ siteId, name }) => ({ siteId, name })),
    features: dataElements.features.map((feature) => ({
      name: feature.name,
      code: `${feature.code.system}|${feature.code.code}`,
      unit: 'unit' in feature ? feature.unit : null,
    })),
    label: dataElements.label.name,
    rounds: [...rounds],
    minimumCohort: { ...minimumCohort },
    includesDeceased: dataElements.includesDeceased ?? false,
    ageOfMajority: consent?.ageOfMajority ?? usualAgeOfMajority,
    requiresVerification: consent?.requiresVerification ?? false,
    remedy: withdrawal.remedy,
    planDigest,
  };
}
