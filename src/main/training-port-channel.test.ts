import { EventEmitter } from 'node:events';
import type { MessagePortMain } from 'electron';
import { describe, expect, it } from 'vitest';
import type { TrainingRequest } from '#site/site.ts';
import { announceTraining } from './announced-training.ts';
import { createPortChannel } from './training-port-channel.ts';

class FakePort extends EventEmitter {
  readonly sent: unknown[] = [];
  isStarted = false;
  postMessage(message: unknown): void {
    this.sent.push(message);
  }
  start(): void {
    this.isStarted = true;
  }
}

const request = (kind: string) => ({ kind }) as unknown as TrainingRequest;

describe('the training channel of Electron', () => {
  it('asks for a process, and sends what waited once its port is there, in order', () => {
    const told: unknown[] = [];
    const channel = createPortChannel({ postMessage: (message: unknown) => told.push(message) });
    const opened = channel.open('one', null);
    const replies: unknown[] = [];
    opened.onMessage((reply) => replies.push(reply));
    opened.post(request('first'));
    opened.post(request('second'));
    const port = new FakePort();
    channel.receive({ kind: 'training-port' }, port as unknown as MessagePortMain);
    opened.post(request('third'));
    expect(port.sent).toEqual([{ kind: 'first' }, { kind: 'second' }, { kind: 'third' }]);
    port.emit('message', { data: { kind: 'ready' } });
    expect([port.isStarted, replies]).toEqual([true, [{ kind: 'ready' }]]);
    opened.kill();
    expect(told).toEqual([{ kind: 'open-training', threads: 1 }, { kind: 'kill-training' }]);
  });

  it('tells of the end of the process', () => {
    const channel = createPortChannel({ postMessage: () => {} });
    const exits: unknown[] = [];
    channel.open('all', 3).onExit((exit) => exits.push(exit));
    channel.receive({ kind: 'training-exit' }, undefined);
    expect(exits).toEqual([{ code: null, signal: null }]);
  });
});

describe('an announced training host', () => {
  it('tells when the first of several jobs begins and the last one ends, however they end', async () => {
    const told: boolean[] = [];
    const ends: ((error?: Error) => void)[] = [];
    const job = () =>
      new Promise<never>((resolve, reject) => {
        ends.push((error) => (error === undefined ? resolve({} as never) : reject(error)));
      });
    const host = announceTraining(
      { engine: job, train: job, evaluate: job, close: async () => {} },
      (isTraining) => told.push(isTraining),
    );
    const [first, second] = [host.train({} as never, {} as never), host.evaluate({} as never)];
    expect(told).toEqual([true]);
    ends[0]?.(new Error('diverged'));
    await expect(first).rejects.toThrow('diverged');
    expect(told).toEqual([true]);
    ends[1]?.();
    await second;
    expect(told).toEqual([true, false]);
  });
});
