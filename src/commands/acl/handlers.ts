import type { Acl } from "../../acl/acl.ts";
import { loadAclFile, saveAclFile } from "../../acl/file.ts";
import { hasBlanks } from "../../acl/rules.ts";
import { categoryBit, type Selector } from "../../acl/selector.ts";
import { latin1Bytes } from "../../bytes/ascii.ts";
import { Call } from "../../call/call.ts";
import { CATEGORIES, type Registry } from "../../call/registry.ts";
import { systemErrorText } from "../../config/errors.ts";
import type { Log } from "../../host/log.ts";
import { randomHex } from "../../host/random.ts";
import { CommandError, fail, subcommandSyntax, wrongArity } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { Request } from "../../resp/request.ts";

/** ACL's handlers (https://redis.io/docs/latest/commands/acl/). */

export interface AclCommandDeps {
  readonly acl: Acl;
  readonly registry: Registry;
  readonly clock: { readonly now: number };
  readonly config: { readonly values: { readonly aclfile: string } };
  readonly log: Log;
}

const RESET = latin1Bytes("reset");
const MAX_BITS = 4096;
const SHOWN_BY_DEFAULT = 10;
/** For errors that quote an argument whole, up to its first NUL. */
const WHOLE = Number.MAX_SAFE_INTEGER;
const NO_FILE =
  "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER " +
  "command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users " +
  "in the Redis configuration.";

function limitArguments(call: Call, most: number): void {
  if (call.argc > most) throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
}

// ------------------------------------------------------------------ users

export function setUser(call: Call, { acl }: AclCommandDeps): void {
  for (let i = 2; i < call.argc; i++) call.redact(i);
  const name = call.text(2);
  if (hasBlanks(name)) throw new CommandError("ERR Usernames can't contain spaces or null characters");
  const rules = Array.from({ length: call.argc - 3 }, (_, i) => call.text(i + 3));
  acl.setUser(name, rules);
  call.reply.ok();
}

export function deleteUsers(call: Call, { acl }: AclCommandDeps): void {
  const names = Array.from({ length: call.argc - 2 }, (_, i) => call.text(i + 2));
  if (names.includes("default")) throw new CommandError("ERR The 'default' user cannot be removed");
  call.reply.int(names.filter((name) => acl.delete(name, call.session)).length);
}

function replySelector(reply: ReplyWriter, selector: Selector): void {
  reply.bulkText("commands");
  reply.bulkText(selector.describeCommands());
  reply.bulkText("keys");
  reply.bulkText(selector.describeKeys());
  reply.bulkText("channels");
  reply.bulkText(selector.describeChannels());
}

export function getUser(call: Call, { acl }: AclCommandDeps): void {
  const { reply } = call;
  const user = acl.get(call.text(2));
  if (user === undefined) return reply.nil();
  reply.map(6);
  reply.bulkText("flags");
  reply.set(user.flags.length);
  for (const flag of user.flags) reply.bulkText(flag);
  reply.bulkText("passwords");
  reply.array(user.passwords.length);
  for (const hash of user.passwords) reply.bulkText(hash);
  replySelector(reply, user.root);
  reply.bulkText("selectors");
  reply.array(user.selectors.length - 1);
  for (const selector of user.selectors.slice(1)) {
    reply.map(3);
    replySelector(reply, selector);
  }
}

export function users({ reply }: Call, { acl }: AclCommandDeps): void {
  const all = acl.all();
  reply.array(all.length);
  for (const { name } of all) reply.bulkText(name);
}

export function list({ reply }: Call, { acl }: AclCommandDeps): void {
  const all = acl.describeAll();
  reply.array(all.length);
  for (const text of all) reply.bulkText(`user ${text}`);
}

export function whoami({ reply, session }: Call): void {
  if (session.user === null) reply.nil();
  else reply.bulkText(session.user.name);
}

// ------------------------------------------------------------------ commands

export function categories(call: Call, { registry }: AclCommandDeps): void {
  limitArguments(call, 3);
  const { reply } = call;
  if (call.argc === 2) {
    const names = Object.keys(CATEGORIES);
    reply.array(names.length);
    for (const name of names) reply.bulkText(name);
    return;
  }
  const bit = categoryBit(call.text(2));
  if (bit === 0) throw new CommandError(`ERR Unknown category '${call.quoted(2)}'`);
  const found = [...registry.originals()].filter((command) => (command.categories & bit) !== 0);
  reply.array(found.length);
  for (const { fullName } of found) reply.bulkText(fullName);
}

export function dryRun(call: Call, { acl, registry }: AclCommandDeps): void {
  const user = acl.get(call.text(2)) ?? fail(`ERR User '${call.quoted(2, WHOLE)}' not found`);
  const trial = new Call();
  trial.load(Request.of(Array.from({ length: call.argc - 3 }, (_, i) => call.bytes(i + 3))));
  trial.session = call.session;
  trial.db = call.db;
  const command = registry.lookup(trial);
  // A container comes back itself where its subcommand is unknown.
  if (command === null || (command.subcommands !== null && trial.argc > 1))
    throw new CommandError(`ERR Command '${call.quoted(3, WHOLE)}' not found`);
  if (!command.acceptsArgs(trial.argc)) throw new CommandError(wrongArity(command.fullName));
  const refusal = acl.dryRun(user, trial, command);
  if (refusal === null) call.reply.ok();
  else call.reply.bulkText(refusal);
}

export function generatePassword(call: Call): void {
  limitArguments(call, 3);
  const bits = call.argc === 3 ? call.int(2) : 256;
  if (bits <= 0 || bits > MAX_BITS)
    throw new CommandError(
      "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to " +
        `${MAX_BITS}`,
    );
  call.reply.bulkText(randomHex(Math.ceil(bits / 4)));
}

// ------------------------------------------------------------------ log and file

export function log(call: Call, { acl, clock }: AclCommandDeps): void {
  limitArguments(call, 3);
  const { reply } = call;
  if (call.argc === 3 && call.is(2, RESET)) {
    acl.denials.clear();
    return reply.ok();
  }
  const count = call.argc === 3 ? Math.max(0, call.int(2)) : SHOWN_BY_DEFAULT;
  const shown = acl.denials.entries.slice(0, count);
  reply.array(shown.length);
  for (const entry of shown) {
    reply.map(10);
    reply.bulkText("count");
    reply.int(entry.count);
    for (const field of ["reason", "context", "object", "username"] as const) {
      reply.bulkText(field);
      reply.bulkText(entry[field]);
    }
    reply.bulkText("age-seconds");
    reply.double((clock.now - entry.updated) / 1000);
    reply.bulkText("client-info");
    reply.bulkText(entry.clientInfo);
    reply.bulkText("entry-id");
    reply.int(entry.id);
    reply.bulkText("timestamp-created");
    reply.int(entry.created);
    reply.bulkText("timestamp-last-updated");
    reply.int(entry.updated);
  }
}

export function load(call: Call, { acl, config }: AclCommandDeps): void {
  const { aclfile } = config.values;
  if (aclfile === "") throw new CommandError(NO_FILE);
  const errors = loadAclFile(acl, aclfile, call.session);
  if (errors !== null) throw new CommandError(`ERR ${errors}`);
  call.reply.ok();
}

export function save(call: Call, deps: AclCommandDeps): void {
  const { aclfile } = deps.config.values;
  if (aclfile === "") throw new CommandError(NO_FILE);
  try {
    saveAclFile(deps.acl, aclfile);
  } catch (error) {
    deps.log.warning(`Writing ACL file for ACL SAVE: ${systemErrorText(error)}`);
    throw new CommandError(
      "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
    );
  }
  call.reply.ok();
}
