// Entry of the renderer: connects to the site, then draws. Knows nothing of how the site is hosted beyond site-client.ts.
import '@mantine/core/styles.layer.css';
import '@mantine/notifications/styles.layer.css';
import 'uplot/dist/uPlot.min.css';
import './tokens.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createTranslation } from './i18n/i18n.ts';
import { createImportRun } from './import-run.ts';
import { createRoundRun } from './round-run.ts';
import { connectToSite } from './site-client.ts';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.nonce ?? '';
// react-style-singleton (scroll lock of dialogs, inside Mantine) reads the nonce for its style element from this global.
Object.defineProperty(globalThis, '__webpack_nonce__', { value: nonce });

const root = document.getElementById('root');
if (root !== null) {
  const translation = createTranslation();
  const connection = await connectToSite();
  const { client } = connection;
  const site = { connection, client, importRun: createImportRun(client), roundRun: createRoundRun(client) };
  createRoot(root).render(
    <StrictMode>
      <App site={site} translation={translation} nonce={nonce} />
    </StrictMode>,
  );
}
