// The specification's cases in the real @openfeature/server-sdk.
import * as sdk from '@openfeature/server-sdk';

import { Flags } from '@esclusa/node';
import { EsclusaProvider as Provider } from '@esclusa/node/openfeature';

import { testConformance } from '../../js/test/conformance.js';

await testConformance({ Flags, sync: (flags, source, options) => flags.sync(source, options), sdk, Provider, isWeb: false });
