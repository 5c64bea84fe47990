/** The npm package ships no types: CommonJS, whose `default` is the path of the binary for this machine. */
declare module "workerd" {
  const workerd: { readonly default: string };
  export default workerd;
}
