// The specification's cases in the real @openfeature/web-sdk.
import * as sdk from '@openfeature/web-sdk';

import init, { Flags, sync } from '@esclusa/wasm/full';
import { EsclusaWebProvider as Provider } from '@esclusa/wasm/openfeature';

import { testConformance } from '../../js/test/conformance.js';

await init();
await testConformance({ Flags, sync, sdk, Provider, isWeb: true });
