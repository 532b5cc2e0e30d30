import { defineConfig } from 'vitest/config';
import { Tally } from './test/tally.ts';

export default defineConfig({
  test: {
    environment: 'happy-dom',
    include: ['test/**/*.test.{ts,tsx}'],
    setupFiles: ['test/console.ts'],
    reporters: ['default', new Tally()],
    // The machines that run this are small, and a wait that fails should say so rather than be cut off.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
