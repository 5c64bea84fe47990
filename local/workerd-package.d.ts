/** The npm package ships no types: its default export is the path of the binary for this machine. */
declare module "workerd" {
  const path: string;
  export default path;
}
