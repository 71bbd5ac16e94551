/**
 * The package's entry for Node, as JavaScript: node.js, node.cjs for `require` (Jest's way of importing), and its types.
 * Node's own modules are all it needs.
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";

const INSIDE = join(import.meta.dir, "..", "..", "src", "inside");
/** Bun would put the folder of the source in place of these, so they are put in afterwards. */
const PLACEHOLDER = '"@folder-of-the-bundle@"';
const KINDS = [
  { format: "esm", name: "node.js", folder: "import.meta.dirname" },
  { format: "cjs", name: "node.cjs", folder: "__dirname" },
] as const;

/** Writes the files into this folder, which is to lie in the package's; throws where they cannot be built. */
export async function buildNodeEntry(outdir: string): Promise<void> {
  for (const { format, name, folder } of KINDS) {
    const { outputs } = await Bun.build({ entrypoints: [join(INSIDE, "child.ts")], target: "node", format });
    const parts = (await outputs[0]!.text()).split(PLACEHOLDER);
    if (parts.length !== 2) throw new Error(`${name}: there is to be one ${PLACEHOLDER}`);
    await Bun.write(join(outdir, name), parts.join(folder));
  }
  copyFileSync(join(INSIDE, "redbun.d.ts"), join(outdir, "node.d.cts"));
}
