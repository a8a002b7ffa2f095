import { createServer } from 'node:net';

// Loaded into a server process before its own code (`node --import`), where cpu-time.ts asks for it: whoever
// writes a byte to this port is told how many microseconds of CPU time the process has used, in all its threads.

createServer((socket) => {
  socket.unref().setNoDelay();
  socket.on('error', () => socket.destroy());
  socket.on('data', () => {
    const { user, system } = process.cpuUsage();
    socket.write(`${user + system}\n`);
  });
})
  .listen(Number(process.env.CPU_METER_PORT), '127.0.0.1')
  .unref();
