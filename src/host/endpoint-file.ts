// endpoint.json in a site's profile: where the process that holds the profile listens.
import { z } from 'zod';
import { defineEndpointFile } from '#base/endpoint-file.ts';
import { tokenPattern } from '#base/token.ts';

export const siteEndpoint = defineEndpointFile(
  z.strictObject({
    /** http URL on loopback. */
    url: z.url(),
    token: z.string().regex(tokenPattern),
    pid: z.int(),
  }),
);
