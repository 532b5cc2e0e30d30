import { flagKeys } from '../generated/flags';
flags.value(flagKeys.LIMIT, context); flags.isEnabled(flagKeys.FLAG_2FA, context); const LIMIT = 3;
