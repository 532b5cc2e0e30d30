#!/usr/bin/env node
// Runs the program that the package for this platform holds.
'use strict';

const { spawnSync } = require('node:child_process');

/** The platform by npm's names, as in `bindings/targets.json`. */
function platform() {
  const { platform, arch, report } = process;
  if (platform === 'win32') return `win32-${arch}-msvc`;
  if (platform !== 'linux') return `${platform}-${arch}`;
  const { header } = report.getReport();
  return `linux-${arch}-${header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

const name = `@esclusa/cli-${platform()}`;
let program;
try {
  program = require.resolve(`${name}/esclusa${process.platform === 'win32' ? '.exe' : ''}`);
} catch {
  console.error(`error: the package ${name} is not installed; npm installs it unless optional dependencies are left out`);
  process.exit(2);
}
const { status, signal, error } = spawnSync(program, process.argv.slice(2), { stdio: 'inherit' });
if (error) {
  console.error(`error: cannot run ${program}: ${error.message}`);
  process.exit(2);
}
if (signal) process.kill(process.pid, signal);
process.exitCode = status ?? 2;
