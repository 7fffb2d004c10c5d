import type { Mode } from '../../model/app.ts';
import type { Used } from '../../model/used.ts';
import type { Arrivals } from './arrivals.ts';
import type { Blocks } from './blocks.ts';
import { replayBlock, type BlockReplay } from './block-replay.ts';
import { mergedUsed } from './merged.ts';
import type { FactModels } from '../own/models-of-facts.ts';
import type { PerMode } from './request.ts';

/** A window in one mode: each block, each time placed anew. */
export interface WindowReplay {
  readonly mode: Mode;
  /** By placement, then by block. */
  readonly placements: readonly (readonly BlockReplay[])[];
  /** Of the first placement, all blocks. */
  readonly used: Used;
}

export interface WindowQuestion {
  readonly arrivals: Arrivals;
  readonly blocks: Blocks;
  readonly models: FactModels;
  readonly times: number;
  readonly seed: number;
  readonly placements: number;
  /** About so many invocations are replayed, in all and each mode. */
  readonly most: number;
  readonly onBlock: () => void;
}

export function replayWindow(question: WindowQuestion): PerMode<WindowReplay> {
  return { function: replayMode('function', question), service: replayMode('service', question) };
}

function replayMode(mode: Mode, question: WindowQuestion): WindowReplay {
  const { arrivals, blocks, models, times, seed, onBlock } = question;
  const most = Math.ceil(question.most / question.placements / blocks.spans.length);
  const placements = Array.from({ length: question.placements }, (_, placement) =>
    blocks.spans.map((block, i) => {
      const ofBlock = seed + placement * 7_919 + i * 104_729;
      const found = replayBlock({ arrivals, block, model: models[mode], times, seed: ofBlock, most });
      onBlock();
      return found;
    }),
  );
  return { mode, placements, used: mergedUsed(placements[0]!.map(({ used }) => used)) };
}
