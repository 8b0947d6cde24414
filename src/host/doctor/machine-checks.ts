// The machine under the site: room on the disk, free memory, power and heat. Pure over what was measured, so that a test can be any machine.
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Finding, notice, problem, sound } from './finding.ts';

export interface Machine {
  /** Bytes. */
  readonly diskFree: number;
  readonly memoryFree: number;
  readonly memoryTotal: number;
  /** Null where the system does not say. */
  readonly isOnBattery: boolean | null;
  /** The hottest sensor, in degrees Celsius. */
  readonly hottest: number | null;
}

const GiB = 2 ** 30;
const least = { diskProblem: GiB, diskNotice: 10 * GiB, memory: GiB };
const hot = 90;

const gigabytes = (bytes: number): string => `${(bytes / GiB).toFixed(1)} GiB`;

export function checkMachine(machine: Machine): Finding[] {
  return [checkMemory(machine), checkDisk(machine), checkPower(machine)];
}

function checkMemory({ memoryFree, memoryTotal }: Machine): Finding {
  const details = { freeBytes: memoryFree, totalBytes: memoryTotal };
  const message = `${gigabytes(memoryFree)} of ${gigabytes(memoryTotal)} memory are free.`;
  if (memoryFree >= least.memory) return sound('memory', message, details);
  const nextStep =
    'Close other programs before a training run; with too little memory a run takes smaller parts, or stops.';
  return notice('memory', { code: 'MEMORY_LOW', message, nextStep, details });
}

function checkDisk({ diskFree }: Machine): Finding {
  const details = { freeBytes: diskFree };
  const message = `${gigabytes(diskFree)} are free where the profile lies.`;
  if (diskFree >= least.diskNotice) return sound('disk', message, details);
  const trouble = {
    code: 'DISK_ALMOST_FULL',
    message,
    nextStep: 'Make room, or move the profile to a larger disk.',
    details,
  } as const;
  return diskFree < least.diskProblem ? problem('disk', trouble) : notice('disk', trouble);
}

function checkPower({ isOnBattery, hottest }: Machine): Finding {
  const details = { isOnBattery, hottestCelsius: hottest };
  if (hottest !== null && hottest >= hot) {
    const message = `A sensor shows ${hottest} °C: the machine slows itself down.`;
    return notice('power', {
      code: 'MACHINE_HOT',
      message,
      nextStep: 'Pause the run, or give the machine air.',
      details,
    });
  }
  if (isOnBattery !== true) return sound('power', 'The machine is not known to run on its battery.', details);
  const nextStep = 'Plug the machine in before a long run, or pause the run: it goes on from there.';
  return notice('power', {
    code: 'ON_BATTERY',
    message: 'The machine runs on its battery.',
    nextStep,
    details,
  });
}

/** Looks at the machine; what it does not tell is null. @param folder where the profile lies or will lie */
export function readMachine(folder: string): Machine {
  const { bavail, bsize } = statfsSync(folder);
  return {
    diskFree: bavail * bsize,
    memoryFree: availableMemory(),
    memoryTotal: totalmem(),
    isOnBattery: readBattery('/sys/class/power_supply'),
    hottest: readHottest('/sys/class/thermal'),
  };
}

/** Linux counts its file cache as used; what it would give back is in /proc/meminfo. */
function availableMemory(): number {
  const line = read('/proc/meminfo')?.match(/^MemAvailable:\s+(\d+) kB$/m)?.[1];
  return line === undefined ? freemem() : Number(line) * 1024;
}

/** True when a battery discharges; null where there is no battery that says. */
export function readBattery(folder: string): boolean | null {
  const states = list(folder)
    .filter((name) => read(join(folder, name, 'type')) === 'Battery')
    .map((name) => read(join(folder, name, 'status')));
  return states.length === 0 ? null : states.includes('Discharging');
}

/** Degrees Celsius of the hottest zone. */
export function readHottest(folder: string): number | null {
  const degrees = list(folder)
    .map((name) => read(join(folder, name, 'temp')))
    .flatMap((text) => (text === undefined || !/^-?\d+$/.test(text) ? [] : [Number(text) / 1000]));
  return degrees.length === 0 ? null : Math.max(...degrees);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
