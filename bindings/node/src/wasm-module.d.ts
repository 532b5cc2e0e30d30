/** The WebAssembly module in base64. */
declare module 'esclusa.wasm' {
  const module: string;
  export default module;
}
