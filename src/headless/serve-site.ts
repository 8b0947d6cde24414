// `site serve`: one open site, one loopback endpoint, until a signal ends both in order.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type HeadlessSiteOptions, openHeadlessSite } from '#headless/open-headless-site.ts';
import { openEndpoint } from '#host/endpoint.ts';
import { HostError } from '#host/host-error.ts';

export interface ServeOptions extends HeadlessSiteOptions {
  readonly port: number;
  /** The built screens, or null for a node that only the command line uses. */
  readonly rendererDirectory: string | null;
}

export interface ServedSite {
  /** Opens the screens in a browser. */
  readonly launchUrl: string;
  /** Settles when the site has closed after SIGINT or SIGTERM. */
  readonly stopped: Promise<void>;
}

/** @throws HostError RENDERER_NOT_BUILT; SiteError as of `openSite`. */
export async function serveSite(options: ServeOptions): Promise<ServedSite> {
  const { rendererDirectory } = options;
  if (rendererDirectory !== null && !existsSync(path.join(rendererDirectory, 'index.html'))) {
    throw new HostError('RENDERER_NOT_BUILT', 'The screens are not built. Run: npm run build:renderer');
  }
  const site = await openHeadlessSite(options);
  await site.sources.listen();
  const endpoint = await openEndpoint(site, { port: options.port, rendererDirectory }).catch(
    async (error: unknown) => {
      await site.close();
      throw error;
    },
  );
  const stopped = new Promise<void>((resolve, reject) => {
    const stop = () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      endpoint
        .close()
        .then(() => site.close())
        .then(resolve, reject);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
  return { launchUrl: endpoint.launchUrl, stopped };
}
