// The steward's decision on an update, and what became of it. Approving and refusing each open a dialog that says what is signed.
import { Button } from '@mantine/core';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UpdateReview } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import styles from '../screens/screens.module.css';
import { useSession } from '../site-context.ts';
import { Notice, Panel } from './parts.tsx';
import { RoundStateBadge } from './round-state-badge.tsx';
import { type Decision, SignatureDialog } from './signature-dialog.tsx';

export function DecisionPanel({ review }: { review: UpdateReview }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const person = useSession().data;
  const [decision, setDecision] = useState<Decision | null>(null);
  const { state } = review.summary;
  const isSteward = person?.role === 'steward';
  return (
    <Panel title={t('decision.title')} actions={<RoundStateBadge state={state} />}>
      <div className={styles.stack}>
        <p role="status">{t(`decision.state.${state}`)}</p>
        {state === 'draft' && !isSteward && (
          <Notice tone="neutral">
            <p>{t('decision.stewardOnly')}</p>
          </Notice>
        )}
        {state === 'draft' && isSteward && (
          <>
            <p className={styles.soft}>
              {t('decision.ask', { bytes: format.number(review.report.payloadBytes) })}
            </p>
            <Button fullWidth onClick={() => setDecision('approve')}>
              {t('decision.approve')}
            </Button>
            <Button fullWidth variant="default" onClick={() => setDecision('refuse')}>
              {t('decision.refuse')}
            </Button>
          </>
        )}
      </div>
      <SignatureDialog review={review} decision={decision} onClose={() => setDecision(null)} />
    </Panel>
  );
}
