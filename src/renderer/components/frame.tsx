// The frame: skip link, navigation with what waits, the signed-in person, language and colours; moves focus to the new screen's title.
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { type JSX, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { term } from '../i18n/term.ts';
import { useSession, useSite, useStatus } from '../site-context.ts';
import styles from './frame.module.css';
import { Icon, type IconName, Mark } from './icons.tsx';
import { PlainText, pageTitleId } from './parts.tsx';
import { ColorSchemeChoice, LanguageChoice } from './preferences.tsx';

const places = [
  { to: '/', name: 'home', icon: 'home' },
  { to: '/import', name: 'import', icon: 'import' },
  { to: '/consent', name: 'consent', icon: 'consent' },
  { to: '/round', name: 'round', icon: 'round' },
  { to: '/audit-log', name: 'auditLog', icon: 'audit' },
] as const satisfies readonly { to: string; name: string; icon: IconName }[];

/** Names the window after the screen (no patient data in titles, security.md X14) and lets screen readers start at its heading. */
function useScreenChange(): void {
  const { t, i18n } = useTranslation();
  // The resolved location changes once the new screen is in the document; the location itself a moment before.
  const pathname = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const shown = useRef(pathname);
  const name = places.find((place) => place.to === pathname)?.name;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the title changes with the language too
  useEffect(() => {
    document.title =
      name === undefined ? t('app.name') : t('app.windowTitle', { screen: t(`place.${name}`) });
  }, [name, t, i18n.language]);
  useEffect(() => {
    const isFirst = shown.current === undefined;
    if (shown.current === pathname) return;
    shown.current = pathname;
    if (isFirst) return;
    // What was said about one screen must not cover the next one.
    notifications.clean();
    document.getElementById(pageTitleId)?.focus();
  }, [pathname]);
}

export function Frame(): JSX.Element {
  const { t } = useTranslation();
  const main = useRef<HTMLElement>(null);
  useScreenChange();
  return (
    <div className={styles.frame}>
      {/* A button, not a link: the address after # belongs to the router. */}
      <button type="button" className={styles.skip} onClick={() => main.current?.focus()}>
        {t('app.skip')}
      </button>
      <Rail />
      <main ref={main} className={styles.main} tabIndex={-1}>
        <div className={styles.screen}>
          <Outlet />
        </div>
      </main>
    </div>
  );
}

function Rail(): JSX.Element {
  const { t } = useTranslation();
  const status = useStatus();
  const waiting = status.data?.updatesToReview ?? 0;
  return (
    <header className={styles.rail}>
      <div className={styles.brand}>
        <Mark />
        <div>
          <span className={styles.brandName}>{t('app.name')}</span>
          <span className={styles.brandSite}>
            <PlainText limit={80}>{status.data?.name ?? ''}</PlainText>
          </span>
        </div>
      </div>
      <nav aria-label={t('app.navigation')}>
        <ul className={styles.places}>
          {places.map((place) => (
            <li key={place.to}>
              <Link
                to={place.to}
                className={styles.place}
                activeOptions={{ exact: true, includeSearch: false }}
              >
                <Icon name={place.icon} />
                {t(`place.${place.name}`)}
                {place.name === 'round' && waiting > 0 && (
                  <span className={styles.placeCount}>
                    {waiting}
                    <span className="visually-hidden"> {t('app.waiting', { count: waiting })}</span>
                  </span>
                )}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className={styles.foot}>
        <div className={styles.choices}>
          <LanguageChoice />
          <ColorSchemeChoice />
        </div>
        <SignedIn />
      </div>
    </header>
  );
}

function SignedIn(): JSX.Element | null {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const person = useSession().data;
  if (person === null || person === undefined) return null;
  const signOut = async (): Promise<void> => {
    try {
      await client.session.signOut();
    } finally {
      queryClient.clear();
      queryClient.setQueryData(['session'], null);
      await queryClient.invalidateQueries({ queryKey: ['session'] });
    }
  };
  return (
    <div className={styles.person}>
      <div className={styles.personName}>
        <PlainText limit={100}>{person.name}</PlainText>
      </div>
      <div className={styles.personRole}>{term(t, 'role', person.role)}</div>
      <button type="button" className={styles.railButton} onClick={() => void signOut()}>
        <Icon name="leave" size={16} />
        {t('app.signOut')}
      </button>
    </div>
  );
}
