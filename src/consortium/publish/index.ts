// What the consortium publishes: plans and global models.
export { findModel, latestModel, type NewModel, proveModel, publishModel } from './model-register.ts';
export {
  findPlan,
  findPlanVersion,
  listResearchStudies,
  type PlanPublication,
  type PublishedPlan,
  publishPlan,
} from './plan-register.ts';
export { type PublishCode, PublishError } from './publish-error.ts';
export { type PublishedStatistics, readStatistics } from './read-statistics.ts';
