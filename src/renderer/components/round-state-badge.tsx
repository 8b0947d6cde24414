// What this site did in a round, as a coloured word.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { RoundState } from '#ipc/schema.ts';
import { term } from '../i18n/term.ts';
import { Badge, type Tone } from './parts.tsx';

const tones: Record<RoundState['state'], Tone> = {
  none: 'neutral',
  open: 'accent',
  running: 'accent',
  draft: 'warn',
  approved: 'good',
  refused: 'neutral',
  blocked: 'bad',
  sealed: 'good',
  received: 'good',
};

export function RoundStateBadge({ state }: { state: RoundState['state'] }): JSX.Element {
  const { t } = useTranslation();
  return <Badge tone={tones[state]}>{term(t, 'round.state', state)}</Badge>;
}
