/** The path of a file that goes into the compiled binary with the program. */
declare module "*.wasm" {
  const path: string;
  export default path;
}
