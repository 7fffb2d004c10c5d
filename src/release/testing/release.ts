import { createHash } from 'node:crypto';
import type { ReleaseFile, ReleaseManifest } from '../../model/release.ts';
import { bundleOf } from '../bundle-digest.ts';

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export function file(path: string, content: string | Uint8Array = path, executable = false): ReleaseFile {
  return { kind: 'file', path, digest: sha256(content), sizeBytes: Buffer.byteLength(content), executable };
}

export function link(path: string, target: string): ReleaseFile {
  return { kind: 'link', path, target };
}

export const BUNDLE = '.fulcrum/bundles/hello-0123456789ab/index.mjs';

/** An app of one module, as a manifest that is right. */
export function manifest(more: readonly ReleaseFile[] = []): ReleaseManifest {
  const files = [
    file('fulcrum.config.ts'),
    file('hello.ts'),
    file(BUNDLE),
    file(`${BUNDLE}.map`, '{}'),
    ...more,
  ];
  return {
    format: 1,
    app: 'shop',
    environment: 'production',
    fulcrum: '0.1.0',
    platform: null,
    config: { name: 'shop', components: { hello: { entry: './hello.ts' } } },
    bundles: { hello: bundleOf(BUNDLE, files) },
    files,
  };
}
