/** What the servers under measurement send and take. */
export const DOWNLOAD_BYTES = 1024 * 1024;
export const UPLOAD_BYTES = 10 * 1024 * 1024;
export const ONE_KILOBYTE = JSON.stringify({ text: 'x'.repeat(1_024 - JSON.stringify({ text: '' }).length) });
