import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** An app of many small functions, each with a module of its own, in a temporary folder; and the server that runs it. */
export class FunctionFarm {
  readonly server: ServerProcess;
  /** One for each function. */
  readonly paths: readonly string[];
  readonly #folder: string;

  /** @param settings of every function, as a config has them. */
  static async start(count: number, settings: Readonly<Record<string, unknown>>): Promise<FunctionFarm> {
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-farm-'));
    try {
      const names = Array.from({ length: count }, (_, i) => `f${i}`);
      // Not beside the config: where something is hidden in a folder (`.fulcrum` is), each of its files has a rule of its own.
      const modules = join(folder, 'functions');
      await mkdir(modules);
      await Promise.all(names.map((name) => writeFile(join(modules, `${name}.ts`), moduleText(name))));
      const components = Object.fromEntries(
        names.map((name) => [name, { entry: `./functions/${name}.ts`, routes: [`/${name}`], ...settings }]),
      );
      const config = JSON.stringify({ name: 'farm', components });
      await writeFile(
        join(folder, 'fulcrum.config.ts'),
        `import { defineApp } from 'fulcrum';\nexport default defineApp(${config} as never);\n`,
      );
      const server = await ServerProcess.start('fulcrum-server.ts', [folder]);
      return new FunctionFarm(server, folder, names);
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  private constructor(server: ServerProcess, folder: string, names: readonly string[]) {
    this.server = server;
    this.#folder = folder;
    this.paths = names.map((name) => `/${name}`);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.#folder, { recursive: true });
  }
}

/** As small functions are: some text, a table, a little work. */
function moduleText(name: string): string {
  return `const loaded = String(process.hrtime.bigint());
const greetings = new Map([['en', 'Hello'], ['de', 'Hallo'], ['fr', 'Bonjour']]);

export default {
  fetch(request: Request): Response {
    const language = request.headers.get('accept-language') ?? 'en';
    const text = \`\${greetings.get(language) ?? 'Hello'} from ${name}\`;
    return new Response(text, { headers: { 'x-loaded': loaded } });
  },
};
`;
}
