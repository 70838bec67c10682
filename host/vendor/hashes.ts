/** @noble/hashes, as far as commands need it. */
export { md5, sha1 } from '@noble/hashes/legacy.js';
export { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
export { bytesToHex } from '@noble/hashes/utils.js';
