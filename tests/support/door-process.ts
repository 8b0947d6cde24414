// A site behind its loopback endpoint in a process of its own, so that a test sees whether an attack ends it. Prints its address;
// argument: the folder that all of it lies in. Used by tests alone.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { initialiseHeadlessSite, openHeadlessSite } from '#headless/open-headless-site.ts';
import { openEndpoint } from '#host/endpoint.ts';

const [, , directory = ''] = process.argv;
const profile = path.join(directory, 'profile');
const rendererDirectory = path.join(directory, 'screens');
mkdirSync(path.join(rendererDirectory, 'assets'), { recursive: true });
writeFileSync(path.join(rendererDirectory, 'index.html'), '<p nonce="__CSP_NONCE__">the screens</p>');
writeFileSync(path.join(rendererDirectory, 'assets', 'app.js'), 'asset');
const options = { profile, keyFile: path.join(directory, 'keys', 'site.json') };
await initialiseHeadlessSite({ ...options, name: 'Attacked hospital' });
const site = await openHeadlessSite(options);
const endpoint = await openEndpoint(site, { port: 0, rendererDirectory });
process.stdout.write(`${endpoint.launchUrl}\n`);
process.once('SIGTERM', () => {
  void endpoint.close().then(() => site.close());
});
