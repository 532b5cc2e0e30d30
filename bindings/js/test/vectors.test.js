// Every vector of spec/vectors through the package that ESCLUSA_HOST names.
import assert from 'node:assert/strict';
import test from 'node:test';

import { layers } from './layers.js';
import { build, host } from './hosts.js';
import { checkVectors } from './vectors.js';

test('there are as many layers and vectors as there should be', () => {
  assert.ok(layers.length >= 14);
  assert.ok(layers.flatMap(({ vectors }) => vectors).length >= 1200);
});

for (const layer of layers) {
  test(`${layer.layer}: ${layer.vectors.length} vectors`, (t) => {
    const { passed, setAside, foreign, failures } = checkVectors(host, [layer], build);
    assert.deepEqual(failures, []);
    assert.equal(passed + foreign, layer.vectors.length);
    // Trips and guards alone are for other hosts or builds.
    assert.ok(foreign === 0 || layer.layer === 'guards', `${foreign} vectors of ${layer.layer} are for others`);
    if (setAside > 0) {
      t.diagnostic(`${layer.layer}: ${setAside} vectors use what this build leaves out, and are set aside`);
    }
  });
}
