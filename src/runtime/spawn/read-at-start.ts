/** Node reads these once, when it begins, so that they cannot come over the wire with the rest. None is a secret. */
export const READ_AT_START = [
  'TZ',
  'LANG',
  'LC_ALL',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'UV_THREADPOOL_SIZE',
];
