// What the verification of the audit log found: that it is whole, or the first entry at which it is not.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { AuditVerification } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import styles from '../screens/screens.module.css';
import { CodeText, Digest, Notice } from './parts.tsx';

/** What is to be known but breaks nothing. */
function VerificationNotices({ verification }: { verification: AuditVerification }): JSX.Element | null {
  const { t } = useTranslation();
  const format = useFormat();
  const notices = verification.notices ?? [];
  if (notices.length === 0) return null;
  return (
    <>
      <p>
        <strong>{t('audit.notices')}</strong>
      </p>
      <ul className={styles.list}>
        {notices.slice(0, 20).map((notice) => (
          <li key={`${notice.seq} ${notice.code}`}>
            {notice.seq !== null && t('audit.noticeAt', { seq: format.number(notice.seq) })}
            <CodeText code={notice.code} message={notice.message} />
          </li>
        ))}
      </ul>
    </>
  );
}

export function AuditVerdict({ verification }: { verification: AuditVerification }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { problem } = verification;
  if (verification.verified) {
    return (
      <Notice tone="good" title={t('audit.verified')}>
        <p>
          {t('audit.verifiedDetail', {
            leaves: format.number(verification.leafCount),
            checkpoints: format.number(verification.checkpointCount),
          })}
        </p>
        <p>
          {t('audit.rootHash')} <Digest>{verification.rootHash}</Digest>
        </p>
        <VerificationNotices verification={verification} />
      </Notice>
    );
  }
  return (
    <Notice tone="bad" title={t('audit.notVerified')}>
      {problem !== null && problem.seq !== null && (
        <p>{t('audit.firstProblem', { seq: format.number(problem.seq) })}</p>
      )}
      {problem !== null && <CodeText code={problem.code} message={problem.message} />}
      <VerificationNotices verification={verification} />
    </Notice>
  );
}
