// The screens by address. Hash history: the same files work under app:// and under any path of the headless host.
import { createHashHistory, createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { Frame } from './components/frame.tsx';
import { type ImportPart, importParts } from './import-parts.ts';
import { AuditLog } from './screens/audit-log.tsx';
import { Consent } from './screens/consent.tsx';
import { Home } from './screens/home.tsx';
import { Import } from './screens/import.tsx';
import { NotFound } from './screens/not-found.tsx';
import { Round } from './screens/round.tsx';

const rootRoute = createRootRoute({ component: Frame, notFoundComponent: NotFound });
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, 64) : undefined;

const homeRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: Home });
export interface ImportSearch {
  /** `files` where it is left out. */
  readonly part?: ImportPart;
}

const importRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/import',
  validateSearch: (search: Record<string, unknown>): ImportSearch => {
    const part = importParts.find((known) => known === search.part);
    return part === undefined ? {} : { part };
  },
  component: Import,
});
const consentRoute = createRoute({ getParentRoute: () => rootRoute, path: '/consent', component: Consent });
const auditLogRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/audit-log',
  component: AuditLog,
});

export interface RoundSearch {
  /** Research study id; the first one where it is left out. */
  readonly study?: string;
  /** An earlier update to look at, in place of the current one. */
  readonly update?: string;
}

const roundRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/round',
  validateSearch: (search: Record<string, unknown>): RoundSearch => {
    const study = text(search.study);
    const update = text(search.update);
    return { ...(study === undefined ? {} : { study }), ...(update === undefined ? {} : { update }) };
  },
  component: Round,
});

const routeTree = rootRoute.addChildren([homeRoute, importRoute, consentRoute, roundRoute, auditLogRoute]);

export function createAppRouter() {
  return createRouter({ routeTree, history: createHashHistory(), defaultPreload: false });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
