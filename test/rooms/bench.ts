import { runRoom } from '../support/room.js';

await runRoom('bench');
