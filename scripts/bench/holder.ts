/**
 * Opens connections and keeps them without a word, until killed: `holder.ts PORT COUNT`. Run by idle.ts.
 */
const [port, count] = process.argv.slice(2).map(Number);

for (let opened = 0; opened < count!; opened += 100) {
  await Promise.all(
    Array.from({ length: Math.min(100, count! - opened) }, () =>
      Bun.connect({
        hostname: "127.0.0.1",
        port: port!,
        socket: { data() {}, close: () => process.exit(3) },
      }),
    ),
  );
}
process.on("disconnect", () => process.exit(0));
process.send?.("open");

export {};
