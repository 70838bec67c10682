/** docs/programs.md: each of its examples runs as it stands there, and prints what it says. */
import { testGuide } from '../helpers/guide.ts';

testGuide('docs/programs.md', {
  damselfly: 'host/index.ts',
  'damselfly/programs': 'host/programs/index.ts',
});
