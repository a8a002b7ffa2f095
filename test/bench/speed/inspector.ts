import { once } from 'node:events';
import type { HeapProfiler, Profiler } from 'node:inspector';
import type { Scope } from '../scope.ts';

/** What is asked here, and what comes back (Chrome DevTools Protocol). */
interface Answers {
  'Profiler.enable': object;
  'Profiler.setSamplingInterval': object;
  'Profiler.start': object;
  'Profiler.stop': Profiler.StopReturnType;
  'HeapProfiler.startSampling': object;
  'HeapProfiler.stopSampling': HeapProfiler.StopSamplingReturnType;
}

export interface Inspector {
  post: <Method extends keyof Answers>(method: Method, params?: object) => Promise<Answers[Method]>;
}

/** To a process that was started with `--inspect` at this port. */
export async function connectInspector(port: number, scope: Scope): Promise<Inspector> {
  const list = await fetch(`http://127.0.0.1:${port}/json/list`);
  const [target] = (await list.json()) as { webSocketDebuggerUrl: string }[]; // of Node itself
  if (!target) throw new Error('the process cannot be inspected');
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await once(socket, 'open');
  scope.onClose(() => socket.close());
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data));
    if (error) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  let last = 0;
  return {
    post: (method, params = {}) => {
      const answer = Promise.withResolvers<unknown>();
      waiting.set((last += 1), answer);
      socket.send(JSON.stringify({ id: last, method, params }));
      return answer.promise as Promise<Answers[typeof method]>; // by the protocol
    },
  };
}
