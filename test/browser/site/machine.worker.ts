/** What a user's own worker is: two lines. */
import { serve } from 'damselfly/worker';

serve();
