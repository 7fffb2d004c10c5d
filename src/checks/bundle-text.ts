import { dirname, relative, resolve, sep } from 'node:path';

import { eachMapping, originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { parse, type Options } from 'acorn';

import { adopt, type Node } from './syntax.ts';

/** One module of a bundle: its text as it was built, and its source map as JSON, where there is one. */
export interface BundleModule {
  /** File name within the bundle, such as `index.mjs`. */
  readonly name: string;
  readonly code: string;
  readonly map: string | null;
}

export interface BundlePlaces {
  /** The folder that the bundle lies in: what a map's sources count from. */
  readonly directory: string;
  /** The app's folder: what files are shown relative to. */
  readonly appDirectory: string;
  /** Absolute folders that hold no code of the author, though they are no `node_modules`. */
  readonly libraries: readonly string[];
}

export interface Place {
  /** Absolute. */
  readonly path: string;
  /** Relative to the app, `/` between names. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const SYNTAX: Options = { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true };

/** The bundler writes each module's path before it, as a line of its own. */
const MODULE_LINE = /^\/\/(?:#region)? (\S.*)$/gm;
const DECLARATION = /^(?:export )?(?:var|let|const|class|function\*?|async function\*?) ([\p{L}\p{N}_$]+)/gmu;
const IN_PACKAGE = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*\/node_modules\/)/;

/**
 * A module of a bundle, parsed: of its code what the author wrote, of the libraries bundled in only the names that they declare.
 * Throws where the text cannot be parsed.
 */
export class BundleText {
  readonly name: string;
  readonly program: Node;
  /** The package by each name that a bundled library declares. */
  readonly packages: ReadonlyMap<string, string>;
  readonly #code: string;
  readonly #lineStarts: readonly number[];
  readonly #map: TraceMap;
  readonly #places: BundlePlaces;
  readonly #libraries = new Map<string, string | null>();
  readonly #sourcesOfLine: ReadonlyMap<number, readonly Mapping[]>;

  constructor(module: BundleModule & { readonly map: string }, places: BundlePlaces) {
    this.name = module.name;
    this.#places = places;
    this.#map = readMap(module.map);
    this.#lineStarts = lineStarts(module.code);
    this.#sourcesOfLine = sourcesOfLine(this.#map);
    const packages = new Map<string, string>();
    this.packages = packages;
    const { code, program } = parsed(module.code, this.#withoutLibraries(module.code, packages));
    this.#code = code;
    program.parent = null;
    this.#dropLibraries(program, packages);
    adopt(program);
    this.program = program;
  }

  /** Where the author wrote what stands at an offset; null where that is not the author's. */
  placeOf(offset: number): Place | null {
    const line = this.#lineOf(offset);
    const found = originalPositionFor(this.#map, {
      line: line + 1,
      column: offset - this.#lineStarts[line]!,
    });
    if (found.source === null || this.#libraryOf(found.source) !== null) return null;
    const path = this.#pathOf(found.source);
    const file = relative(this.#places.appDirectory, path).split(sep).join('/');
    return { path, file, line: found.line, column: found.column + 1 };
  }

  /** The line that an offset stands in, as it was bundled. */
  textOfLine(offset: number): string {
    const line = this.#lineOf(offset);
    return this.#code.slice(this.#lineStarts[line], this.#lineStarts[line + 1]).trimEnd();
  }

  /** The modules that went into the file, as the bundler names them in its comments: relative to the app. */
  #modules(): ReadonlySet<string> {
    const sources = this.#map.sources.filter((source) => source !== null);
    return new Set(
      sources
        .map((source) => this.#pathOf(source))
        .map((path) => relative(this.#places.appDirectory, path).split(sep).join('/')),
    );
  }

  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #pathOf(source: string): string {
    return resolve(this.#places.directory, dirname(this.name), source);
  }

  /** The package that a source belongs to; empty for a library without a name; null where it is the author's. */
  #libraryOf(source: string): string | null {
    const known = this.#libraries.get(source);
    if (known !== undefined) return known;
    const found = this.#findLibrary(source);
    this.#libraries.set(source, found);
    return found;
  }

  #findLibrary(source: string): string | null {
    if (source.startsWith('\0') || source.includes('rolldown/runtime')) return '';
    const named = IN_PACKAGE.exec(source)?.[1];
    if (named !== undefined) return named;
    const path = this.#pathOf(source);
    return this.#places.libraries.some((folder) => path.startsWith(folder + sep)) ? '' : null;
  }

  /**
   * `code` with the text of bundled packages blanked, line by line, so that offsets stay where they are and the parser need not
   * read what may be megabytes. It goes by the comments that the bundler writes, and by the source map where one comment stands before
   * modules of several owners; where there are none nothing is lost but time.
   */
  #withoutLibraries(code: string, packages: Map<string, string>): string {
    const modules = this.#modules();
    const heads = [...code.matchAll(MODULE_LINE)].filter(
      ([, path]) => path!.startsWith('\\0') || modules.has(path!),
    );
    const parts = [code.slice(0, heads[0]?.index)];
    heads.forEach((head, i) => {
      const end = heads[i + 1]?.index ?? code.length;
      const text = code.slice(head.index, end);
      const isLibrary = head[1]!.startsWith('\\0') || IN_PACKAGE.test(head[1]!);
      if (!isLibrary || this.#isAuthors(head.index, end)) {
        parts.push(text);
        return;
      }
      const declarations = [...text.matchAll(DECLARATION)];
      declarations.forEach((declaration, n) => {
        const from = head.index + declaration.index;
        const source = this.#sourceWithin(from, head.index + (declarations[n + 1]?.index ?? text.length));
        packages.set(
          declaration[1]!,
          (source === null ? null : this.#libraryOf(source)) ?? IN_PACKAGE.exec(head[1]!)?.[1] ?? '',
        );
      });
      // What a file exports stands at its end, behind whatever module is the last.
      const exports = i === heads.length - 1 ? text.search(/^export (?:default |\{)/m) : -1;
      const body = exports < 0 ? text : text.slice(0, exports);
      parts.push(
        body.replaceAll(/[^\n]+/g, (line) => ' '.repeat(line.length)),
        text.slice(body.length),
      );
    });
    return parts.join('');
  }

  /** Takes out the statements of libraries that are there still, going by the source map. */
  #dropLibraries(program: Node, packages: Map<string, string>): void {
    const kept = (program['body'] as Node[]).filter((statement) => {
      if (/^(?:Import|Export)/.test(statement.type)) return true;
      const source = this.#sourceWithin(statement.start, statement.end);
      const library = source === null ? null : this.#libraryOf(source);
      if (library === null) return true;
      const declared = statement['declarations'] ?? [statement];
      for (const one of declared as Node[]) {
        if (one['id']?.type === 'Identifier') packages.set(one['id'].name, library);
      }
      return false;
    });
    (program as unknown as { body: Node[] }).body = kept;
  }

  /** The first source that text between two offsets was made of; null where it was made of none. */
  #sourceWithin(start: number, end: number): string | null {
    const last = this.#lineOf(end);
    for (let line = this.#lineOf(start); line <= last; line++) {
      const from = this.#lineStarts[line]!;
      const found = this.#sourcesOfLine.get(line)?.find((mapping) => from + mapping.column >= start);
      if (found !== undefined) return from + found.column < end ? found.source : null;
    }
    return null;
  }

  /** Whether something between two offsets is the author's. */
  #isAuthors(start: number, end: number): boolean {
    const last = this.#lineOf(end - 1);
    for (let line = this.#lineOf(start); line <= last; line++) {
      if (this.#sourcesOfLine.get(line)?.some(({ source }) => this.#libraryOf(source) === null)) return true;
    }
    return false;
  }
}

/** Throws SyntaxError for what is no source map, as for what is no program. */
function readMap(text: string): TraceMap {
  try {
    return new TraceMap(text);
  } catch (error) {
    throw new SyntaxError('not a source map', { cause: error });
  }
}

interface Mapping {
  readonly column: number;
  readonly source: string;
}

/** Where each line begins to be of another source. */
function sourcesOfLine(map: TraceMap): Map<number, Mapping[]> {
  const lines = new Map<number, Mapping[]>();
  eachMapping(map, ({ generatedLine, generatedColumn, source }) => {
    if (source === null) return;
    const line = lines.get(generatedLine - 1);
    if (line === undefined) lines.set(generatedLine - 1, [{ column: generatedColumn, source }]);
    else if (line.at(-1)!.source !== source) line.push({ column: generatedColumn, source });
  });
  return lines;
}

/** `short` parsed; where it is no whole program (a line of a template looked like the bundler's comment) `whole`. */
function parsed(whole: string, short: string): { code: string; program: Node } {
  try {
    return { code: short, program: parse(short, SYNTAX) as unknown as Node };
  } catch (error) {
    if (short === whole) throw error;
    return { code: whole, program: parse(whole, SYNTAX) as unknown as Node };
  }
}

function lineStarts(code: string): number[] {
  const starts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
