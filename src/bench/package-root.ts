// Where the repository's own files lie.
import { fileURLToPath } from 'node:url';

export const heartAssets = fileURLToPath(new URL('../../assets/research-studies/heart/', import.meta.url));
