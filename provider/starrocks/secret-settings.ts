/** Keys of settings whose values open something: `aws_s3_secret_key`, `azure_blob_sas_token`, `ssl_keystore_password`. */
const secretKey = /passw|pwd|secret|token|credential|(access|account|api|private|shared)_?key/i;

/** `ssl_private_key_path` says where a secret lies, and errors of StarRocks say so, too. */
const placeKey = /_(path|file|dir|location)$/i;

/** What is shorter stands in words that tell nothing: `true`, `1000`. */
const shortestValue = 6;

/**
 * The values of settings that nobody may see. What a program has marked as a secret comes to a dynamic provider as plain text, so
 * the key has to tell. Uppercase keys are evaluated by the start scripts: what a node says of them has no quotes any more.
 */
export const secretSettings = (settings: Iterable<readonly [key: string, value: string]>): readonly string[] =>
  [...settings]
    .filter(([key]) => secretKey.test(key) && !placeKey.test(key))
    .flatMap(([, value]) => [value, value.replace(/^(["'])(.*)\1$/, "$2")])
    .filter((value) => value.length >= shortestValue);
