// Where `npm run package:dir` leaves the app, and whether it did.
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve('release/linux-unpacked');

export const packagedApp = {
  root,
  program: path.join(root, 'consilium-site'),
  archive: path.join(root, 'resources/app.asar'),
  unpacked: path.join(root, 'resources/app.asar.unpacked'),
  licences: path.join(root, 'resources/third-party-licences.txt'),
};

export const isPackaged = existsSync(packagedApp.archive);
if (!isPackaged) process.stderr.write('The packaged app is not tested: npm run package:dir has made none\n');
