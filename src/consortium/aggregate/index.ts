// Received updates -> the next global model, and the same again for whoever checks it later.
export {
  type Aggregate,
  aggregateUpdates,
  type CountedUpdate,
  listReceivedUpdates,
} from './aggregate-updates.ts';
export {
  type AggregateCode,
  type ModelCheck,
  type RecomputedModels,
  recomputeModels,
} from './recompute-models.ts';
