import { DamselflyTarget } from '../oracle/damselfly.ts';
import { contract } from './contract.ts';

contract('damselfly tmpfs, up', () => new DamselflyTarget({ flavour: 'up-debug' }));
contract('damselfly tmpfs, smp', () => new DamselflyTarget({ flavour: 'smp-debug' }));
