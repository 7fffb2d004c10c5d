import type { RequestListener } from 'node:http';
import { DOWNLOAD_BYTES } from './payloads.ts';

const MEGABYTE = Buffer.alloc(DOWNLOAD_BYTES, 'x');

/** The handler that all subjects have, on Node's own request and response. */
export const rawHandler: RequestListener = (request, response) => {
  if (request.method !== 'POST') {
    if (request.url!.endsWith('/download')) {
      response.setHeader('content-type', 'application/octet-stream');
      response.end(MEGABYTE);
      return;
    }
    response.setHeader('content-type', 'text/plain;charset=UTF-8');
    response.end('Hello, world!');
    return;
  }
  if (request.url!.endsWith('/upload')) {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => void (bytes += chunk.length));
    request.on('end', () => response.end(String(bytes)));
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(Buffer.concat(chunks));
  });
};
