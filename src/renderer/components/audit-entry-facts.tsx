// One entry of the audit log in full, with the hash of its leaf.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { AuditEntry } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import { CodeText, Digest, type Fact, Facts, PlainText } from './parts.tsx';

export function AuditEntryFacts({ entry }: { entry: AuditEntry }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const actor = entry.actor === 'system' ? t('audit.system') : entry.actor;
  const facts: (Fact | null)[] = [
    [t('audit.time'), format.exactTime(entry.time)],
    [t('audit.actor'), <PlainText key="actor">{actor}</PlainText>],
    entry.role === null
      ? null
      : [t('audit.role'), <PlainText key="role">{term(t, 'role', entry.role)}</PlainText>],
    [t('audit.action'), <PlainText key="action">{term(t, 'audit.actionOf', entry.action)}</PlainText>],
    [t('audit.outcome'), term(t, 'audit.outcomeOf', entry.outcome)],
    entry.reason === null ? null : [t('audit.reason'), <CodeText key="reason" code={entry.reason} />],
    entry.object === null ? null : [t('audit.object'), <PlainText key="object">{entry.object}</PlainText>],
    entry.researchStudyId === null
      ? null
      : [t('audit.researchStudy'), <PlainText key="study">{entry.researchStudyId}</PlainText>],
    entry.round === null ? null : [t('audit.round'), format.number(entry.round)],
    entry.detail === null
      ? null
      : [
          t('audit.detail'),
          <code key="detail">
            <PlainText limit={4000}>{entry.detail}</PlainText>
          </code>,
        ],
    [t('audit.leafHash'), <Digest key="leaf">{entry.leafHash}</Digest>],
  ];
  return <Facts facts={facts.filter((fact) => fact !== null)} />;
}
