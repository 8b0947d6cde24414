// What became of a file, as a coloured word.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileOutcome } from '#ipc/schema.ts';
import { Badge, type Tone } from './parts.tsx';

const tones: Record<FileOutcome['outcome'], Tone> = {
  accepted: 'good',
  duplicate: 'neutral',
  quarantined: 'warn',
  rejected: 'bad',
};

export function OutcomeBadge({ outcome }: { outcome: FileOutcome['outcome'] }): JSX.Element {
  const { t } = useTranslation();
  return <Badge tone={tones[outcome]}>{t(`import.outcome.${outcome}`)}</Badge>;
}
