/** docs/wasi.md: its example runs as it stands there, and prints what it says. */
import { testGuide } from '../helpers/guide.ts';

testGuide('docs/wasi.md', {
  damselfly: 'host/index.ts',
  'damselfly/programs': 'host/programs/index.ts',
  'damselfly/wasi': 'host/wasi/index.ts',
});
