// Confirms a release from quarantine or a deletion by what follows from it, with a reason that is kept. Esc or Cancel changes nothing.
import { Button, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QuarantineEntry } from '#ipc/ingest-contract.ts';
import type { FileOutcome } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { Dialog, useLastShown } from './dialog.tsx';
import { FileOutcomeFacts } from './file-outcome-facts.tsx';
import { CodeText, type Fact, Facts, Notice, PlainText, ProblemNotice } from './parts.tsx';

const leastReason = 3;
const longestReason = 500;
const undecoded: ReadonlySet<string> = new Set(['DICOM_UNSUPPORTED_IMAGE', 'TRANSFER_SYNTAX_NOT_DECODED']);

export interface QuarantineDecision {
  readonly entry: QuarantineEntry;
  readonly kind: 'release' | 'delete';
}

export function QuarantineDialog({
  decision,
  onClose,
}: {
  decision: QuarantineDecision | null;
  onClose: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const shown = useLastShown(decision);
  return (
    <Dialog
      isOpen={decision !== null}
      onClose={onClose}
      title={shown === null ? '' : t(`quarantine.${shown.kind}Title`)}
    >
      {shown !== null && (
        <Content key={`${shown.entry.quarantineId} ${shown.kind}`} decision={shown} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Content({
  decision: { entry, kind },
  onClose,
}: {
  decision: QuarantineDecision;
  onClose: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const [reason, setReason] = useState('');
  const decide = useMutation({
    mutationFn: async (): Promise<FileOutcome | null> => {
      const input = { quarantineId: entry.quarantineId, reason: reason.trim() };
      if (kind === 'release') return client.quarantine.release(input);
      await client.quarantine.delete(input);
      return null;
    },
    onSuccess: async (outcome) => {
      // A release that was refused after all is no success to announce: the dialog stays and says why.
      if (outcome === null || outcome.outcome === 'accepted' || outcome.outcome === 'duplicate') {
        notifications.show({ message: t(`quarantine.${kind}Done`), withCloseButton: false });
        onClose();
      }
      await queryClient.invalidateQueries();
    },
  });
  if (decide.isSuccess && decide.data !== null && decide.data.outcome !== 'accepted')
    return <StillOut outcome={decide.data} onClose={onClose} />;
  return (
    <form
      className={styles.stack}
      onSubmit={(event) => {
        event.preventDefault();
        decide.mutate();
      }}
    >
      <EntryFacts entry={entry} />
      <Notice tone="warn" title={t(`quarantine.${kind}What`)}>
        <ul className={styles.list}>
          <li>{t(`quarantine.${kind}Effect.now`)}</li>
          <li>{t(kind === 'delete' ? 'quarantine.deleteEffect.risk' : riskOf(entry.code))}</li>
          <li>{t('quarantine.effectLog')}</li>
        </ul>
      </Notice>
      <Textarea
        label={t('quarantine.reason')}
        description={t(`quarantine.${kind}ReasonHint`)}
        required
        minLength={leastReason}
        maxLength={longestReason}
        autosize
        minRows={2}
        maxRows={5}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {decide.isError && <ProblemNotice error={decide.error} />}
      <div className={styles.dialogActions}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('common.cancel')}
        </Button>
        <Button
          type="submit"
          color={kind === 'delete' ? 'crimson' : 'petrol'}
          loading={decide.isPending}
          disabled={reason.trim().length < leastReason}
        >
          {t(`quarantine.${kind}Confirm`)}
        </Button>
      </div>
    </form>
  );
}

/** What a release leaves as it is: the doubt about names in the picture, or that nobody here can see it. */
function riskOf(code: string): string {
  return undecoded.has(code) ? 'quarantine.releaseEffect.unseen' : 'quarantine.releaseEffect.risk';
}

function EntryFacts({ entry }: { entry: QuarantineEntry }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const facts: (Fact | null)[] = [
    [t('import.file'), <PlainText key="name">{entry.name}</PlainText>],
    [t('quarantine.why'), <CodeText key="why" code={entry.code} message={entry.reason} />],
    entry.field === null ? null : [t('import.field'), <PlainText key="field">{entry.field}</PlainText>],
    [t('quarantine.since'), format.dateTime(entry.quarantinedAt)],
  ];
  return <Facts facts={facts.filter((fact) => fact !== null)} />;
}

/** After a release that did not take the file in. */
function StillOut({ outcome, onClose }: { outcome: FileOutcome; onClose: () => void }): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className={styles.stack}>
      <Notice tone="warn" title={t('quarantine.stillOut')} isAlert>
        <p>{t('quarantine.stillOutDetail')}</p>
      </Notice>
      <FileOutcomeFacts file={outcome} />
      <div className={styles.dialogActions}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('common.close')}
        </Button>
      </div>
    </div>
  );
}
