import { defineConfig } from 'vitest/config';
import { Tally } from './test/tally.ts';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    // One Chromium at a time: the machines that run this are small.
    fileParallelism: false,
    reporters: ['default', new Tally()],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
