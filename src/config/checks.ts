// What some string directives refuse, each as a function from the value to Redis's reason, or null. Also the
// expansion of proc-title-template, since its check is a trial expansion.

type Check = (value: string) => string | null;

const isBaseName = (path: string) => !/[/\\]/.test(path);

export const checkDumpFileName: Check = (name) =>
  isBaseName(name) ? null : "dbfilename can't be a path, just a filename";

export const checkAppendFileName: Check = (name) => {
  if (name === "") return "appendfilename can't be empty";
  return isBaseName(name) ? null : "appendfilename can't be a path, just a filename";
};

export const checkAppendDirectoryName: Check = (name) => {
  if (name === "") return "appenddirname can't be empty";
  return isBaseName(name) ? null : "appenddirname can't be a path, just a dirname";
};

export const checkHostname: Check = (name) => {
  if (name.length >= 256) return "Hostnames must be less than 256 characters";
  return /^[A-Za-z0-9.-]*$/.test(name)
    ? null
    : "Hostnames may only contain alphanumeric characters, hyphens or dots";
};

export const checkNodeName: Check = (name) =>
  /[!#$%&()*+:;<>?@[\]^{|}~]/.test(name) ? "Announced human node name contained invalid character" : null;

export const checkShutdownFlags = (flags: readonly string[]): string | null =>
  flags.includes("save") && flags.includes("nosave")
    ? "shutdown options SAVE and NOSAVE can't be used simultaneously"
    : null;

/** Values of the variables; the keys are the names allowed in a template. */
export interface TitleVariables {
  readonly title: string;
  readonly "listen-addr": string;
  readonly "server-mode": string;
  readonly "config-file": string;
  readonly port: string;
  readonly "tls-port": string;
  readonly unixsocket: string;
}

/** `{name}` is replaced, `{{` is a brace, blanks at both ends are dropped; null for a malformed template. */
export function expandTitle(template: string, variables: TitleVariables): string | null {
  const known: Readonly<Record<string, string>> = { ...variables };
  let title = "";
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf("{", at);
    if (open === -1) return trimSpaces(title + template.slice(at));
    title += template.slice(at, open);
    if (template[open + 1] === "{") {
      title += "{";
      at = open + 2;
      continue;
    }
    const close = template.indexOf("}", open + 1);
    const value = close === -1 ? undefined : known[template.slice(open + 1, close)];
    if (value === undefined) return null;
    title += value;
    at = close + 1;
  }
  return trimSpaces(title);
}

const trimSpaces = (text: string) => text.replace(/^ +| +$/g, "");

/** A template is good if it is not empty without a title, in standalone mode, without a Unix socket. */
export const checkTitleTemplate: Check = (template) => {
  const title = expandTitle(template, {
    title: "",
    "listen-addr": "*:6379",
    "server-mode": "",
    "config-file": "-",
    port: "6379",
    "tls-port": "0",
    unixsocket: "",
  });
  return title === null || title === "" ? "template format is invalid or contains unknown variables" : null;
};
