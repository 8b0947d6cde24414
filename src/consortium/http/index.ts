// The doors of the consortium: HTTPS for sites, loopback for its operator.

export { createAdminClient } from './admin-client.ts';
export { type AdminServer, createAdminServer } from './admin-server.ts';
export { createSyncServer, type SyncServer } from './sync-server.ts';
export {
  createSyncService,
  type ReadRoute,
  type SyncAnswer,
  type SyncCall,
  type SyncService,
} from './sync-service.ts';
