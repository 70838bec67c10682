/** docs/disks.md: each of its examples runs as it stands there, and prints what it says. */
import { testGuide } from '../helpers/guide.ts';

testGuide('docs/disks.md', {
  damselfly: 'host/index.ts',
  'damselfly/disks': 'host/devices/node/index.ts',
  'damselfly/testing': 'host/testing/index.ts',
});
