import { DamselflyTarget } from '../oracle/damselfly.ts';
import { contract } from './contract.ts';
import { tmpfsDifferences } from './known.ts';

contract('damselfly tmpfs, up', () => new DamselflyTarget({ flavour: 'up-debug' }), tmpfsDifferences);
contract('damselfly tmpfs, smp', () => new DamselflyTarget({ flavour: 'smp-debug' }), tmpfsDifferences);
