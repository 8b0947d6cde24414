// The licences of what ships, beside the build that an installer is made of.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { thirdPartyLicences } from './packaging/third-party-licences.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
writeFileSync(path.join(root, 'dist', 'third-party-licences.txt'), thirdPartyLicences(root));
