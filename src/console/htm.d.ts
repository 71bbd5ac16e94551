/** The text of a file that goes into the compiled binary with the program. */
declare module "*.htm" {
  const text: string;
  export default text;
}
