// An address that leads nowhere.
import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../components/parts.tsx';

export function NotFound(): JSX.Element {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t('notFound.title')} lead={t('notFound.lead')} />
      <Link to="/">{t('notFound.home')}</Link>
    </>
  );
}
