// Providers around the screens, and the gate: without a signed-in person there is only the sign-in screen.
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import type { i18n as I18n } from 'i18next';
import { type JSX, useEffect, useState, useSyncExternalStore } from 'react';
import { I18nextProvider } from 'react-i18next';
import { ConnectionBanner } from './components/connection-banner.tsx';
import { readProblem, signedOutCodes } from './problem.ts';
import { createAppRouter } from './router.tsx';
import { SignIn } from './screens/sign-in.tsx';
import { type Site, SiteContext, useSession } from './site-context.ts';
import { cssVariablesResolver, theme } from './theme.ts';

const colorSchemeManager = localStorageColorSchemeManager({ key: 'consilium.color-scheme' });

/** Repeats only what got no answer; asks who is signed in again where the host says that nobody is. */
function createQueryClient(): QueryClient {
  const onError = (error: Error): void => {
    if (signedOutCodes.has(readProblem(error).code)) client.setQueryData(['session'], null);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        refetchOnWindowFocus: false,
        networkMode: 'always',
        retry: (failures, error) => failures < 4 && readProblem(error).code === 'CONNECTION_LOST',
        retryDelay: 400,
      },
      mutations: { networkMode: 'always' },
    },
  });
  return client;
}

export function App(props: { site: Site; translation: I18n; nonce: string }): JSX.Element {
  const [queryClient] = useState(createQueryClient);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariablesResolver}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemeManager}
      getStyleNonce={() => props.nonce}
    >
      <I18nextProvider i18n={props.translation}>
        <QueryClientProvider client={queryClient}>
          <SiteContext value={props.site}>
            <Notifications position="bottom-right" autoClose={4000} />
            <Gate site={props.site} queryClient={queryClient} />
          </SiteContext>
        </QueryClientProvider>
      </I18nextProvider>
    </MantineProvider>
  );
}

function Gate({ site, queryClient }: { site: Site; queryClient: QueryClient }): JSX.Element {
  const session = useSession();
  const [router] = useState(createAppRouter);
  const isConnected = useSyncExternalStore(site.connection.subscribe, site.connection.isConnected);
  useEffect(() => {
    if (isConnected) void queryClient.invalidateQueries();
  }, [isConnected, queryClient]);
  const person = session.data ?? null;
  return (
    <>
      <ConnectionBanner isConnected={isConnected} />
      {person === null ? <SignIn isReady={session.isSuccess} /> : <RouterProvider router={router} />}
    </>
  );
}
