// What openConsortium is given. The consortium touches the outside world through these and its listening sockets alone.
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { ConsortiumKeys } from './store/consortium-keys.ts';

export interface ConsortiumPorts {
  /** Path of the encrypted store, or ':memory:'. */
  readonly storeFile: string;
  readonly keys: ConsortiumKeys;
  readonly clock: Clock;
  readonly logger: Logger;
}
