// endpoint.json in a consortium's profile: where the process that holds the profile listens, for sites and for its operator.
import { z } from 'zod';
import { defineEndpointFile } from '#base/endpoint-file.ts';
import { tokenPattern } from '#base/token.ts';

export const consortiumEndpoint = defineEndpointFile(
  z.strictObject({
    /** https URL for sites. */
    url: z.url(),
    /** http URL on loopback for the operator. */
    adminUrl: z.url(),
    token: z.string().regex(tokenPattern),
    pid: z.int(),
  }),
);
