// The machine does not go to sleep while a round trains: a night's run would end at the first idle hour.
import type { PowerSaveBlocker } from 'electron';

export interface TrainingWakefulness {
  /** Called with each change, and as often as anybody likes. */
  setTraining(isTraining: boolean): void;
}

/** The display may still turn off: only the programs go on. */
export function createTrainingWakefulness(
  blocker: Pick<PowerSaveBlocker, 'start' | 'stop' | 'isStarted'>,
): TrainingWakefulness {
  let id: number | undefined;
  return {
    setTraining: (isTraining) => {
      if (isTraining) id ??= blocker.start('prevent-app-suspension');
      else if (id !== undefined) {
        if (blocker.isStarted(id)) blocker.stop(id);
        id = undefined;
      }
    },
  };
}
