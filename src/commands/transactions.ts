import type { Call } from "../call/call.ts";
import { allKeys } from "../call/key-specs.ts";
import type { CommandSpec } from "../call/spec.ts";

import { CommandError } from "../resp/errors.ts";
import type { Transactions } from "../transactions/transactions.ts";

/** MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
export interface TransactionCommandDeps {
  readonly transactions: Transactions;
}

function multi(call: Call, { transactions }: TransactionCommandDeps): void {
  transactions.begin(call.session);
  call.reply.ok();
}

function exec(call: Call, { transactions }: TransactionCommandDeps): void {
  if (!call.session.inTransaction) throw new CommandError("ERR EXEC without MULTI");
  transactions.exec(call);
}

function discard(call: Call, { transactions }: TransactionCommandDeps): void {
  if (!call.session.inTransaction) throw new CommandError("ERR DISCARD without MULTI");
  transactions.discard(call.session);
  call.reply.ok();
}

function watch(call: Call, { transactions }: TransactionCommandDeps): void {
  if (call.session.inTransaction) throw new CommandError("ERR WATCH inside MULTI is not allowed");
  for (let i = 1; i < call.argc; i++) transactions.watch(call, i);
  call.reply.ok();
}

function unwatch(call: Call, { transactions }: TransactionCommandDeps): void {
  transactions.unwatch(call.session);
  call.reply.ok();
}

export function transactionCommands(deps: TransactionCommandDeps): CommandSpec[] {
  return [
    {
      name: "discard",
      arity: 1,
      flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
      categories: ["transaction"],
      since: "2.0.0",
      group: "transactions",
      summary: "Forgets the transaction's commands.",
      complexity: "O(N), N queued commands",
      immediate: true,
      run: (call) => discard(call, deps),
    },
    {
      name: "exec",
      arity: 1,
      flags: ["noscript", "loading", "stale", "skip_slowlog"],
      categories: ["transaction"],
      since: "1.2.0",
      group: "transactions",
      summary: "Executes the transaction.",
      complexity: "Depends on its commands",
      immediate: true,
      endsTransaction: true,
      run: (call) => exec(call, deps),
    },
    {
      name: "multi",
      arity: 1,
      flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
      categories: ["transaction"],
      since: "1.2.0",
      group: "transactions",
      summary: "Begins a transaction.",
      complexity: "O(1)",
      immediate: true,
      run: (call) => multi(call, deps),
    },
    {
      name: "unwatch",
      arity: 1,
      flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
      categories: ["transaction"],
      since: "2.2.0",
      group: "transactions",
      summary: "Watches no key any more.",
      complexity: "O(1)",
      run: (call) => unwatch(call, deps),
    },
    {
      name: "watch",
      arity: -2,
      flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
      categories: ["transaction"],
      keys: [allKeys("RO")],
      since: "2.2.0",
      group: "transactions",
      summary: "Watches keys: when one changes, the next transaction is not executed.",
      complexity: "O(1) for each key",
      args: "key...",
      immediate: true,
      run: (call) => watch(call, deps),
    },
  ];
}
