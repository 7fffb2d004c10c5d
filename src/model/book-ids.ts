/** The price books that come with Fulcrum, by id. `meter` holds the books themselves; a test of `config` holds the two together. */
export const BOOK_IDS = [
  'aws-ec2',
  'aws-fargate-arm',
  'aws-fargate-x86',
  'aws-lambda-arm',
  'aws-lambda-managed',
  'aws-lambda-x86',
  'azure-container-apps',
  'azure-functions-consumption',
  'azure-functions-flex',
  'cloudflare-containers',
  'cloudflare-workers',
  'google-cloud-run-instances',
  'google-cloud-run-requests',
  'own-machine',
] as const;
