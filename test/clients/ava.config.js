// Generated clients, compiled and run: with Python, Go and Java where they are there.
export default {
  extensions: ['ts'],
  files: ['test/clients/**/*.test.ts'],
  workerThreads: false,
  nodeArguments: ['--no-memory-protection-keys'],
  timeout: '20m',
};
