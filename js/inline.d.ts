/** What the build puts into `ingle/inline`: gzipped wasm in base64, and a worker's script. */

declare module "ingle:inline-wasm" {
  const base64: string;
  export default base64;
}

declare module "ingle:inline-worker" {
  const script: string;
  export default script;
}
