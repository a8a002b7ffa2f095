// Slower than `npm test` and with other tools: the mock, the matrix, workflows and the fuzzer.
export default {
  extensions: ['ts'],
  files: ['test/contract/**/*.test.ts'],
  workerThreads: false,
  nodeArguments: ['--no-memory-protection-keys'],
  timeout: '10m',
};
