import { Ext4Target } from '../oracle/damselfly-ext4.ts';
import { contract } from './contract.ts';
import { ext4Differences, ext2Differences } from './known.ts';

contract('damselfly ext4, up', () => new Ext4Target({ flavour: 'up-debug' }), ext4Differences);
contract('damselfly ext4, smp', () => new Ext4Target({ flavour: 'smp-debug' }), ext4Differences);
contract(
  'damselfly ext2 in blocks of 1 KiB, up',
  () => new Ext4Target({ flavour: 'up-debug', mkfs: { type: 'ext2', blockSize: 1024 } }),
  ext2Differences,
);
contract(
  'damselfly ext4 with its data in the journal, up',
  () => new Ext4Target({ flavour: 'up-debug', options: 'data=journal' }),
  ext4Differences,
);
