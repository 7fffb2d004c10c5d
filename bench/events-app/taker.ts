import { use, type ComponentModule } from 'fulcrum';
import { machineMs, type Sent } from './clock.ts';

const sink = use<typeof import('./sink.ts')>('sink');

export default {
  async queue(batch) {
    const nowMs = machineMs();
    await sink.note(batch.messages.map(({ data }) => nowMs - (data as Sent).sentMs));
  },
} satisfies ComponentModule;
