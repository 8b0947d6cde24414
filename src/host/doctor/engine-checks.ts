// The training engine: which one, on which device, and why not a better one.
import type { EngineInfo, TrainingHost } from '#site/site.ts';
import { type Finding, notice, problem, sound } from './finding.ts';

const setUp = 'Run `npm run setup:tensorflow` where Consilium is installed.';

/** Starts the training process and asks it. */
export async function checkEngine(host: Pick<TrainingHost, 'engine'>): Promise<Finding[]> {
  let info: EngineInfo;
  try {
    info = await host.engine();
  } catch {
    const message = 'The training process does not start: nothing can be trained here.';
    const nextStep = `Look for a lack of memory. ${setUp} Or set TFJS_NATIVE=wasm to do without native TensorFlow.`;
    return [problem('engine', { code: 'ENGINE_BROKEN', message, nextStep })];
  }
  return describeEngine(info);
}

export function describeEngine(info: EngineInfo): Finding[] {
  const { name, version, device, reason, passedOver } = info;
  const details = { name, version, device, reason, passedOver };
  const better = passedOver.map(({ engine, why }) => `${engine}: ${why}`).join('; ');
  const message = `${name} ${version} on ${device}${better === '' ? '' : ` (not better: ${better})`}.`;
  if (name !== 'wasm') {
    const ready = sound('tensorflow', name === 'tensorflow' ? reason : `${name} is used on ${device}`);
    return [ready, sound('engine', message, details)];
  }
  const missing = { code: 'TENSORFLOW_NOT_SET_UP', message: reason, nextStep: setUp } as const;
  const slow = 'Training runs, about forty times slower than with native TensorFlow. ';
  return [
    notice('tensorflow', missing),
    notice('engine', { code: 'ENGINE_SLOW', message: slow + message, nextStep: setUp, details }),
  ];
}
