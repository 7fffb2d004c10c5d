import { Html } from '../shared/html.ts';

/** A drawing of a product: one outline per type, one colour per product. Drawn here, so that the shop needs no image files. */
export function picture(type: string, hue: number): Html {
  const shape = SHAPES[type] ?? '<circle cx="50" cy="50" r="24"/>';
  return new Html(
    `<svg class="picture" viewBox="0 0 100 100" aria-hidden="true" style="--hue:${hue}"><rect width="100" height="100"/><g>${shape}</g></svg>`,
  );
}

const SHAPES: Readonly<Record<string, string>> = {
  mug: '<path d="M30 34h32v30a8 8 0 0 1-8 8H38a8 8 0 0 1-8-8z"/><path class="line" d="M62 42h6a7 7 0 0 1 0 18h-6"/>',
  pan: '<circle cx="42" cy="54" r="20"/><path class="line" d="M57 41 78 24"/><circle class="light" cx="42" cy="54" r="14"/>',
  knife: '<path d="M24 62c12-2 26-10 38-24l8 8-18 16z"/><path class="line" d="m64 44 14-14"/>',
  board:
    '<rect x="32" y="30" width="36" height="48" rx="6"/><path class="line" d="M50 30v-8"/><circle class="light" cx="50" cy="37" r="2.5"/>',
  lamp: '<path d="M38 44 62 30l8 16-16 8z"/><path class="line" d="M48 50 36 74M28 76h24"/>',
  notebook:
    '<rect x="32" y="26" width="38" height="50" rx="3"/><path class="line light" d="M40 26v50M46 38h16M46 46h16M46 54h10"/>',
  pen: '<path d="m30 72 4-14 28-28 10 10-28 28z"/><path class="line light" d="m56 36 10 10"/>',
  clock: '<circle cx="50" cy="52" r="24"/><path class="line light" d="M50 38v14l9 6"/>',
  spade:
    '<path d="M36 48h28v12c0 10-8 14-14 20-6-6-14-10-14-20z"/><path class="line" d="M50 48V22M42 22h16"/>',
  can: '<path d="M36 44h28l4 30H32z"/><path class="line" d="M66 52 82 38M40 44c0-16 20-16 20 0"/>',
  pot: '<path d="M30 44h40l-6 32H36z"/><rect x="27" y="38" width="46" height="8" rx="2"/><path class="line" d="M50 38c0-10 4-14 12-16M50 34c-1-8-6-11-12-11"/>',
  gloves:
    '<path d="M36 76V44c0-5 6-5 6 0V32c0-5 6-5 6 0v-3c0-5 6-5 6 0v3c0-5 6-5 6 0v20l6-6c4-3 8 1 5 5L60 66v10z"/>',
  hammer: '<path d="M30 30h30c6 0 8 4 10 8H60v6H30z"/><path class="line thick" d="M44 44v34"/>',
  saw: '<path d="M24 50 66 36l6 12-42 14z"/><path class="line" d="M68 36c8-2 12 2 12 8s-4 8-8 6"/><path class="line light" d="m32 60 2-4 3 3 2-5 3 4 2-5 3 3 2-4 3 3 2-4"/>',
  level:
    '<rect x="20" y="42" width="60" height="16" rx="3"/><rect class="light" x="42" y="46" width="16" height="8" rx="4"/><circle cx="51" cy="50" r="2.5"/>',
  square:
    '<path d="M30 24h12v40h32v12H30z"/><path class="line light" d="M36 32h6M36 40h6M36 48h6M52 70v6M60 70v6"/>',
  bag: '<path d="M28 44h44l4 32H24z"/><path class="line" d="M38 44c0-20 24-20 24 0"/><path class="line light" d="M28 56h44"/>',
  flask:
    '<rect x="38" y="34" width="24" height="44" rx="6"/><rect x="42" y="22" width="16" height="10" rx="2"/><path class="line light" d="M38 48h24"/>',
  compass: '<circle cx="50" cy="52" r="25"/><path class="light" d="m60 40-6 16-14 8 6-16z"/>',
  blanket:
    '<rect x="26" y="34" width="48" height="36" rx="3"/><path class="line light" d="M26 44h48M26 60h48M38 34v36M62 34v36"/>',
};
