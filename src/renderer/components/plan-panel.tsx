// The research study's signed plan in plain words: why, who, which data, which rounds, and the smallest cohort that may take part.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { ResearchStudy } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { Digest, Facts, Panel, PlainText, SmallTable } from './parts.tsx';

export function PlanPanel({ researchStudy }: { researchStudy: ResearchStudy }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const byKind = [...new Set(researchStudy.rounds)].map((kind) =>
    t('plan.roundsOf', {
      number: format.number(researchStudy.rounds.filter((one) => one === kind).length),
      kind: term(t, 'round.kind', kind).slice(0, 40),
    }),
  );
  return (
    <div className={styles.stack}>
      <Panel title={t('plan.title')} note={t('plan.version', { version: researchStudy.version })}>
        <div className={styles.stack}>
          <p>
            <PlainText limit={4000}>{researchStudy.summary}</PlainText>
          </p>
          <Facts
            facts={[
              [
                t('plan.purposes'),
                format.list(
                  researchStudy.purposes.map((purpose) => term(t, 'plan.purpose', purpose).slice(0, 80)),
                ),
              ],
              [
                t('plan.participants'),
                <ul key="participants" className={styles.list}>
                  {researchStudy.participants.map((participant) => (
                    <li key={participant.siteId}>
                      <PlainText limit={200}>{participant.name}</PlainText>{' '}
                      <span className={styles.soft}>
                        <PlainText limit={64}>{participant.siteId}</PlainText>
                      </span>
                    </li>
                  ))}
                </ul>,
              ],
              [t('plan.rounds'), format.list(byKind)],
              [
                t('plan.minimum'),
                <div key="minimum">
                  {t('plan.minimumValue', {
                    training: format.number(researchStudy.minimumCohort.training),
                    evaluation: format.number(researchStudy.minimumCohort.evaluation),
                  })}
                  <div className={styles.soft}>
                    <PlainText limit={1000}>{researchStudy.minimumCohort.reason}</PlainText>
                  </div>
                </div>,
              ],
              [t('plan.label'), <PlainText key="label">{researchStudy.label}</PlainText>],
              [
                t('plan.deceased'),
                t(researchStudy.includesDeceased ? 'plan.deceasedIn' : 'plan.deceasedOut'),
              ],
              [
                t('plan.majority'),
                t('plan.majorityValue', { age: format.number(researchStudy.ageOfMajority) }),
              ],
              [
                t('plan.verification'),
                t(
                  researchStudy.requiresVerification
                    ? 'plan.verificationNeeded'
                    : 'plan.verificationNotNeeded',
                ),
              ],
              [t('plan.withdrawal'), term(t, 'plan.remedy', researchStudy.remedy)],
              [t('plan.digest'), <Digest key="digest">{researchStudy.planDigest}</Digest>],
            ]}
          />
        </div>
      </Panel>
      <Panel
        title={t('plan.features', { count: researchStudy.features.length })}
        note={t('plan.featuresNote')}
      >
        <SmallTable
          label={t('plan.featureTable')}
          rows={researchStudy.features}
          maxHeight={460}
          columns={[
            {
              header: t('plan.feature'),
              render: (feature) => <PlainText limit={80}>{feature.name}</PlainText>,
            },
            {
              header: t('plan.code'),
              render: (feature) => <PlainText limit={160}>{feature.code}</PlainText>,
            },
            {
              header: t('plan.unit'),
              render: (feature) => <PlainText limit={40}>{feature.unit ?? '–'}</PlainText>,
            },
          ]}
        />
      </Panel>
    </div>
  );
}
